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

final as (
    select
        date_day,
        cast(extract(isoyear from date_day) as integer) as iso_year,
        cast(extract(week from date_day) as integer) as iso_week,
        {{ week_start('date_day') }} as week_starts_on,
        {{ week_start('date_day') }} + 6 as week_ends_on,
        {{ month_start('date_day') }} as month,
        cast(date_trunc('quarter', cast(date_day as timestamp)) as date) as quarter,
        extract(isodow from date_day) in (6, 7) as is_weekend
    from days
)

select * from final
