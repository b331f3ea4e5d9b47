{{ config(materialized="incremental", incremental_strategy="by_build") }}

{# An order decides over the one that it takes back, and that over all that take it back. #}
{% if goes_on() %}
    with arrived as (
        select * from {{ ref('stg_changed_orders') }}
    ),

    orders_before as not materialized (
        select * from {{ as_of_base('int_orders') }}
    ),

    touched as (
        select
            order_key,
            reverses_order_key
        from arrived

        union all

        select
            orders_before.order_key,
            orders_before.reverses_order_key
        from orders_before
        inner join arrived on orders_before.order_key = arrived.order_key

        union all

        select
            orders_before.order_key,
            orders_before.reverses_order_key
        from orders_before
        inner join {{ ref('int_changed_merges') }} as changed_merges
            on orders_before.source_customer_key = changed_merges.customer_key
    ),

    originals as (
        select order_key from touched
        union
        select reverses_order_key as order_key from touched
        where reverses_order_key is not null
    ),

    orders as (
        select order_key from originals
        union
        select orders_before.order_key
        from orders_before
        inner join originals on orders_before.reverses_order_key = originals.order_key
    ),

    final as (
        select
            order_key,
            {{ source_of_key('order_key') }} as source_id,
            {{ id_of_key('order_key') }} as order_id,
            cast({{ var('build_id') }} as bigint) as build_id
        from orders
    )
{% else %}
    with final as (
        {{ no_rows(order_key='text', source_id='text', order_id='text', build_id='bigint') }}
    )
{% endif %}

select * from final
