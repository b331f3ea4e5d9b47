{{ config(
    materialized="incremental",
    incremental_strategy="by_customer",
    indexes=[{"columns": ["customer_key"]}],
) }}

with purchase_days as (
    select * from {{ ref('int_customer_days') }}
    where
        customer_key <> '-1'
        and orders > 0
        and {{ of_changed_customers() }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

histories as (
    select
        customer_key,
        min(day) as first_order_on,
        max(day) as last_order_on,
        cast(count(*) - 1 as integer) as frequency,
        avg(spend) filter (where day > first_order_on) as mean_spend
    from purchase_days
    group by 1
),

final as (
    select
        histories.customer_key,
        customers.business_line,
        histories.first_order_on,
        histories.last_order_on,
        histories.frequency,
        histories.mean_spend
    from histories
    inner join customers on histories.customer_key = customers.customer_key
)

select * from final
