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

-- counted before they are put down to causes: a day has few regions, channels and products
sales_days as (
    select
        region_key,
        channel,
        punctuality,
        ordered_on,
        count(*) as orders
    from sales
    group by 1, 2, 3, 4
),

sold as (
    select
        order_lines.product_key,
        order_lines.batch_no,
        sales.ordered_on,
        -- counted by numbers of 64 bits, which sort in a third of the time and tell the orders of a day apart
        hashtextextended(sales.order_key, 0) as order_hash
    from sales
    inner join {{ ref('stg_order_lines') }} as order_lines on sales.order_key = order_lines.order_key
    where
        -- nobody names a product, nothing to count
        exists (
            select 1 from complaints
            where complaints.product_key <> '-1'
        )
),

counted as (
    select
        causes.*,
        sales_days.ordered_on as day,
        sum(sales_days.orders) as orders,
        0 as complaints_opened,
        0 as complaints,
        0 as orders_complained
    from sales_days
    cross join
        lateral {{ causes_of(none, none, 'sales_days.region_key', 'sales_days.channel', 'sales_days.punctuality') }}
            as causes (kind, cause_key, product_key, batch_no)
    group by 1, 2, 3, 4, 5

    union all

    select
        'product' as kind,
        product_key as cause_key,
        product_key,
        null as batch_no,
        ordered_on as day,
        count(distinct order_hash) as orders,
        0 as complaints_opened,
        0 as complaints,
        0 as orders_complained
    from sold
    group by 3, 5

    union all

    select
        'batch' as kind,
        product_key || ':' || batch_no as cause_key,
        product_key,
        batch_no,
        ordered_on as day,
        count(distinct order_hash) as orders,
        0 as complaints_opened,
        0 as complaints,
        0 as orders_complained
    from sold
    where batch_no is not null
    group by 3, 4, 5

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
