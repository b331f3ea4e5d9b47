with customers as (
    select * from {{ ref('int_customers') }}
),

customer_days as (
    select * from {{ ref('int_customer_days') }}
    where customer_key <> '-1'
),

review_days as (
    select * from {{ ref('int_review_days') }}
),

-- what happened and when somebody looks, in one line: a review sees its own day and what lies before
timeline as (
    select
        customer_key,
        day,
        day + 1 as next_day,
        case when orders > 0 then day end as order_day,
        orders,
        revenue,
        false as is_review,
        null as is_period_end,
        null as is_eve_of_order
    from customer_days

    union all

    select
        customer_key,
        day,
        day + 1 as next_day,
        null as order_day,
        0 as orders,
        0 as revenue,
        true as is_review,
        is_period_end,
        is_eve_of_order
    from review_days
),

looking_back as (
    select
        customer_key,
        day,
        is_review,
        is_period_end,
        is_eve_of_order,
        min(order_day) over history as first_order_on,
        max(order_day) over history as last_order_on,
        sum(revenue) over history as revenue_to_date,
        sum(orders) over trailing_year as orders_12m,
        sum(revenue) over trailing_year as revenue_12m
    from timeline
    window
        history as (partition by customer_key order by next_day),
        trailing_year as (
            partition by customer_key order by next_day
            {{ trailing_months_frame() }}
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
    where looking_back.is_review
)

select * from final
