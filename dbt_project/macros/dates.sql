{# What differs between engines when it comes to days stands here and nowhere else. #}

{% macro as_of_date() -%}
    cast('{{ var("as_of_date") }}' as date)
{%- endmacro %}

{# The business day of a moment: its date in the business time zone. #}
{% macro business_day(moment) -%}
    cast({{ moment }} at time zone '{{ var("business_time_zone") }}' as date)
{%- endmacro %}

{% macro month_start(day) -%}
    cast(date_trunc('month', cast({{ day }} as timestamp)) as date)
{%- endmacro %}

{% macro month_end(day) -%}
    cast(date_trunc('month', cast({{ day }} as timestamp)) + interval '1 month' - interval '1 day' as date)
{%- endmacro %}

{% macro quarter_start(day) -%}
    cast(date_trunc('quarter', cast({{ day }} as timestamp)) as date)
{%- endmacro %}

{% macro quarter_end(day) -%}
    cast(date_trunc('quarter', cast({{ day }} as timestamp)) + interval '3 months' - interval '1 day' as date)
{%- endmacro %}

{# The evening that many months before a month's end: a month's end, too. #}
{% macro months_before_end(day, months) -%}
    cast({{ day }} + 1 - {{ months }} * interval '1 month' as date) - 1
{%- endmacro %}

{# The first day of the trailing months that end with a day. #}
{% macro trailing_start(day) -%}
    cast({{ day }} + 1 - interval '{{ var("trailing_months") }} months' as date)
{%- endmacro %}

{# The Monday of the ISO week. #}
{% macro week_start(day) -%}
    cast(date_trunc('week', cast({{ day }} as timestamp)) as date)
{%- endmacro %}

{# The number of the month, counted on over the years, so that two of them can be subtracted. #}
{% macro month_number(day) -%}
    cast(extract(year from {{ day }}) * 12 + extract(month from {{ day }}) as integer)
{%- endmacro %}

{# The first day of the month of that number. #}
{% macro month_of_number(number) -%}
    make_date(({{ number }} - 1) / 12, ({{ number }} - 1) % 12 + 1, 1)
{%- endmacro %}

{# One timestamp per step from the first day to the last, both included; for a from clause. #}
{% macro day_series(first_day, last_day, step) -%}
    generate_series(cast({{ first_day }} as timestamp), cast({{ last_day }} as timestamp), interval '{{ step }}')
{%- endmacro %}

{# Whole and part hours from one moment to the next. #}
{% macro hours_between(earlier, later) -%}
    (extract(epoch from {{ later }} - {{ earlier }}) / 3600)
{%- endmacro %}

{# Values that stand at the places, in a sorted array of days, of those from one day until another; until the last where
   there is no other. PostgreSQL reckons with ten for each, with a thousand of a series of places. #}
{% macro at_places(values, from_day, until_day, days) -%}
    unnest({{ values }}[
        width_bucket({{ from_day }} - 1, {{ days }}) + 1:
        coalesce(width_bucket({{ until_day }} - 1, {{ days }}), cardinality({{ days }}))
    ])
{%- endmacro %}

{# Whether people work on a day: the calendar knows holidays and the days worked in exchange, else the weekday decides. #}
{% macro is_workday(day, holidays) -%}
    coalesce({{ holidays }}.is_workday, extract(isodow from {{ day }}) not in (6, 7))
{%- endmacro %}

{# Hours of opening on the workdays of a calendar until a moment; `calendar` is the row of the moment's day. #}
{% macro working_hours_until(moment, calendar) -%}
    {%- set opens = "time '" ~ var('opens_at') ~ "'" -%}
    {%- set closes = "time '" ~ var('closes_at') ~ "'" -%}
    {%- set now = 'cast(' ~ moment ~ " at time zone '" ~ var('business_time_zone') ~ "' as time)" -%}
    (
        {{ calendar }}.workdays_before * extract(epoch from {{ closes }} - {{ opens }})
        + case
            when {{ calendar }}.is_workday
                then extract(epoch from greatest(least({{ now }}, {{ closes }}), {{ opens }}) - {{ opens }})
            else 0
        end
    ) / 3600
{%- endmacro %}

{# The moment at which the as-of date is over. #}
{% macro end_of_day() -%}
    (cast({{ as_of_date() }} + 1 as timestamp) at time zone '{{ var("business_time_zone") }}')
{%- endmacro %}

{# Whether a row of the calendar is the day of an occasion that is kept by the solar or the lunar calendar: the last day
   where the month is shorter this year. A leap month of the lunar calendar has none, as the month before it had it. #}
{% macro falls_on(days, calendar, month, day) -%}
    case {{ calendar }}
        when 'lunar'
            then
                not {{ days }}.is_leap_month
                and {{ days }}.lunar_month = {{ month }}
                and ({{ days }}.lunar_day = {{ day }} or ({{ days }}.is_last_of_month and {{ days }}.lunar_day < {{ day }}))
        else
            extract(month from {{ days }}.day) = {{ month }}
            and (
                extract(day from {{ days }}.day) = {{ day }}
                or ({{ days }}.day = {{ month_end(days ~ '.day') }} and extract(day from {{ days }}.day) < {{ day }})
            )
    end
{%- endmacro %}
