{{ config(
    materialized="incremental",
    incremental_strategy="by_customer",
    indexes=[{"columns": ["customer_key"]}],
) }}

with orders as (
    select * from {{ ref('int_orders') }}
    where
        customer_key <> '-1'
        and order_class = 'sale'
        and {{ of_changed_customers() }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

purchase_days as (
    select
        customer_key,
        ordered_on as day,
        sum(amount) as spend,
        min(ordered_on) over (partition by customer_key) as first_order_on
    from orders
    group by 1, 2
),

final as (
    select
        purchase_days.customer_key,
        customers.business_line,
        purchase_days.first_order_on,
        max(purchase_days.day) as last_order_on,
        cast(count(*) - 1 as integer) as frequency,
        avg(purchase_days.spend) filter (where purchase_days.day > purchase_days.first_order_on) as mean_spend
    from purchase_days
    inner join customers on purchase_days.customer_key = customers.customer_key
    group by 1, 2, 3
)

select * from final
