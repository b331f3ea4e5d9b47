with products as (
    select * from {{ source('raw', 'products') }}
    where deleted_on is null
),

final as (
    select
        {{ source_key('source_id', 'product_id') }} as product_key,
        product_id,
        name,
        category,
        brand,
        unit_cost,
        launched_on,
        discontinued_on
    from products
)

select * from final
