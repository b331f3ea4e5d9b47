{% set period = ['month', 'period_ends_on', 'is_complete'] %}
{% set keys = period + ['business_line', 'region_key', 'value_tier'] %}
{% set matches = [] %}
{% for key in keys %}
    {% do matches.append('started.' ~ key ~ ' = based.' ~ key) %}
{% endfor %}

with contacted as (
    select distinct
        customer_key,
        {{ month_start('contacted_on') }} as month
    from {{ ref('int_contacts') }}
),

contacts_begin as (
    select
        customers.business_line,
        min(contacted.month) as month
    from contacted
    inner join {{ ref('int_customers') }} as customers on contacted.customer_key = customers.customer_key
    group by customers.business_line
),

customer_months as (
    select
        months.*,
        case
            when months.is_complete and months.month >= contacts_begin.month then months.customers_start
            else 0
        end as contact_base,
        case
            when months.is_complete and contacted.customer_key is not null then months.customers_start
            else 0
        end as customers_contacted,
        case
            when measures.ranked_by = 'margin' then months.revenue_12m - coalesce(months.cost_12m, 0)
        end as margin_12m
    from {{ ref('customer_months') }} as months
    left join contacts_begin on months.business_line = contacts_begin.business_line
    left join contacted
        on
            months.customer_key = contacted.customer_key
            and months.month = contacted.month
    left join {{ ref('int_line_measures') }} as measures
        on
            months.business_line = measures.business_line
            and months.period_ends_on = measures.day
),

started as (
    {{ retention_totals('customer_months', 'month', period) }}
),

-- by where they stood a year ago
based as (
    select
        {{ period | join(', ') }},
        business_line,
        base_region_key as region_key,
        base_value_tier as value_tier,
    {% for name, money in base_money().items() -%}
        sum({{ money }}) as {{ name }}{{ ',' if not loop.last }}
    {% endfor %}
    from {{ ref('customer_months') }}
    where base_revenue is not null
    group by {{ period | join(', ') }}, business_line, base_region_key, base_value_tier
),

totals as (
    select
        {% for key in keys -%}
            coalesce(started.{{ key }}, based.{{ key }}) as {{ key }},
        {% endfor -%}
        {% for name in retention_counts('month') -%}
            coalesce(started.{{ name }}, 0) as {{ name }},
        {% endfor -%}
        {% for name in retention_money('month') -%}
            {% if name in ['revenue', 'customer_revenue', 'revenue_at_risk', 'revenue_12m'] -%}
                coalesce(started.{{ name }}, 0) as {{ name }},
            {% else -%}
                started.{{ name }},
            {% endif -%}
        {% endfor -%}
    {% for name in base_money() -%}
        based.{{ name }}{{ ',' if not loop.last }}
    {% endfor %}
    from started
    full outer join based on {{ matches | join(' and ') }}
),

shared as (
    select
        *,
        {{ all_tiers() }}
    from totals
),

final as (
    select
        {{ (keys + retention_columns('month')) | join(', ') }},
        all_tiers_customers,
        all_tiers_revenue_12m,
        all_tiers_margin_12m,
        {{ retention_rate_columns('month') }}
    from shared
)

select * from final
