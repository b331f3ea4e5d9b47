with signals as (
    select * from {{ ref('int_signals') }}
),

customer_days as (
    select * from {{ ref('int_customer_days') }}
),

policies as (
    select * from {{ ref('policies') }}
),

tiers as (
    select * from {{ ref('int_tiers') }}
),

verdicts as (
    select
        customer_key,
        day,
        bool_or(outcome = 'churned') as is_churned,
        bool_or(outcome = 'at_risk') as is_at_risk
    from {{ ref('int_rule_hits') }}
    group by 1, 2
),

-- the stages that do not look at how the customer came back
judged as (
    select
        signals.*,
        case
            when signals.closing = 'natural' then 'closed'
            when signals.last_order_on is null then 'prospect'
            when signals.closing = 'other' or verdicts.is_churned then 'churned'
            when verdicts.is_at_risk then 'at_risk'
        end as verdict
    from signals
    left join verdicts
        on
            signals.customer_key = verdicts.customer_key
            and signals.day = verdicts.day
),

reactivations as (
    select
        customer_key,
        day + 1 as reactivated_on
    from judged
    where
        is_eve_of_order
        and verdict = 'churned'
),

last_reactivations as (
    select
        judged.customer_key,
        judged.day,
        max(reactivations.reactivated_on) as last_reactivated_on
    from judged
    inner join reactivations
        on
            judged.customer_key = reactivations.customer_key
            and judged.day >= reactivations.reactivated_on
    where judged.is_period_end
    group by 1, 2
),

staged as (
    select
        judged.*,
        case
            when judged.verdict is not null then judged.verdict
            when judged.day - last_reactivations.last_reactivated_on < policies.won_back_days then 'won_back'
            when judged.day - judged.first_order_on < policies.new_days then 'new'
            else 'active'
        end as stage
    from judged
    left join policies on judged.policy = policies.policy
    left join last_reactivations
        on
            judged.customer_key = last_reactivations.customer_key
            and judged.day = last_reactivations.day
    where judged.is_period_end
),

final as (
    select
        staged.customer_key,
        staged.day,
        staged.first_order_on,
        staged.last_order_on,
        staged.days_since_last_order,
        staged.orders_12m,
        staged.revenue_12m,
        staged.stage,
        staged.stage not in ('closed', 'prospect', 'churned') as is_live,
        coalesce(tiers.tier, 'none') as tier,
        coalesce(value_tiers.tier, 'none') as value_tier,
        coalesce(
            last_orders.revenue_12m + staged.revenue_to_date - last_orders.revenue_to_date, 0
        ) as value_12m
    from staged
    left join tiers
        on
            staged.customer_key = tiers.customer_key
            and {{ month_start('staged.day + 1') }} - 1 = tiers.day
    left join tiers as value_tiers
        on
            staged.customer_key = value_tiers.customer_key
            and least({{ month_end('staged.last_order_on') }}, staged.day) = value_tiers.day
    left join customer_days as last_orders
        on
            staged.customer_key = last_orders.customer_key
            and staged.last_order_on = last_orders.day
)

select * from final
