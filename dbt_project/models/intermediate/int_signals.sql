with customers as (
    select * from {{ ref('int_customers') }}
    where customer_key <> '-1'
),

customer_days as (
    select * from {{ ref('int_customer_days') }}
    where customer_key <> '-1'
),

periods as (
    select * from {{ ref('int_periods') }}
),

period_days as (
    select period_ends_on as day from periods
    union
    select evening_before from periods
),

-- what happened and when somebody looks, in one line, ordered by the day after the one that is looked at:
-- a customer's own day thus looks at the evening before, which shows whether an order wins the customer back
timeline as (
    select
        customer_key,
        day as next_day,
        case when orders > 0 then day end as order_day,
        orders,
        revenue,
        false as is_period_end,
        orders > 0 as is_eve_of_order
    from customer_days

    union all

    select
        customers.customer_key,
        period_days.day + 1 as next_day,
        null as order_day,
        0 as orders,
        0 as revenue,
        true as is_period_end,
        false as is_eve_of_order
    from customers
    inner join period_days on customers.first_seen_on <= period_days.day
),

looking_back as (
    select
        customer_key,
        next_day - 1 as day,
        is_period_end,
        is_eve_of_order,
        min(order_day) over history as first_order_on,
        max(order_day) over history as last_order_on,
        coalesce(sum(revenue) over history, 0) as revenue_to_date,
        coalesce(sum(orders) over trailing_year, 0) as orders_12m,
        coalesce(sum(revenue) over trailing_year, 0) as revenue_12m
    from timeline
    window
        history as (
            partition by customer_key order by next_day
            range between unbounded preceding and interval '1 day' preceding
        ),
        -- the day after less 12 months is the first day of the window
        trailing_year as (
            partition by customer_key order by next_day
            range between interval '{{ var("trailing_months") }} months' preceding and interval '1 day' preceding
        )
),

final as (
    select
        looking_back.customer_key,
        looking_back.day,
        looking_back.is_period_end,
        looking_back.is_eve_of_order,
        customers.business_line,
        customers.policy,
        case
            when
                customers.closed_on <= looking_back.day
                and (looking_back.last_order_on is null or looking_back.last_order_on <= customers.closed_on)
                then customers.closing_class
        end as closing,
        looking_back.first_order_on,
        looking_back.last_order_on,
        looking_back.revenue_to_date,
        looking_back.orders_12m,
        looking_back.revenue_12m,
        looking_back.day - looking_back.last_order_on as days_since_last_order,
        -- the month of the next day has begun, so every month before it is complete
        case
            when looking_back.last_order_on is not null
                then greatest(
                    {{ month_number('looking_back.day + 1') }}
                    - {{ month_number('looking_back.last_order_on') }} - 1,
                    0
                )
        end as months_without_orders
    from looking_back
    inner join customers on looking_back.customer_key = customers.customer_key
    where looking_back.is_period_end or looking_back.is_eve_of_order
)

select * from final
