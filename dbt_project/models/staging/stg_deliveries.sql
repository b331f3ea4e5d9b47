with orders as (
    select * from {{ source('raw', 'orders') }}
    where
        deleted_on is null
        and promised_at is not null
),

final as (
    select
        {{ source_key('source_id', 'order_id') }} as order_key,
        {{ business_day('promised_at') }} as promised_on,
        {{ business_day('delivered_at') }} as delivered_on
    from orders
)

select * from final
