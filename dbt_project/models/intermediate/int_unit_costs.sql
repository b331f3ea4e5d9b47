{# A product's cost counts for all that was ever sold of it: where one changes, its buyers are worked out anew. #}
with products as (
    select * from {{ ref('stg_products') }}
    where unit_cost is not null
),

{% if goes_on() %}
    products_before as (
        select * from {{ this }}
        where unit_cost is not null
    ),
{% endif %}

final as (
    {% if goes_on() %}
        select
            coalesce(products.product_key, products_before.product_key) as product_key,
            products.unit_cost,
            (products.unit_cost is distinct from products_before.unit_cost) as is_changed
        from products
        full outer join products_before on products.product_key = products_before.product_key
    {% else %}
        select
            product_key,
            unit_cost,
            true as is_changed
        from products
    {% endif %}
)

select * from final
