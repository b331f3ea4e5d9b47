{% set period = ['month', 'period_ends_on', 'is_complete'] %}
{# what some lines may know and others not: a sum over part of the lines, or of unlike spans, would say nothing #}
{% set told_by = {'margin_12m': 'has_margin'} %}
{% for name in bridge_money() %}
    {% do told_by.update({name: 'has_bridge'}) %}
{% endfor %}
{% for name in base_money() %}
    {% do told_by.update({name: 'has_base'}) %}
{% endfor %}

with months as (
    select * from {{ ref('retention_months') }}
),

regions as (
    select * from {{ ref('dim_region_rollup') }}
),

lines as (
    select
        months.month,
        months.business_line,
        policies.bridge_months,
        count(months.margin_12m) > 0 as has_margin,
        count(months.revenue_start) > 0 as has_bridge,
        count(months.base_revenue) > 0 as has_base
    from months
    left join {{ ref('int_business_lines') }} as business_lines on months.business_line = business_lines.business_line
    left join {{ ref('policies') }} as policies on business_lines.policy = policies.policy
    group by months.month, months.business_line, policies.bridge_months
),

-- of the lines whose customers brought anything there
told as (
    select
        months.month,
        regions.ancestor_region_key,
        coalesce(bool_and(lines.has_margin), true) as has_margin,
        coalesce(bool_and(lines.has_bridge), true) and count(distinct lines.bridge_months) <= 1 as has_bridge,
        coalesce(bool_and(lines.has_base), true) as has_base
    from months
    inner join regions on months.region_key = regions.region_key
    left join lines
        on
            months.month = lines.month
            and months.business_line = lines.business_line
            and months.revenue_12m <> 0
    group by months.month, regions.ancestor_region_key
),

totals as (
    select
        months.month,
        months.period_ends_on,
        months.is_complete,
        regions.ancestor_region_key as region_key,
        case when grouping(months.business_line) = 1 then 'all' else months.business_line end as business_line,
        case when grouping(months.value_tier) = 1 then 'all' else months.value_tier end as value_tier,
    {% for name in retention_columns('month') -%}
        {% if name in retention_counts('month') -%}
            cast(sum(months.{{ name }}) as bigint) as {{ name }}
        {%- elif name in told_by -%}
            case
                when grouping(months.business_line) = 0 or told.{{ told_by[name] }} then sum(months.{{ name }})
            end as {{ name }}
        {%- else -%}
            sum(months.{{ name }}) as {{ name }}
        {%- endif %}{{ ',' if not loop.last }}
    {% endfor %}
    from months
    inner join regions on months.region_key = regions.region_key
    inner join told
        on
            months.month = told.month
            and regions.ancestor_region_key = told.ancestor_region_key
    group by
        months.month,
        months.period_ends_on,
        months.is_complete,
        regions.ancestor_region_key,
        told.has_margin,
        told.has_bridge,
        told.has_base,
        cube (months.business_line, months.value_tier)
),

shared as (
    select
        *,
        {{ all_tiers() }}
    from totals
),

final as (
    select
        {{ (period + ['business_line', 'region_key', 'value_tier'] + retention_columns('month')) | join(', ') }},
        all_tiers_customers,
        all_tiers_revenue_12m,
        all_tiers_margin_12m,
        {{ retention_rate_columns('month') }}
    from shared
)

select * from final
