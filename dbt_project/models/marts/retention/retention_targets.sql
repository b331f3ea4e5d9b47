with targets as (
    select
        *,
        lead(valid_from) over (partition by business_line, metric order by valid_from) as replaced_on
    from {{ ref('targets') }}
),

months as (
    select * from {{ ref('retention_months_rollup') }}
    where
        region_key = 'all'
        and value_tier = 'all'
),

survey_months as (
    select * from {{ ref('satisfaction_months') }}
    where region_key = 'all'
),

final as (
    select
        months.month,
        months.period_ends_on,
        months.is_complete,
        targets.business_line,
        targets.metric,
        targets.target,
        -- a metric is the name of a column of either
        cast(coalesce(to_jsonb(months) ->> targets.metric, to_jsonb(survey_months) ->> targets.metric) as numeric)
            as actual,
        targets.source
    from targets
    inner join months
        on
            targets.business_line = months.business_line
            and targets.valid_from <= months.month
            and (targets.replaced_on is null or targets.replaced_on > months.month)
    left join survey_months
        on
            months.month = survey_months.month
            and months.business_line = survey_months.business_line
)

select * from final
