{{ config(
    materialized="incremental",
    incremental_strategy="by_order",
    indexes=[{"columns": ["order_key"]}, {"columns": ["customer_key", "ordered_on"]}],
) }}

{% if goes_on() %}
    -- depends_on: {{ ref('int_changed_customers') }}
    with changed as (
        select * from {{ ref('int_changed_orders') }}
        where build_id = {{ var('build_id') }}
    ),

    orders as (
        select orders.*
        from {{ ref('stg_orders') }} as orders
        inner join changed
            on
                orders.source_id = changed.source_id
                and orders.order_id = changed.order_id
        where
            orders.ordered_on <= {{ as_of_date() }}
            -- into a view PostgreSQL hands arrays down, and no joins: these find the rows by their key
            and orders.source_id = any(array(select distinct sources.source_id from changed as sources))
            and orders.order_id = any(array(select ids.order_id from changed as ids))
    ),
{% else %}
    with orders as (
        select * from {{ ref('stg_orders') }}
        where ordered_on <= {{ as_of_date() }}
    ),
{% endif %}

survivors as (
    select * from {{ ref('int_customers__survivors') }}
),

reversals as (
    select
        originals.order_key,
        originals.amount,
        takebacks.order_key as reversal_key,
        -takebacks.amount as reversed_amount
    from orders as takebacks
    inner join orders as originals on takebacks.reverses_order_key = originals.order_key
    where
        takebacks.order_class = 'return'
        and originals.order_class = 'sale'
        and takebacks.ordered_on - originals.ordered_on between 0 and {{ var('reversal_days') }}
),

wholly_reversed as (
    select order_key
    from reversals
    group by order_key, amount
    having sum(reversed_amount) >= amount
),

voided as (
    select order_key
    from wholly_reversed

    union all

    select reversals.reversal_key
    from reversals
    inner join wholly_reversed on reversals.order_key = wholly_reversed.order_key
),

final as (
    select
        orders.order_key,
        orders.source_id,
        orders.order_id,
        orders.source_customer_key,
        coalesce(survivors.survivor_key, orders.source_customer_key) as customer_key,
        orders.region_key,
        orders.store_id,
        orders.channel,
        orders.ordered_at,
        orders.ordered_on,
        case when voided.order_key is null then orders.order_class else 'void' end as order_class,
        orders.amount,
        orders.document_type,
        orders.status,
        orders.is_on_time,
        orders.reverses_order_key
    from orders
    left join survivors on orders.source_customer_key = survivors.customer_key
    left join voided on orders.order_key = voided.order_key
)

select * from final
