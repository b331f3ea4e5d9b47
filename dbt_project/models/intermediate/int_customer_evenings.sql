{{ config(
    materialized="incremental",
    incremental_strategy="by_retiered_evening",
    indexes=[{"columns": ["customer_key"]}],
) }}

with evenings as (
    select evenings.*
    from {{ ref('int_evening_values') }} as evenings
    {% if goes_on() %}
        {{ with_restated_customers('evenings.customer_key') }}
        left join {{ ref('int_retiered_customers') }} as retiered
            on
                evenings.customer_key = retiered.customer_key
                and retiered.build_id = {{ var('build_id') }}
        where
            evenings.day >= least(restated.changed_on, retiered.changed_on)
            or {{ is_other_evening('evenings.day') }}
    {% endif %}
),

final as (
    select
        evenings.customer_key,
        evenings.day,
        spells.stage,
        spells.stage not in ('closed', 'prospect', 'churned') as is_live,
        evenings.first_order_on,
        evenings.last_order_on,
        evenings.orders_12m,
        evenings.revenue_12m,
        evenings.cost_12m,
        evenings.bridge_revenue,
        evenings.value_12m,
        coalesce(tiers.tier, 'none') as tier,
        coalesce(value_tiers.tier, 'none') as value_tier,
        coalesce(versions.region_key, '-1') as region_key,
        coalesce(versions.account_manager_key, '-1') as account_manager_key
    from evenings
    inner join {{ ref('int_stages') }} as spells
        on
            evenings.customer_key = spells.customer_key
            and evenings.day >= spells.valid_from
            and (evenings.day < spells.valid_to or spells.valid_to is null)
    left join {{ ref('int_tiers') }} as tiers
        on
            evenings.customer_key = tiers.customer_key
            and {{ month_start('evenings.day + 1') }} - 1 = tiers.day
    left join {{ ref('int_tiers') }} as value_tiers
        on
            evenings.customer_key = value_tiers.customer_key
            and least({{ month_end('evenings.last_order_on') }}, evenings.day) = value_tiers.day
    left join {{ ref('stg_customers_versions') }} as versions
        on
            evenings.customer_key = versions.customer_key
            and evenings.day >= versions.valid_from
            and (evenings.day < versions.valid_to or versions.valid_to is null)
)

select * from final
