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

satisfaction as (
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
        case targets.metric
            {% for name in retention_columns('month') + retention_rates('month') | list %}
                when '{{ name }}' then cast(months.{{ name }} as numeric)
            {% endfor %}
            {% for name in survey_figures() %}
                when '{{ name }}' then satisfaction.{{ name }}
            {% endfor %}
        end as actual,
        targets.source
    from targets
    inner join months
        on
            targets.business_line = months.business_line
            and targets.valid_from <= months.month
            and (targets.replaced_on is null or targets.replaced_on > months.month)
    left join satisfaction
        on
            months.month = satisfaction.month
            and months.business_line = satisfaction.business_line
)

select * from final
