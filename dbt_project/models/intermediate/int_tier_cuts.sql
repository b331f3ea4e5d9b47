{{ config(materialized="incremental", incremental_strategy="by_reranked_evening") }}

-- depends_on: {{ ref('int_reranked_evenings') }}
-- depends_on: {{ ref('int_evenings') }}
with evenings as (
    select * from {{ ref('int_rankable_evenings') }}
    where {{ is_reranked() }}
),

tier_rules as (
    select * from {{ ref('tier_rules') }}
),

ranked as (
    select
        business_line,
        day,
        count(*) as customers,
        array_agg(figure_12m order by figure_12m desc) as figures
    from evenings
    group by 1, 2
),

-- above a customer of a tier are less than its upper share of the customers: in whole numbers, as a share that falls on
-- a customer must not hang on rounding
cuts as (
    select
        ranked.business_line,
        ranked.day,
        tier_rules.tier,
        tier_rules.rank_order,
        ranked.figures[cast(ceil(tier_rules.upper_share * ranked.customers / 100.0) as integer)] as lowest_figure
    from ranked
    cross join tier_rules
),

final as (
    select
        business_line,
        day,
        array_agg(lowest_figure order by rank_order desc) as lowest_figures,
        array_agg(tier order by rank_order desc) as tiers
    from cuts
    group by 1, 2
)

select * from final
