with complainers as (
    select * from {{ ref('int_complaint_churn') }}
),

-- comparable customers count as often as complainers of their kind, so their share is worth fewer than they are
strata as (
    select
        business_line,
        category,
        month,
        tier,
        stage,
        last_order_month,
        max(others) as others,
        count(*) as complainers,
        count(*) filter (where is_silent) as complainers_silent,
        avg(others_silent_share) as others_silent_share
    from complainers
    group by 1, 2, 3, 4, 5, 6
),

totals as (
    select
        business_line,
        category,
        cast(sum(complainers) as bigint) as complainers,
        cast(coalesce(sum(complainers) filter (where others > 0), 0) as bigint) as complainers_compared,
        sum(complainers_silent) filter (where others > 0) as complainers_silent,
        sum(complainers * others_silent_share) filter (where others > 0) as others_silent,
        cast(sum(others) as bigint) as others,
        power(sum(complainers) filter (where others > 0), 2)
        / sum(1.0 * complainers * complainers / nullif(others, 0)) as others_effective
    from strata
    group by 1, 2
),

shares as (
    select
        *,
        1.0 * complainers_silent / complainers_compared as complainers_share,
        1.0 * others_silent / complainers_compared as others_share
    from totals
    where complainers_compared > 0
),

bounds as (
    select
        *,
        {{ wilson_bound('complainers_share', 'complainers_compared', '-') }} as complainers_low,
        {{ wilson_bound('complainers_share', 'complainers_compared', '+') }} as complainers_high,
        {{ wilson_bound('others_share', 'others_effective', '-') }} as others_low,
        {{ wilson_bound('others_share', 'others_effective', '+') }} as others_high
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
        totals.others,
        bounds.others_share as others_silent_share,
        bounds.complainers_share - bounds.others_share as difference,
        {{ newcombe_low(
            'bounds.complainers_share', 'bounds.complainers_low', 'bounds.others_share', 'bounds.others_high'
        ) }} as difference_low,
        {{ newcombe_high(
            'bounds.complainers_share', 'bounds.complainers_high', 'bounds.others_share', 'bounds.others_low'
        ) }} as difference_high
    from totals
    left join bounds
        on
            totals.business_line = bounds.business_line
            and totals.category = bounds.category
)

select * from final
