-- Whether one figure fills a tier at the last review: customers with equal figures are never told apart.
with tiers as (
    select * from {{ ref('int_tiers') }}
    where day = {{ month_start(as_of_date() ~ ' + 1') }} - 1
),

shares as (
    select
        tier,
        upper_share - lag(upper_share, 1, 0) over (order by rank_order) as tier_percent
    from {{ ref('tier_rules') }}
),

ties as (
    select
        business_line,
        day,
        tier,
        figure_12m,
        count(*) as customers
    from tiers
    group by 1, 2, 3, 4
),

ranked as (
    select
        *,
        sum(customers) over (partition by business_line) as customers_ranked
    from ties
),

-- there is room for one in every tier
filled as (
    select
        ranked.*,
        100.0 * ranked.customers / greatest(100, shares.tier_percent * ranked.customers_ranked) as times_filled
    from ranked
    inner join shares on ranked.tier = shares.tier
),

final as (
    select
        business_line,
        day as reviewed_on,
        cast(max(customers_ranked) as bigint) as customers_ranked,
        cast(
            coalesce(sum(case when times_filled > {{ var('tier_tie_limit') }} then customers end), 0) as bigint
        ) as customers_tied,
        max(times_filled) as times_filled
    from filled
    group by 1, 2
)

select * from final
