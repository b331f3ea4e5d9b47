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
        sum(months.revenue) as revenue,
        sum(months.revenue_at_risk) as revenue_at_risk,
        sum(months.lost_revenue) as lost_revenue,
        cast(sum(months.customers_start) as bigint) as customers_start,
        cast(sum(months.customers_closed) as bigint) as customers_closed,
        cast(sum(months.churn_base) as bigint) as churn_base,
        cast(sum(months.customers_churned) as bigint) as customers_churned,
        cast(sum(months.customers_new) as bigint) as customers_new,
        cast(sum(months.customers_reactivated) as bigint) as customers_reactivated,
        cast(sum(months.customers_end) as bigint) as customers_end,
        cast(sum(months.churn_members) as bigint) as churn_members,
        cast(sum(months.orders) as bigint) as orders,
        cast(sum(months.complaints) as bigint) as complaints
    from months
    inner join regions on months.region_key = regions.region_key
    group by
        months.month,
        months.period_ends_on,
        months.is_complete,
        regions.ancestor_region_key,
        cube (months.business_line, months.value_tier)
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
