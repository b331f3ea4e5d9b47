with products as (
    select * from {{ ref('stg_products') }}
),

referenced as (
    select product_key from {{ ref('stg_order_lines') }}
    union
    select product_key from {{ ref('stg_complaints') }}
    union
    select product_key from {{ ref('stg_events') }}
    union
    -- the unknown member
    select '-1' as product_key
),

-- a product that somebody refers to but no source describes still has a row, under its own number
final as (
    select
        product_key,
        product_id,
        name,
        category,
        brand,
        unit_cost,
        launched_on,
        discontinued_on
    from products

    union all

    select
        referenced.product_key,
        {{ id_of_key('referenced.product_key') }} as product_id,
        {{ id_of_key('referenced.product_key') }} as name,
        null as category,
        null as brand,
        null as unit_cost,
        null as launched_on,
        null as discontinued_on
    from referenced
    left join products on referenced.product_key = products.product_key
    where products.product_key is null
)

select * from final
