{{ config(
    materialized="incremental",
    incremental_strategy="by_quarter",
    indexes=[{"columns": ["customer_key"]}],
) }}

-- depends_on: {{ ref('int_restated_customers') }}
-- depends_on: {{ ref('int_retiered_customers') }}
-- depends_on: {{ ref('int_data_begins') }}
-- depends_on: {{ ref('int_periods') }}
with periods as (
    select * from {{ ref('int_customer_periods') }}
    where grain = 'quarter'
),

final as (
    select
        customer_key,
        starts_on as quarter,
        period_ends_on,
        is_complete,
        business_line,
        region_key,
        account_manager_key,
        orders,
        orders_promised,
        orders_on_time,
        revenue,
        complaints,
        stage,
        tier,
        value_tier,
        value_12m,
        start_stage,
        start_value_tier,
        start_region_key,
        start_account_manager_key,
        is_churn_rate_defined,
        customers_start,
        customers_closed,
        customers_churned,
        customers_new,
        customers_reactivated,
        customers_end,
        churn_base,
        churn_members,
        lost_revenue,
        revenue_at_risk
    from periods
)

select * from final
