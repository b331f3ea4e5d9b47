{% set period = ['month', 'period_ends_on', 'is_complete'] %}

with months as (
    select * from {{ ref('retention_months') }}
),

regions as (
    select * from {{ ref('dim_region_rollup') }}
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
        {%- else -%}
            sum(months.{{ name }}) as {{ name }}
        {%- endif %}{{ ',' if not loop.last }}
    {% endfor %}
    from months
    inner join regions on months.region_key = regions.region_key
    group by
        months.month,
        months.period_ends_on,
        months.is_complete,
        regions.ancestor_region_key,
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
