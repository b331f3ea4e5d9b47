with complainers as (
    select * from {{ ref('int_complaint_churn') }}
),

-- comparable customers count as often as complainers of their kind, so their share is worth fewer than they are
strata as (
    select
        business_line,
        category,
        stratum,
        max(peers) as peers,
        count(*) as complainers,
        count(*) filter (where is_silent) as complainers_silent,
        avg(peers_silent_share) as peers_silent_share
    from complainers
    group by 1, 2, 3
),

totals as (
    select
        business_line,
        category,
        cast(sum(complainers) as bigint) as complainers,
        cast(coalesce(sum(complainers) filter (where peers > 0), 0) as bigint) as complainers_compared,
        sum(complainers_silent) filter (where peers > 0) as complainers_silent,
        sum(complainers * peers_silent_share) filter (where peers > 0) as peers_silent,
        cast(sum(peers) as bigint) as peers,
        power(sum(complainers) filter (where peers > 0), 2)
        / sum(1.0 * complainers * complainers / nullif(peers, 0)) as peers_effective
    from strata
    group by 1, 2
),

shares as (
    select
        *,
        1.0 * complainers_silent / complainers_compared as complainers_share,
        1.0 * peers_silent / complainers_compared as peers_share
    from totals
    where complainers_compared > 0
),

bounds as (
    select
        *,
        {{ wilson_bound('complainers_share', 'complainers_compared', '-') }} as complainers_low,
        {{ wilson_bound('complainers_share', 'complainers_compared', '+') }} as complainers_high,
        {{ wilson_bound('peers_share', 'peers_effective', '-') }} as peers_low,
        {{ wilson_bound('peers_share', 'peers_effective', '+') }} as peers_high
    from shares
),

final as (
    select
        totals.business_line,
        totals.category,
        totals.complainers,
        totals.complainers_compared,
        cast(bounds.complainers_silent as bigint) as complainers_silent,
        bounds.complainers_share as silent_share,
        totals.peers,
        bounds.peers_share as peers_silent_share,
        bounds.complainers_share - bounds.peers_share as difference,
        {{ newcombe_low(
            'bounds.complainers_share', 'bounds.complainers_low', 'bounds.peers_share', 'bounds.peers_high'
        ) }} as difference_low,
        {{ newcombe_high(
            'bounds.complainers_share', 'bounds.complainers_high', 'bounds.peers_share', 'bounds.peers_low'
        ) }} as difference_high
    from totals
    left join bounds
        on
            totals.business_line = bounds.business_line
            and totals.category = bounds.category
)

select * from final
