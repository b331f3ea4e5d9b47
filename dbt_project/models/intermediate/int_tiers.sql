{{ config(
    materialized="incremental",
    incremental_strategy="by_tier",
    indexes=[{"columns": ["customer_key"]}],
) }}

-- depends_on: {{ ref('int_restated_customers') }}, {{ ref('int_moved_tiers') }}
-- depends_on: {{ ref('int_line_measures') }}, {{ ref('int_evenings') }}
with evenings as (
    select * from {{ ref('int_rankable_evenings') }}
),

cuts as (
    select * from {{ ref('int_tier_cuts') }}
),

final as (
    select
        evenings.customer_key,
        evenings.day,
        evenings.business_line,
        evenings.figure_12m,
        {{ tier_of('evenings.figure_12m', 'cuts') }} as tier
    from evenings
    inner join cuts
        on
            evenings.business_line = cuts.business_line
            and evenings.day = cuts.day

    {% if goes_on() %}
        {{ with_restated_customers('evenings.customer_key') }}
        where {{ is_ranked_anew('evenings.') }}

        union all

        select
            customer_key,
            day,
            business_line,
            figure_12m,
            tier
        from {{ ref('int_moved_tiers') }}
    {% endif %}
)

select * from final
