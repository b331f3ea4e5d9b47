with days as (
    select
        coalesce(min(first_active_on), {{ as_of_date() }}) as first_day,
        -- the Monday of the last week that is complete
        {{ week_start(as_of_date() ~ ' + 1') }} - 7 as last_complete_week
    from {{ ref('int_customers') }}
),

months as (
    select
        'month' as grain,
        {{ month_start('series.day') }} as starts_on,
        {{ month_end('series.day') }} as ends_on
    from days
    cross join lateral {{ day_series(month_start('days.first_day'), as_of_date(), '1 month') }} as series (day)
),

quarters as (
    select
        'quarter' as grain,
        {{ quarter_start('series.day') }} as starts_on,
        {{ quarter_end('series.day') }} as ends_on
    from days
    cross join lateral {{ day_series(quarter_start('days.first_day'), as_of_date(), '3 months') }} as series (day)
),

weeks as (
    select
        'week' as grain,
        cast(series.day as date) as starts_on,
        cast(series.day as date) + 6 as ends_on
    from days
    cross join lateral {{ day_series(
        "days.last_complete_week - 7 * (" ~ var("weeks_kept") ~ " - 1)", as_of_date(), '7 days'
    ) }} as series (day)
    where cast(series.day as date) + 6 >= days.first_day

    union
    -- the last complete week is held against the one of a year ago, if the data cover all of it
    select
        'week' as grain,
        days.last_complete_week - 7 * 52 as starts_on,
        days.last_complete_week - 7 * 52 + 6 as ends_on
    from days
    where days.last_complete_week - 7 * 52 >= days.first_day
),

periods as (
    select * from months
    union all
    select * from quarters
    union all
    select * from weeks
),

final as (
    select
        grain,
        starts_on,
        ends_on,
        starts_on - 1 as evening_before,
        least(ends_on, {{ as_of_date() }}) as period_ends_on,
        ends_on <= {{ as_of_date() }} as is_complete,
        {% if marts_go_on() %}
            ends_on > {{ standby_date() }}
            or (
                grain = 'week'
                and starts_on = (
                    select days.last_complete_week - 7 * 52 from days
                    where days.last_complete_week <> {{ week_start(standby_date() ~ ' + 1') }} - 7
                )
            )
        {% else %}
            true
        {% endif %} as is_new
    from periods
)

select * from final
