{% set feeds = [
    'orders', 'order_lines', 'complaints', 'customers', 'products', 'regions', 'account_managers', 'contacts',
    'surveys', 'balances', 'events', 'exchange_rates',
] %}
with final as (
    {% for feed in feeds %}
        select
            '{{ feed }}' as feed,
            source_id,
            business_day,
            state
        from {{ source('quarantine', feed) }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
