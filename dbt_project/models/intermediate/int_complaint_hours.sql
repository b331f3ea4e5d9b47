with complaints as (
    select * from {{ ref('int_complaints') }}
),

holidays as (
    select * from {{ ref('holidays') }}
),

days as (
    select
        cast(series.day as date) as day,
        {{ is_workday('cast(series.day as date)', 'holidays') }} as is_workday
    from (select min(opened_on) as first_day from complaints) as complained
    cross join lateral {{ day_series('complained.first_day', as_of_date(), '1 day') }} as series (day)
    left join holidays on cast(series.day as date) = holidays.day
),

calendar as (
    select
        *,
        count(*) filter (where is_workday) over (order by day rows between unbounded preceding and 1 preceding)
            as workdays_before
    from days
),

final as (
    select
        complaints.complaint_key,
        {{ working_hours_until('complaints.first_response_at', 'answered') }}
        - {{ working_hours_until('complaints.opened_at', 'opened') }} as first_response_business_hours,
        {{ working_hours_until('complaints.resolved_at', 'resolved') }}
        - {{ working_hours_until('complaints.opened_at', 'opened') }} as resolution_business_hours
    from complaints
    inner join calendar as opened on complaints.opened_on = opened.day
    left join calendar as answered on {{ business_day('complaints.first_response_at') }} = answered.day
    left join calendar as resolved on {{ business_day('complaints.resolved_at') }} = resolved.day
)

select * from final
