with orders as (
    select * from {{ ref('int_orders') }}
),

complaints as (
    select * from {{ ref('int_complaints') }}
),

events as (
    select
        customer_key,
        ordered_on as day,
        case when order_class = 'sale' then 1 else 0 end as orders,
        amount as revenue,
        0 as complaints
    from orders
    where order_class <> 'void'

    union all

    select
        customer_key,
        opened_on as day,
        0 as orders,
        0 as revenue,
        1 as complaints
    from complaints
),

daily as (
    select
        customer_key,
        day,
        day + 1 as next_day,
        cast(sum(orders) as integer) as orders,
        sum(revenue) as revenue,
        cast(sum(complaints) as integer) as complaints
    from events
    group by 1, 2
),

final as (
    select
        customer_key,
        day,
        orders,
        revenue,
        complaints,
        sum(revenue) over (partition by customer_key order by next_day) as revenue_to_date,
        -- the day after less 12 months is the first day of the window
        sum(revenue) over (
            partition by customer_key order by next_day
            range between interval '{{ var("trailing_months") }} months -1 day' preceding and current row
        ) as revenue_12m
    from daily
)

select * from final
