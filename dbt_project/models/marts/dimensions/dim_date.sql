with periods as (
    select
        date_trunc('year', cast(min(starts_on) as timestamp)) as first_day,
        date_trunc('year', cast(max(period_ends_on) as timestamp)) + interval '1 year' - interval '1 day' as last_day
    from {{ ref('int_periods') }}
),

days as (
    select cast(series.day as date) as date_day
    from periods
    cross join lateral {{ day_series('periods.first_day', 'periods.last_day', '1 day') }} as series (day)
),

holidays as (
    select * from {{ ref('holidays') }}
),

final as (
    select
        days.date_day,
        cast(extract(isoyear from days.date_day) as integer) as iso_year,
        cast(extract(week from days.date_day) as integer) as iso_week,
        {{ week_start('days.date_day') }} as week_starts_on,
        {{ week_start('days.date_day') }} + 6 as week_ends_on,
        {{ month_start('days.date_day') }} as month,
        cast(date_trunc('quarter', cast(days.date_day as timestamp)) as date) as quarter,
        extract(isodow from days.date_day) in (6, 7) as is_weekend,
        coalesce(not holidays.is_workday, false) as is_holiday,
        holidays.name_zh as holiday_name_zh,
        holidays.name_en as holiday_name_en,
        {{ is_workday('days.date_day', 'holidays') }} as is_workday
    from days
    left join holidays on days.date_day = holidays.day
)

select * from final
