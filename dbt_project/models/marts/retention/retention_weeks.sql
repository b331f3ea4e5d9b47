{% set period = ['week_starts_on', 'week_ends_on', 'period_ends_on', 'is_complete'] %}

with customer_weeks as (
    select * from {{ ref('customer_weeks') }}
),

totals as (
    {{ retention_totals('customer_weeks', 'week', period) }}
),

final as (
    select
        {{ (period + ['business_line', 'region_key', 'value_tier'] + retention_columns('week')) | join(', ') }},
        {{ retention_rate_columns('week') }}
    from totals
)

select * from final
