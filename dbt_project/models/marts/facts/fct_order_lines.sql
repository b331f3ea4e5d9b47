{{ config(materialized="incremental", incremental_strategy="by_changed_line") }}

with order_lines as (
    select * from {{ ref('int_order_lines') }}
    where {{ of_lines_changed_since_standby() }}
),

final as (
    select
        order_key,
        line_no,
        product_key,
        batch_no,
        customer_key,
        region_key,
        ordered_on,
        order_class,
        quantity,
        unit_price,
        discount,
        amount
    from order_lines
)

select * from final
