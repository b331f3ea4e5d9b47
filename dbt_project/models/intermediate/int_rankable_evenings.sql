{{ config(materialized="view") }}

with evenings as (
    select * from {{ ref('int_evening_values') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

final as (
    select
        evenings.customer_key,
        evenings.day,
        customers.business_line,
        evenings.revenue_12m
    from evenings
    inner join customers on evenings.customer_key = customers.customer_key
    where
        evenings.revenue_12m > 0
        -- not closed in any way
        and (
            customers.closed_on is null
            or customers.closed_on > evenings.day
            or customers.closed_on < evenings.last_order_on
        )
)

select * from final
