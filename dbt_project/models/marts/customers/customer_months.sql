{# Its rows are wide, and PostgreSQL would sort them for each join, as it takes them for more than they are. #}
{{ config(
    materialized="incremental",
    incremental_strategy="by_month",
    indexes=[{"columns": ["customer_key"]}],
    meta={"joins_hash": true},
) }}

-- depends_on: {{ ref('int_restated_customers') }}
-- depends_on: {{ ref('int_retiered_customers') }}
-- depends_on: {{ ref('int_data_begins') }}
-- depends_on: {{ ref('int_periods') }}
with periods as (
    select
        *,
        {{ months_before_end('ends_on', var('trailing_months')) }} as year_ago,
        customer_key <> '-1'
        and is_complete
        and data_begin_on <= starts_on - bridge_months * interval '1 month' as is_bridge_defined,
        customer_key <> '-1' and is_complete and data_begin_on <= {{ trailing_start('ends_on') }} as has_trailing_year,
        customer_key <> '-1'
        and is_complete
        and data_begin_on <= {{ trailing_start(months_before_end('ends_on', var('trailing_months'))) }} as has_base_year
    from {{ ref('int_customer_periods') }}
    where grain = 'month'
),

-- what a customer brought within the bridge's months was positive for the first time
first_paid as (
    select
        customer_key,
        min(day) as day
    from {{ ref('int_customer_evenings') }}
    where
        bridge_revenue > 0
        and day = {{ month_end('day') }}
    group by 1
),

last_orders as (
    select * from {{ ref('int_last_orders') }}
),

bridged as (
    select
        periods.*,
        last_orders.order_key as start_order_key,
        last_orders.channel as start_channel,
        case
            when periods.is_bridge_defined is not true then null
            when periods.start_bridge_revenue <= 0 and periods.bridge_revenue > 0
                then case when first_paid.day = periods.ends_on then 'new' else 'reactivated' end
            when periods.start_bridge_revenue > 0 and periods.bridge_revenue <= 0 then 'lapsed'
            when periods.bridge_revenue > periods.start_bridge_revenue then 'expansion'
            when periods.bridge_revenue < periods.start_bridge_revenue then 'contraction'
            else 'flat'
        end as bridge_class,
        base.revenue_12m as base_revenue,
        base.value_tier as base_value_tier,
        base.region_key as base_region_key,
        base.first_order_on < {{ trailing_start('base.day') }} as is_established
    from periods
    left join first_paid on periods.customer_key = first_paid.customer_key
    left join last_orders
        on
            periods.customer_key = last_orders.customer_key
            and periods.start_last_order_on = last_orders.day
            and periods.churn_base = 1
    left join {{ ref('int_customer_evenings') }} as base
        on
            periods.customer_key = base.customer_key
            and periods.year_ago = base.day
            and periods.has_base_year
            and base.revenue_12m > 0
),

final as (
    select
        customer_key,
        starts_on as month,
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
        orders_12m,
        revenue_12m,
        cost_12m,
        start_stage,
        start_tier,
        start_value_tier,
        start_region_key,
        start_account_manager_key,
        start_order_key,
        start_channel,
        {{ month_start('first_order_on') }} as cohort_month,
        last_order_on,
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
        revenue_at_risk,
        case when has_trailing_year and orders_12m > 0 then 1 else 0 end as customers_12m,
        case when has_trailing_year and orders_12m > 1 then 1 else 0 end as customers_repeat_12m,
        bridge_class,
        case when is_bridge_defined then start_bridge_revenue end as revenue_start,
        case when is_bridge_defined then bridge_revenue end as revenue_end,
        case when is_bridge_defined then bridge_revenue - start_bridge_revenue end as bridge_amount,
        base_revenue,
        base_value_tier,
        base_region_key,
        is_established
    from bridged
)

select * from final
