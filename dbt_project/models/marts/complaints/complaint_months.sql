with complaints as (
    select
        *,
        {{ month_start('opened_on') }} as month,
        coalesce(category_word, '-1') as category_told,
        -- one that is open again is not resolved
        case when is_open is not true then resolution_hours end as resolved_hours,
        case when is_open is not true then resolution_business_hours end as resolved_business_hours
    from {{ ref('fct_complaints') }}
),

periods as (
    select * from {{ ref('int_periods') }}
    where grain = 'month'
),

-- whose customers they were then
customer_months as (
    select * from {{ ref('customer_months') }}
    where customer_key in (select complaints.customer_key from complaints)
),

regions as (
    select * from {{ ref('dim_region_rollup') }}
),

totals as (
    select
        complaints.month,
        periods.period_ends_on,
        periods.is_complete,
        regions.ancestor_region_key as region_key,
        case when grouping(complaints.business_line) = 1 then 'all' else complaints.business_line end as business_line,
        case when grouping(complaints.category_told) = 1 then 'all' else complaints.category_told end as category,
        count(*) as complaints,
        count(distinct nullif(complaints.customer_key, '-1')) as customers,
        count(complaints.first_response_hours) as answered,
        percentile_cont(0.5) within group (order by complaints.first_response_hours) as first_response_hours_median,
        percentile_cont(0.9) within group (order by complaints.first_response_hours) as first_response_hours_p90,
        percentile_cont(0.5) within group (order by complaints.first_response_business_hours)
            as first_response_business_hours_median,
        count(complaints.is_response_in_time) as responses_judged,
        count(*) filter (where complaints.is_response_in_time) as responses_in_time,
        count(complaints.resolved_hours) as resolved,
        percentile_cont(0.5) within group (order by complaints.resolved_hours) as resolution_hours_median,
        percentile_cont(0.9) within group (order by complaints.resolved_hours) as resolution_hours_p90,
        percentile_cont(0.5) within group (order by complaints.resolved_business_hours)
            as resolution_business_hours_median,
        count(complaints.is_resolution_in_time) as resolutions_judged,
        count(*) filter (where complaints.is_resolution_in_time) as resolutions_in_time,
        count(*) filter (where complaints.is_reopened) as reopened,
        count(complaints.is_repeat) as repeats_judged,
        count(*) filter (where complaints.is_repeat) as repeats,
        count(complaints.satisfaction) as rated,
        avg(complaints.satisfaction) as satisfaction,
        count(*) filter (where complaints.is_satisfied) as satisfied,
        count(complaints.is_recovered) filter (where complaints.is_satisfied) as recovered_judged,
        count(*) filter (where complaints.is_recovered) as recovered,
        sum(complaints.compensation) as compensation
    from complaints
    inner join periods on complaints.month = periods.starts_on
    left join customer_months
        on
            complaints.customer_key = customer_months.customer_key
            and complaints.month = customer_months.month
    inner join regions on coalesce(customer_months.start_region_key, '-1') = regions.region_key
    group by
        complaints.month,
        periods.period_ends_on,
        periods.is_complete,
        regions.ancestor_region_key,
        cube (complaints.business_line, complaints.category_told)
),

final as (
    select
        month,
        period_ends_on,
        is_complete,
        business_line,
        region_key,
        category,
        complaints,
        customers,
        answered,
        cast(first_response_hours_median as numeric) as first_response_hours_median,
        cast(first_response_hours_p90 as numeric) as first_response_hours_p90,
        cast(first_response_business_hours_median as numeric) as first_response_business_hours_median,
        responses_judged,
        responses_in_time,
        1.0 * responses_in_time / nullif(responses_judged, 0) as response_in_time_share,
        resolved,
        cast(resolution_hours_median as numeric) as resolution_hours_median,
        cast(resolution_hours_p90 as numeric) as resolution_hours_p90,
        cast(resolution_business_hours_median as numeric) as resolution_business_hours_median,
        resolutions_judged,
        resolutions_in_time,
        1.0 * resolutions_in_time / nullif(resolutions_judged, 0) as resolution_in_time_share,
        reopened,
        repeats_judged,
        repeats,
        1.0 * repeats / nullif(repeats_judged, 0) as repeat_share,
        rated,
        satisfaction,
        satisfied,
        1.0 * satisfied / nullif(rated, 0) as satisfied_share,
        recovered_judged,
        recovered,
        1.0 * recovered / nullif(recovered_judged, 0) as recovered_share,
        compensation
    from totals
)

select * from final
