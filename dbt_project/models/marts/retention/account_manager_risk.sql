with customers as (
    select * from {{ ref('dim_customer') }}
    where stage not in ('closed', 'prospect', 'churned')
),

versions as (
    select * from {{ ref('stg_customers_versions') }}
),

account_managers as (
    select
        account_manager_key,
        case when left_on <= {{ as_of_date() }} then left_on end as left_on
    from {{ ref('dim_account_manager') }}
),

-- a manager who has left stands for everybody who has not ordered since from somebody else's hands
attributed as (
    select
        customers.*,
        coalesce(who_left.account_manager_key, customers.account_manager_key) as responsible_key,
        coalesce(who_left.account_manager_key <> customers.account_manager_key, false) as is_handed_over
    from customers
    left join versions
        on
            customers.customer_key = versions.customer_key
            and customers.last_order_on >= versions.valid_from
            and (customers.last_order_on < versions.valid_to or versions.valid_to is null)
    left join account_managers as who_left
        on
            versions.account_manager_key = who_left.account_manager_key
            and who_left.left_on is not null
),

totals as (
    select
        responsible_key as account_manager_key,
        business_line,
        count(*) as customers,
        sum(case when is_handed_over then 1 else 0 end) as customers_handed_over,
        sum(case when {{ is_key_tier('value_tier') }} then 1 else 0 end) as key_customers,
        sum(case when stage = 'at_risk' then 1 else 0 end) as customers_at_risk,
        sum(revenue_12m) as revenue_12m,
        sum(value_12m) as value_12m
    from attributed
    group by 1, 2
),

final as (
    select
        totals.account_manager_key,
        totals.business_line,
        account_managers.left_on is not null as has_left,
        account_managers.left_on,
        {{ as_of_date() }} - account_managers.left_on as days_since_left,
        totals.customers,
        cast(totals.customers_handed_over as bigint) as customers_handed_over,
        cast(totals.key_customers as bigint) as key_customers,
        cast(totals.customers_at_risk as bigint) as customers_at_risk,
        totals.revenue_12m,
        totals.value_12m,
        totals.value_12m / nullif(sum(totals.value_12m) over (partition by totals.business_line), 0) as share_of_line,
        case
            when totals.account_manager_key = '-1' then 'assign'
            when account_managers.left_on is not null and totals.customers_handed_over < totals.customers
                then 'hand_over'
            when account_managers.left_on is not null then 'introduce'
            when totals.customers_at_risk > 0 then 'call'
        end as next_step
    from totals
    inner join account_managers on totals.account_manager_key = account_managers.account_manager_key
)

select * from final
