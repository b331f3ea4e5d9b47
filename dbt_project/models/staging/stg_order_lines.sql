with order_lines as (
    select * from {{ source('raw', 'order_lines') }}
    where deleted_on is null
),

final as (
    select
        {{ source_key('source_id', 'order_id') }} as order_key,
        line_no,
        {{ source_key('source_id', 'product_id') }} as product_key,
        nullif(trim(batch_no), '') as batch_no,
        quantity,
        unit_price,
        discount,
        amount
    from order_lines
)

select * from final
