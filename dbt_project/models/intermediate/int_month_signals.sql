{{ config(
    materialized="incremental",
    incremental_strategy="by_restated_customer",
    indexes=[{"columns": ["customer_key"]}],
    meta={"lasts_until": "day"},
) }}

with final as (
    select
        customer_key,
        day,
        months_declining,
        last_month_not_below
    from {{ ref('int_month_values') }}
    where {{ of_restated_customers(until='day') }}
)

select * from final
