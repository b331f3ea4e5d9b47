{{ config(
    materialized="incremental",
    incremental_strategy="by_customer",
    indexes=[{"columns": ["customer_key"]}],
    meta={"lasts_until": "day"},
) }}

with final as (
    select distinct on (customer_key, ordered_on)
        customer_key,
        ordered_on as day,
        order_key,
        channel
    from {{ ref('int_orders') }}
    where
        order_class = 'sale'
        and customer_key <> '-1'
        and {{ of_changed_customers(until='ordered_on') }}
    order by customer_key asc, ordered_on asc, ordered_at desc, order_key asc
)

select * from final
