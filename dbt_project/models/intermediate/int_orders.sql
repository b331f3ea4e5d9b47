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

    originals as (
        select * from orders
    ),
{% else %}
    -- read in parallel, once for the few that are named by another and once for all; a CTE would be written down first
    with orders as not materialized (
        select * from {{ ref('stg_orders') }}
        where ordered_on <= {{ as_of_date() }}
    ),

    takebacks as not materialized (
        select
            source_id,
            reverses_order_id
        from orders
        where reverses_order_id <> ''
    ),

    originals as not materialized (
        select * from orders
        where
            source_id = any(array(select distinct takebacks.source_id from takebacks))
            and order_id = any(array(select takebacks.reverses_order_id from takebacks))
    ),
{% endif %}

survivors as (
    select * from {{ ref('int_customers__survivors') }}
),

reversals as (
    select
        originals.order_key,
        takebacks.order_key as reversal_key,
        sum(-takebacks.amount) over (partition by originals.order_key) >= originals.amount as is_whole
    from orders as takebacks
    inner join originals
        on
            takebacks.source_id = originals.source_id
            and takebacks.reverses_order_id = originals.order_id
    where
        takebacks.reverses_order_id <> ''
        and takebacks.order_class = 'return'
        and originals.order_class = 'sale'
        and takebacks.ordered_on - originals.ordered_on between 0 and {{ var('reversal_days') }}
),

voided as (
    select distinct both_orders.order_key
    from reversals
    cross join lateral (values (reversals.order_key), (reversals.reversal_key)) as both_orders (order_key)
    where reversals.is_whole
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
