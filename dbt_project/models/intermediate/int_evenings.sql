with periods as (
    select * from {{ ref('int_periods') }}
),

evenings as (
    select period_ends_on as day from periods
    union
    select evening_before as day from periods
),

final as (
    select
        evenings.day,
        -- the evening before the trailing year
        cast(evenings.day + 1 - interval '{{ var("trailing_months") }} months' as date) - 1 as year_before,
        {% if goes_on() %}
            not exists (
                select 1 from {{ this }} as evenings_before
                where evenings_before.day = evenings.day
            )
        {% else %}
            true
        {% endif %} as is_new
    from evenings
)

select * from final
