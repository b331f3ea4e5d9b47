{{ config(materialized="incremental", incremental_strategy="by_changed_order") }}

with orders as (
    select * from {{ ref('int_orders') }}
),

final as (
    select
        order_key,
        source_id,
        order_id,
        customer_key,
        region_key,
        store_id,
        channel,
        ordered_at,
        ordered_on,
        order_class,
        amount,
        document_type,
        status
    from orders
    where
        order_class <> 'void'
        and {{ of_orders_changed_since_standby() }}
)

select * from final
