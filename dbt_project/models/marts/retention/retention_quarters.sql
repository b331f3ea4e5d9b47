{% set period = ['quarter', 'period_ends_on', 'is_complete'] %}

with customer_quarters as (
    select * from {{ ref('customer_quarters') }}
),

totals as (
    {{ retention_totals('customer_quarters', 'quarter', period) }}
),

final as (
    select
        {{ (period + ['business_line', 'region_key', 'value_tier'] + retention_columns('quarter')) | join(', ') }},
        {{ retention_rate_columns('quarter') }}
    from totals
)

select * from final
