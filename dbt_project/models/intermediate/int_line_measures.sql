-- What a business line is ranked by each evening: margin where the cost of enough of its revenue is known.
with costs as (
    select * from {{ ref('int_unit_costs') }}
),

evenings as (
    select * from {{ ref('int_evening_values') }}
    where exists (select 1 from costs)
),

customers as (
    select * from {{ ref('int_customers') }}
),

by_margin as (
    select
        customers.business_line,
        evenings.day
    from evenings
    inner join customers on evenings.customer_key = customers.customer_key
    group by 1, 2
    having
        sum(evenings.revenue_12m) > 0
        and sum(evenings.costed_revenue_12m) >= {{ var('margin_known_share') }} * sum(evenings.revenue_12m)
),

{% if goes_on() %}
    by_margin_before as (
        select * from {{ this }}
        where ranked_by = 'margin'
    ),
{% endif %}

final as (
    {% if goes_on() %}
        select
            coalesce(by_margin.business_line, by_margin_before.business_line) as business_line,
            coalesce(by_margin.day, by_margin_before.day) as day,
            case when by_margin.day is not null then 'margin' else 'revenue' end as ranked_by,
            (by_margin.day is null) <> (by_margin_before.day is null) as is_changed
        from by_margin
        full outer join by_margin_before
            on
                by_margin.business_line = by_margin_before.business_line
                and by_margin.day = by_margin_before.day
    {% else %}
        select
            business_line,
            day,
            'margin' as ranked_by,
            true as is_changed
        from by_margin
    {% endif %}
)

select * from final
