{# An evening is ranked anew if it is new, or if anybody's figure, line or closing differs from when it was ranked. #}
with evenings as (
    select * from {{ ref('int_evenings') }}
),

{% if goes_on() %}
    figures as (
        select
            customer_key,
            day,
            business_line,
            revenue_12m
        from {{ ref('int_rankable_evenings') }}
        where {{ of_restated_customers() }}
    ),

    figures_before as (
        select
            customer_key,
            day,
            business_line,
            revenue_12m
        from {{ as_of_base('int_tiers') }}
        where {{ of_restated_customers() }}
    ),

    changed as (
        select coalesce(figures.day, figures_before.day) as day
        from figures
        full outer join figures_before
            on
                figures.customer_key = figures_before.customer_key
                and figures.day = figures_before.day
        where
            (figures.business_line, figures.revenue_12m)
            is distinct from (figures_before.business_line, figures_before.revenue_12m)
    ),
{% endif %}

final as (
    select day from evenings
    where is_new
    {% if goes_on() %}
        union
        select changed.day
        from changed
        inner join evenings on changed.day = evenings.day
    {% endif %}
)

select * from final
