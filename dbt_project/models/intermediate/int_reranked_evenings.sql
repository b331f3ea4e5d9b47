{# A line's evening is ranked anew if it is new, or if the figure, line or closing of anybody in it differs from when
   it was ranked, or the measure is another; who has moved to another line concerns both. #}
with evenings as (
    select * from {{ ref('int_evenings') }}
),

lines as (
    select business_line from {{ ref('int_business_lines') }}
),

{% if goes_on() %}
    figures as (
        select
            customer_key,
            day,
            business_line,
            figure_12m
        from {{ ref('int_rankable_evenings') }}
        where {{ of_restated_customers(until='day', since='changed_on') }}
    ),

    figures_before as (
        select
            customer_key,
            day,
            business_line,
            figure_12m
        from {{ as_of_base('int_tiers') }}
        where {{ of_restated_customers(until='day', since='changed_on') }}
    ),

    changed as (
        select
            coalesce(figures.day, figures_before.day) as day,
            figures.business_line,
            figures_before.business_line as business_line_before
        from figures
        full outer join figures_before
            on
                figures.customer_key = figures_before.customer_key
                and figures.day = figures_before.day
        where
            (figures.business_line, figures.figure_12m)
            is distinct from (figures_before.business_line, figures_before.figure_12m)
    ),
{% endif %}

final as (
    select
        lines.business_line,
        evenings.day
    from evenings
    cross join lines
    where evenings.is_new
    {% if goes_on() %}
        union
        select
            lines.business_line,
            evenings.day
        from changed
        inner join evenings on changed.day = evenings.day
        inner join lines on lines.business_line in (changed.business_line, changed.business_line_before)
        union
        select
            business_line,
            day
        from {{ ref('int_line_measures') }}
        where is_changed
    {% endif %}
)

select * from final
