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
        revenue_12m,
        rank() over (partition by business_line, day order by revenue_12m desc) - 1 as customers_above
    from evenings
),

counted as (
    select
        business_line,
        day,
        count(*) as customers_ranked
    from evenings
    group by 1, 2
),

-- in whole numbers: a share that falls on a customer must not hang on rounding
final as (
    select
        ranked.customer_key,
        ranked.day,
        ranked.business_line,
        ranked.revenue_12m,
        ranked.customers_above,
        shares.tier
    from ranked
    inner join counted
        on
            ranked.business_line = counted.business_line
            and ranked.day = counted.day
    inner join shares
        on
            100 * ranked.customers_above >= shares.lower_share * counted.customers_ranked
            and 100 * ranked.customers_above < shares.upper_share * counted.customers_ranked
)

select * from final
