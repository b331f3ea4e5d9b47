-- Each tier reaches further down than the one above it, and the last one holds everybody who is left.
with tiers as (
    select
        tier,
        upper_share,
        lead(upper_share) over (order by rank_order) as next_upper_share
    from {{ ref('tier_rules') }}
)

select
    tier,
    upper_share,
    next_upper_share
from tiers
where (next_upper_share is null and upper_share <> 100) or next_upper_share <= upper_share
