{{ config(materialized="view") }}

{# A build that goes on works out the rows that may differ from those in the standby. #}
with periods as not materialized (
    select * from {{ ref('int_periods') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

policies as (
    select * from {{ ref('policies') }}
),

data_begins as (
    select * from {{ ref('int_data_begins') }}
    where build_id = {{ var('build_id') }}
),

activity as (
{% for grain, starts_on, ends_on in [
    ('month', month_start('customer_days.day'), month_end('customer_days.day')),
    ('quarter', quarter_start('customer_days.day'), quarter_end('customer_days.day')),
    ('week', week_start('customer_days.day'), week_start('customer_days.day') ~ ' + 6'),
] %}
        select
            customer_days.customer_key,
            '{{ grain }}' as grain,
            {{ starts_on }} as starts_on,
            cast(sum(customer_days.orders) as integer) as orders,
            cast(sum(customer_days.orders_promised) as integer) as orders_promised,
            cast(sum(customer_days.orders_on_time) as integer) as orders_on_time,
            sum(customer_days.revenue) as revenue,
            cast(sum(customer_days.complaints) as integer) as complaints
        from {{ ref('int_customer_days') }} as customer_days
        {{ with_changes_since_standby('customer_days.customer_key') }}
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

ends as (
    select
        evenings.customer_key,
        periods.*,
        evenings.region_key,
        evenings.account_manager_key,
        evenings.stage,
        evenings.is_live,
        evenings.tier,
        evenings.value_tier,
        evenings.value_12m,
        evenings.orders_12m,
        evenings.revenue_12m,
        evenings.cost_12m,
        evenings.bridge_revenue,
        evenings.first_order_on,
        evenings.last_order_on
    from {{ ref('int_customer_evenings') }} as evenings
    inner join periods on evenings.day = periods.period_ends_on
    {{ with_changes_since_standby('evenings.customer_key') }}
    where {{ of_changed_periods('periods.ends_on') }}

    union all

    -- the unknown member has no evenings; only rows of the very same types PostgreSQL joins in parallel with others
    select
        '-1' as customer_key,
        periods.*,
        '-1' as region_key,
        '-1' as account_manager_key,
        null as stage,
        false as is_live,
        'none' as tier,
        'none' as value_tier,
        cast(0 as numeric) as value_12m,
        0 as orders_12m,
        cast(0 as numeric) as revenue_12m,
        null as cost_12m,
        null as bridge_revenue,
        null as first_order_on,
        null as last_order_on
    from periods
    {{ with_changes_since_standby("'-1'") }}
    where {{ of_changed_periods('periods.ends_on') }}
),

starts as (
    select
        evenings.*,
        periods.grain,
        periods.starts_on
    from {{ ref('int_customer_evenings') }} as evenings
    inner join periods on evenings.day = periods.evening_before
    {{ with_changes_since_standby('evenings.customer_key') }}
    where {{ of_changed_periods('periods.ends_on') }}
),

both_ends as (
    select
        ends.customer_key,
        customers.business_line,
        ends.region_key,
        ends.account_manager_key,
        coalesce(start_versions.region_key, '-1') as start_region_key,
        coalesce(start_versions.account_manager_key, '-1') as start_account_manager_key,
        ends.grain,
        ends.starts_on,
        ends.ends_on,
        ends.period_ends_on,
        ends.evening_before,
        ends.is_complete,
        coalesce(activity.orders, 0) as orders,
        coalesce(activity.orders_promised, 0) as orders_promised,
        coalesce(activity.orders_on_time, 0) as orders_on_time,
        coalesce(activity.revenue, 0) as revenue,
        coalesce(activity.complaints, 0) as complaints,
        ends.stage,
        ends.is_live as is_live_at_end,
        ends.tier,
        ends.value_tier,
        ends.value_12m,
        ends.orders_12m,
        ends.revenue_12m,
        ends.cost_12m,
        ends.bridge_revenue,
        ends.first_order_on,
        ends.last_order_on,
        starts.last_order_on as start_last_order_on,
        -- who had not been seen by then had not ordered by then
        case when ends.customer_key <> '-1' then coalesce(starts.stage, 'prospect') end as start_stage,
        coalesce(starts.is_live, false) as is_live_at_start,
        starts.tier as start_tier,
        coalesce(starts.value_tier, 'none') as start_value_tier,
        coalesce(starts.bridge_revenue, 0) as start_bridge_revenue,
        data_begins.data_begin_on,
        policies.bridge_months,
        coalesce(
            ends.is_complete
            and data_begins.data_begin_on <= ends.evening_before - policies.churn_days + 1,
            false
        ) as is_churn_rate_defined
    from ends
    inner join customers on ends.customer_key = customers.customer_key
    left join starts
        on
            ends.customer_key = starts.customer_key
            and ends.grain = starts.grain
            and ends.starts_on = starts.starts_on
    -- a source may know customers before they are first seen
    left join {{ ref('stg_customers_versions') }} as start_versions
        on
            ends.customer_key = start_versions.customer_key
            and ends.evening_before >= start_versions.valid_from
            and (ends.evening_before < start_versions.valid_to or start_versions.valid_to is null)
    left join activity
        on
            ends.customer_key = activity.customer_key
            and ends.grain = activity.grain
            and ends.starts_on = activity.starts_on
    left join policies on customers.policy = policies.policy
    left join data_begins on customers.business_line = data_begins.business_line
    where ends.customer_key <> '-1' or activity.customer_key is not null
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
