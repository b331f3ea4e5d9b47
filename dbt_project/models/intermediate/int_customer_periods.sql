{{ config(materialized="view") }}

{# A build that goes on works out the rows that may differ from those in the standby. #}
with periods as (
    select * from {{ ref('int_periods') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

versions as (
    select * from {{ ref('stg_customers_versions') }}
),

policies as (
    select * from {{ ref('policies') }}
),

data_begins as (
    select * from {{ ref('int_data_begins') }}
    where build_id = {{ var('build_id') }}
),

customer_periods as (
    select
        customers.*,
        periods.grain,
        periods.starts_on,
        periods.ends_on,
        periods.period_ends_on,
        periods.evening_before,
        periods.is_complete
    from customers
    inner join periods on customers.first_seen_on <= periods.period_ends_on
    where {{ of_changed_periods('periods.ends_on', 'customers.customer_key') }}
),

activity as (
{% for grain, starts_on, ends_on in [
    ('month', month_start('day'), month_end('day')),
    ('quarter', quarter_start('day'), quarter_end('day')),
    ('week', week_start('day'), week_start('day') ~ ' + 6'),
] %}
        select
            customer_key,
            '{{ grain }}' as grain,
            {{ starts_on }} as starts_on,
            cast(sum(orders) as integer) as orders,
            cast(sum(orders_promised) as integer) as orders_promised,
            cast(sum(orders_on_time) as integer) as orders_on_time,
            sum(revenue) as revenue,
            cast(sum(complaints) as integer) as complaints
        from {{ ref('int_customer_days') }}
        where
            {% if grain == 'week' %}
                {{ starts_on }} in {{ kept_weeks() }}
                and
            {% endif %}
            {{ of_changed_periods(ends_on) }}
        group by 1, 2, 3
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

both_ends as (
    select
        customer_periods.customer_key,
        customer_periods.business_line,
        coalesce(end_versions.region_key, '-1') as region_key,
        coalesce(end_versions.account_manager_key, '-1') as account_manager_key,
        coalesce(start_versions.region_key, '-1') as start_region_key,
        coalesce(start_versions.account_manager_key, '-1') as start_account_manager_key,
        customer_periods.grain,
        customer_periods.starts_on,
        customer_periods.ends_on,
        customer_periods.period_ends_on,
        customer_periods.evening_before,
        customer_periods.is_complete,
        coalesce(activity.orders, 0) as orders,
        coalesce(activity.orders_promised, 0) as orders_promised,
        coalesce(activity.orders_on_time, 0) as orders_on_time,
        coalesce(activity.revenue, 0) as revenue,
        coalesce(activity.complaints, 0) as complaints,
        at_end.stage,
        coalesce(at_end.is_live, false) as is_live_at_end,
        coalesce(at_end.tier, 'none') as tier,
        coalesce(at_end.value_tier, 'none') as value_tier,
        coalesce(at_end.value_12m, 0) as value_12m,
        coalesce(at_end.orders_12m, 0) as orders_12m,
        coalesce(at_end.revenue_12m, 0) as revenue_12m,
        at_end.cost_12m,
        at_end.bridge_revenue,
        at_end.first_order_on,
        at_end.last_order_on,
        at_start.last_order_on as start_last_order_on,
        -- who had not been seen by then had not ordered by then
        case
            when customer_periods.customer_key <> '-1' then coalesce(at_start.stage, 'prospect')
        end as start_stage,
        coalesce(at_start.is_live, false) as is_live_at_start,
        at_start.tier as start_tier,
        coalesce(at_start.value_tier, 'none') as start_value_tier,
        coalesce(at_start.bridge_revenue, 0) as start_bridge_revenue,
        data_begins.data_begin_on,
        policies.bridge_months,
        coalesce(
            customer_periods.is_complete
            and data_begins.data_begin_on <= customer_periods.evening_before - policies.churn_days + 1,
            false
        ) as is_churn_rate_defined
    from customer_periods
    left join activity
        on
            customer_periods.customer_key = activity.customer_key
            and customer_periods.grain = activity.grain
            and customer_periods.starts_on = activity.starts_on
    left join {{ ref('int_customer_evenings') }} as at_end
        on
            customer_periods.customer_key = at_end.customer_key
            and customer_periods.period_ends_on = at_end.day
    left join {{ ref('int_customer_evenings') }} as at_start
        on
            customer_periods.customer_key = at_start.customer_key
            and customer_periods.evening_before = at_start.day
    left join versions as end_versions
        on
            customer_periods.customer_key = end_versions.customer_key
            and customer_periods.period_ends_on >= end_versions.valid_from
            and (customer_periods.period_ends_on < end_versions.valid_to or end_versions.valid_to is null)
    left join versions as start_versions
        on
            customer_periods.customer_key = start_versions.customer_key
            and customer_periods.evening_before >= start_versions.valid_from
            and (customer_periods.evening_before < start_versions.valid_to or start_versions.valid_to is null)
    left join policies on customer_periods.policy = policies.policy
    left join data_begins on customer_periods.business_line = data_begins.business_line
    where customer_periods.customer_key <> '-1' or activity.customer_key is not null
),

counted as (
    select
        *,
        is_live_at_start and stage = 'closed' as is_closed,
        is_live_at_start and stage = 'churned' as is_churned,
        is_live_at_end and first_order_on > evening_before as is_new,
        is_live_at_end and not is_live_at_start and first_order_on <= evening_before as is_reactivated
    from both_ends
),

final as (
    select
        customer_key,
        grain,
        starts_on,
        ends_on,
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
        bridge_revenue,
        start_stage,
        start_tier,
        start_value_tier,
        start_bridge_revenue,
        first_order_on,
        last_order_on,
        start_last_order_on,
        data_begin_on,
        bridge_months,
        start_region_key,
        start_account_manager_key,
        is_churn_rate_defined,
        case when is_live_at_start then 1 else 0 end as customers_start,
        case when is_closed then 1 else 0 end as customers_closed,
        case when is_churned then 1 else 0 end as customers_churned,
        case when is_new then 1 else 0 end as customers_new,
        case when is_reactivated then 1 else 0 end as customers_reactivated,
        case when is_live_at_end then 1 else 0 end as customers_end,
        case when is_churn_rate_defined and is_live_at_start and not is_closed then 1 else 0 end as churn_base,
        case when is_churn_rate_defined and is_churned then 1 else 0 end as churn_members,
        case
            when not is_churn_rate_defined then null
            when is_churned then value_12m
            else 0
        end as lost_revenue,
        case when stage = 'at_risk' then value_12m else 0 end as revenue_at_risk
    from counted
)

select * from final
