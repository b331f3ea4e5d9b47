{{ config(
    materialized="incremental",
    incremental_strategy="by_build",
    indexes=[{"columns": ["customer_key"]}],
) }}

{# What has changed on a day changes the silence that the last purchase before it began. A change whose day is not known
   may be of any day. #}
{% if goes_on() %}
    with changed_orders as (
        select * from {{ ref('int_changed_orders') }}
        where build_id = {{ var('build_id') }}
    ),

    arrived_orders as (
        select * from {{ ref('stg_changed_orders') }}
    ),

    arrived_rows as (
        select * from {{ ref('stg_changed_rows') }}
    ),

    changed_merges as (
        select * from {{ ref('int_changed_merges') }}
    ),

    survivors as (
        select * from {{ ref('int_customers__survivors') }}
    ),

    complaints as (
        select * from {{ ref('stg_complaints') }}
        where opened_on <= {{ as_of_date() }}
    ),

    customers_before as (
        select * from {{ as_of_base('int_customers') }}
    ),

    complaints_before as (
        select * from {{ as_of_base('int_complaints') }}
    ),

    orders_before as (
        select
            orders_before.customer_key,
            orders_before.ordered_on as changed_on
        from {{ as_of_base('int_orders') }} as orders_before
        inner join changed_orders on orders_before.order_key = changed_orders.order_key
    ),

    -- orders whose cost may be another: of a line, or of a product that is sold on one
    recosted as (
        select row_key as order_key from arrived_rows
        where
            feed = 'order_lines'
            and exists (select 1 from {{ ref('int_unit_costs') }})

        union

        select order_lines.order_key
        from {{ ref('stg_order_lines') }} as order_lines
        inner join {{ ref('int_unit_costs') }} as unit_costs on order_lines.product_key = unit_costs.product_key
        where unit_costs.is_changed
    ),

    -- a source that begins to tell how its complaints were handled, or ceases to
    handling as (
        select
            source_id,
            bool_or({{ tells_handling() }}) as is_told
        from complaints
        group by 1
    ),

    handling_before as (
        select
            {{ source_of_key('complaint_key') }} as source_id,
            bool_or(is_open is not null) as is_told
        from complaints_before
        group by 1
    ),

    keys as (
        select
            customer_key,
            changed_on
        from orders_before

        union all

        select
            orders_of_lines.customer_key,
            orders_of_lines.ordered_on as changed_on
        from {{ as_of_base('int_orders') }} as orders_of_lines
        inner join recosted on orders_of_lines.order_key = recosted.order_key

        union all

        select
            coalesce(survivors.survivor_key, arrived_orders.source_customer_key) as customer_key,
            arrived_orders.ordered_on as changed_on
        from arrived_orders
        left join survivors on arrived_orders.source_customer_key = survivors.customer_key

        union all

        select
            coalesce(survivors.survivor_key, arrived_rows.source_customer_key) as customer_key,
            arrived_rows.changed_on
        from arrived_rows
        left join survivors on arrived_rows.source_customer_key = survivors.customer_key

        union all

        select
            complaints_before.customer_key,
            least(complaints_before.opened_on, complaints_before.resolved_on) as changed_on
        from complaints_before
        inner join arrived_rows on complaints_before.complaint_key = arrived_rows.row_key
        where arrived_rows.feed = 'complaints'

        union all

        select
            complaints_before.customer_key,
            null as changed_on
        from complaints_before
        left join handling_before
            on {{ source_of_key('complaints_before.complaint_key') }} = handling_before.source_id
        left join handling on {{ source_of_key('complaints_before.complaint_key') }} = handling.source_id
        where handling_before.is_told is distinct from handling.is_told

        union all

        select
            satisfaction_before.customer_key,
            satisfaction_before.valid_from as changed_on
        from {{ as_of_base('int_satisfaction') }} as satisfaction_before
        inner join arrived_rows on satisfaction_before.answer_key = arrived_rows.row_key
        where arrived_rows.feed in ('complaints', 'surveys')

        union all

        select
            coalesce(survivors.survivor_key, versions.customer_key) as customer_key,
            null as changed_on
        from {{ ref('stg_customers_versions') }} as versions
        inner join arrived_rows on versions.account_manager_key = arrived_rows.row_key
        left join survivors on versions.customer_key = survivors.customer_key
        where arrived_rows.feed = 'account_managers'

        union all

        select
            merged.customer_key,
            null as changed_on
        from changed_merges
        cross join
            lateral (
                values
                (changed_merges.customer_key),
                (changed_merges.survivor_key_before),
                (changed_merges.survivor_key)
            ) as merged (customer_key)

        union all

        -- whoever is known without a day was first seen on the last one
        select
            customer_key,
            null as changed_on
        from customers_before
        where first_seen_on >= {{ base_date() }}
    ),

    first_changes as (
        select
            customer_key,
            min(coalesce(changed_on, '-infinity')) as changed_on
        from keys
        where customer_key is not null
        group by 1
    ),

    purchases_before as (
        select
            first_changes.customer_key,
            max(days_before.day) as last_day
        from first_changes
        inner join {{ as_of_base('int_customer_days') }} as days_before
            on
                first_changes.customer_key = days_before.customer_key
                and first_changes.changed_on > days_before.day
        where days_before.orders > 0
        group by 1
    ),

    final as (
        select
            first_changes.customer_key,
            first_changes.changed_on,
            coalesce(purchases_before.last_day, '-infinity') as silence_began_on,
            cast({{ var('build_id') }} as bigint) as build_id
        from first_changes
        left join purchases_before on first_changes.customer_key = purchases_before.customer_key
    )
{% else %}
    with final as (
        {{ no_rows(customer_key='text', changed_on='date', silence_began_on='date', build_id='bigint') }}
    )
{% endif %}

select * from final
