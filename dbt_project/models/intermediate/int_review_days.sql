{{ config(materialized="view") }}

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

reviews as (
    select
        customers.customer_key,
        period_days.day,
        true as is_period_end,
        false as is_eve_of_order
    from customers
    inner join period_days on customers.first_seen_on <= period_days.day

    union all

    -- whether an order wins a customer back shows on the evening before
    select
        customer_key,
        day - 1 as day,
        false as is_period_end,
        true as is_eve_of_order
    from customer_days
    where orders > 0
),

final as (
    select
        customer_key,
        day,
        bool_or(is_period_end) as is_period_end,
        bool_or(is_eve_of_order) as is_eve_of_order
    from reviews
    group by 1, 2
)

select * from final
