with customers as (
    select * from {{ ref('int_customers') }}
),

stages as (
    select * from {{ ref('int_stages') }}
    where day = {{ as_of_date() }}
),

final as (
    select
        customers.customer_key,
        customers.source_id,
        customers.customer_id,
        customers.kind,
        customers.business_line,
        customers.policy,
        customers.region_key,
        customers.account_manager_key,
        customers.registered_on,
        customers.do_not_contact,
        stages.first_order_on,
        stages.last_order_on,
        stages.days_since_last_order,
        stages.orders_12m,
        stages.revenue_12m,
        coalesce(stages.tier, 'none') as tier,
        coalesce(stages.value_tier, 'none') as value_tier,
        coalesce(stages.value_12m, 0) as value_12m,
        stages.stage,
        customers.closed_on
    from customers
    left join stages on customers.customer_key = stages.customer_key
)

select * from final
