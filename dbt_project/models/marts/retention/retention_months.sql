with customer_months as (
    select * from {{ ref('customer_months') }}
),

totals as (
    select
        month,
        period_ends_on,
        is_complete,
        business_line,
        start_region_key as region_key,
        start_value_tier as value_tier,
        sum(customers_start) as customers_start,
        sum(customers_closed) as customers_closed,
        sum(churn_base) as churn_base,
        sum(customers_churned) as customers_churned,
        sum(customers_new) as customers_new,
        sum(customers_reactivated) as customers_reactivated,
        sum(customers_end) as customers_end,
        sum(churn_members) as churn_members,
        sum(orders) as orders,
        sum(revenue) as revenue,
        sum(revenue_at_risk) as revenue_at_risk,
        sum(lost_revenue) as lost_revenue,
        sum(complaints) as complaints
    from customer_months
    group by 1, 2, 3, 4, 5, 6
),

final as (
    select
        month,
        period_ends_on,
        is_complete,
        business_line,
        region_key,
        value_tier,
        customers_start,
        customers_closed,
        churn_base,
        customers_churned,
        customers_new,
        customers_reactivated,
        customers_end,
        churn_members,
        {{ churn_rate() }} as churn_rate,
        1 - {{ churn_rate() }} as retention_rate,
        orders,
        revenue,
        revenue_at_risk,
        lost_revenue,
        complaints
    from totals
)

select * from final
