{# What a complaint is about, where it says so; else the one product, or the one batch, of the order it is about. #}
with complaints as (
    select * from {{ ref('int_complaints') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

orders as (
    select * from {{ ref('int_orders') }}
    where order_key in (select complaints.order_key from complaints)
),

lines as (
    select
        order_key,
        product_key,
        batch_no
    from {{ ref('stg_order_lines') }}
    where
        product_key <> '-1'
        and order_key in (select complaints.order_key from complaints)
),

only_products as (
    select
        order_key,
        min(product_key) as product_key
    from lines
    group by 1
    having count(distinct product_key) = 1
),

only_batches as (
    select
        order_key,
        product_key,
        min(batch_no) as batch_no
    from lines
    group by 1, 2
    having count(distinct batch_no) = 1
),

attributed as (
    select
        complaints.complaint_key,
        complaints.opened_on,
        orders.order_key,
        orders.order_class,
        orders.ordered_on,
        orders.channel,
        coalesce(nullif(complaints.product_key, '-1'), only_products.product_key, '-1') as product_key,
        complaints.batch_no,
        coalesce(nullif(orders.region_key, '-1'), customers.region_key, '-1') as region_key
    from complaints
    left join orders on complaints.order_key = orders.order_key
    left join only_products on complaints.order_key = only_products.order_key
    left join customers on complaints.customer_key = customers.customer_key
),

final as (
    select
        attributed.complaint_key,
        attributed.opened_on,
        attributed.order_key,
        attributed.order_class,
        attributed.ordered_on,
        attributed.channel,
        attributed.product_key,
        coalesce(attributed.batch_no, only_batches.batch_no) as batch_no,
        attributed.region_key
    from attributed
    left join only_batches
        on
            attributed.order_key = only_batches.order_key
            and attributed.product_key = only_batches.product_key
)

select * from final
