with complaints as (
    select * from {{ ref('int_attributed_complaints') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

deliveries as (
    select * from {{ ref('stg_deliveries') }}
),

sales as (
    select
        orders.order_key,
        orders.ordered_on,
        orders.channel,
        coalesce(nullif(orders.region_key, '-1'), customers.region_key, '-1') as region_key,
        {{ punctuality('deliveries.promised_on', 'deliveries.delivered_on') }} as punctuality
    from {{ ref('int_orders') }} as orders
    inner join customers on orders.customer_key = customers.customer_key
    left join deliveries on orders.order_key = deliveries.order_key
    where
        orders.order_class = 'sale'
        and orders.ordered_on >= {{ first_cause_day() }}
        -- nobody complains, nothing to count
        and exists (select 1 from complaints)
),

lines as (
    select
        sales.order_key,
        sales.ordered_on,
        order_lines.product_key,
        order_lines.batch_no
    from sales
    inner join {{ ref('stg_order_lines') }} as order_lines on sales.order_key = order_lines.order_key
),

counted as (
    select
        causes.*,
        sales.ordered_on as day,
        count(*) as orders,
        0 as complaints_opened,
        0 as complaints,
        0 as orders_complained
    from sales
    cross join
        lateral {{ causes_of(none, none, 'sales.region_key', 'sales.channel', 'sales.punctuality') }}
            as causes (kind, cause_key, product_key, batch_no)
    group by 1, 2, 3, 4, 5

    union all

    select
        causes.*,
        lines.ordered_on as day,
        count(distinct lines.order_key) as orders,
        0 as complaints_opened,
        0 as complaints,
        0 as orders_complained
    from lines
    cross join
        lateral {{ causes_of('lines.product_key', 'lines.batch_no', none, none, none) }}
            as causes (kind, cause_key, product_key, batch_no)
    group by 1, 2, 3, 4, 5

    union all

    -- on the day they came
    select
        causes.*,
        complaints.opened_on as day,
        0 as orders,
        count(*) as complaints_opened,
        0 as complaints,
        0 as orders_complained
    from complaints
    left join sales on complaints.order_key = sales.order_key
    cross join lateral {{ causes_of(
        'complaints.product_key', 'complaints.batch_no', 'complaints.region_key', 'complaints.channel', 'sales.punctuality'
    ) }} as causes (kind, cause_key, product_key, batch_no)
    group by 1, 2, 3, 4, 5

    union all

    -- on the day of the order, where it is known
    select
        causes.*,
        coalesce(complaints.ordered_on, complaints.opened_on) as day,
        0 as orders,
        0 as complaints_opened,
        count(*) as complaints,
        count(distinct sales.order_key) as orders_complained
    from complaints
    left join sales on complaints.order_key = sales.order_key
    cross join lateral {{ causes_of(
        'complaints.product_key', 'complaints.batch_no', 'complaints.region_key', 'complaints.channel', 'sales.punctuality'
    ) }} as causes (kind, cause_key, product_key, batch_no)
    group by 1, 2, 3, 4, 5
),

final as (
    select
        kind,
        cause_key,
        product_key,
        batch_no,
        day,
        cast(sum(orders) as bigint) as orders,
        cast(sum(complaints_opened) as bigint) as complaints_opened,
        cast(sum(complaints) as bigint) as complaints,
        cast(sum(orders_complained) as bigint) as orders_complained
    from counted
    where
        cause_key is not null
        and product_key is distinct from '-1'
        and cause_key <> '-1'
        and day >= {{ first_cause_day() }}
    group by 1, 2, 3, 4, 5
)

select * from final
