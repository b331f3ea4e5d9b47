{{ config(
    materialized="incremental",
    incremental_strategy="by_customer",
    indexes=[{"columns": ["customer_key"]}],
    meta={"lasts_until": "day"},
) }}

with orders as (
    {{ from_changed_days(ref('int_orders'), 'ordered_on') }}
),

final as (
    select distinct on (customer_key, ordered_on)
        customer_key,
        ordered_on as day,
        order_key,
        channel
    from orders
    where
        order_class = 'sale'
        and customer_key <> '-1'
    order by customer_key asc, ordered_on asc, ordered_at desc, order_key asc
)

select * from final
