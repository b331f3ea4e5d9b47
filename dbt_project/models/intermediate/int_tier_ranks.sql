{{ config(materialized="view") }}

with evenings as (
    select * from {{ ref('int_rankable_evenings') }}
    where {{ is_reranked() }}
),

shares as (
    select
        tier,
        upper_share,
        lag(upper_share, 1, 0) over (order by rank_order) as lower_share
    from {{ ref('tier_rules') }}
),

ranked as (
    select
        customer_key,
        day,
        business_line,
        figure_12m,
        rank() over (partition by day, business_line order by figure_12m desc) - 1 as customers_above,
        count(*) over (partition by day, business_line) as customers_ranked
    from evenings
),

-- in whole numbers: a share that falls on a customer must not hang on rounding
final as (
    select
        ranked.customer_key,
        ranked.day,
        ranked.business_line,
        ranked.figure_12m,
        ranked.customers_above,
        shares.tier
    from ranked
    inner join shares
        on
            100 * ranked.customers_above >= shares.lower_share * ranked.customers_ranked
            and 100 * ranked.customers_above < shares.upper_share * ranked.customers_ranked
)

select * from final
