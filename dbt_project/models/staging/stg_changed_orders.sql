-- Rows of orders, deleted ones too, that the build before has not seen as they are now.
with orders as (
    select * from {{ source('raw', 'orders') }}
    where {{ is_written_since_base() }} or {{ lay_ahead_of_base('ordered_at') }}
),

final as (
    select
        {{ source_key('source_id', 'order_id') }} as order_key,
        {{ source_key('customer_source_id', 'customer_id') }} as source_customer_key,
        source_id || ':' || nullif(reverses_order_id, '') as reverses_order_key,
        {{ business_day('ordered_at') }} as ordered_on
    from orders
)

select * from final
