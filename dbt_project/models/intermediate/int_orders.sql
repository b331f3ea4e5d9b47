{{ config(materialized="incremental", incremental_strategy="by_order") }}

with orders as (
    select orders.*
    from {{ ref('stg_orders') }} as orders
    {% if goes_on() %}
        -- depends_on: {{ ref('int_changed_customers') }}
        inner join {{ ref('int_changed_orders') }} as changed
            on
                orders.source_id = changed.source_id
                and orders.order_id = changed.order_id
                and changed.build_id = {{ var('build_id') }}
    {% endif %}
    where orders.ordered_on <= {{ as_of_date() }}
),

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
