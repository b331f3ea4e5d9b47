{{ config(
    materialized="incremental",
    incremental_strategy="by_restated_customer",
    indexes=[{"columns": ["customer_key"]}],
    meta={"lasts_until": "valid_to"},
) }}

{# A customer's life as a list of steps up and down: +1 where something begins to hold, -1 where it ends. Their sums
   say what holds on a day. #}
with customers as (
    select * from {{ ref('int_customers') }}
    where
        customer_key <> '-1'
        and {{ of_restated_customers() }}
),

policies as (
    select * from {{ ref('policies') }}
),

purchase_days as (
    select * from {{ ref('int_purchase_days') }}
    where {{ of_restated_customers() }}
),

flags as (
    select * from {{ ref('int_flags') }}
    where
        outcome in ('churned', 'at_risk')
        and {{ of_restated_customers() }}
),

first_orders as (
    select
        customer_key,
        first_order_on
    from customers
    where first_order_on is not null
),

-- the order after which a closed account is none any more
closings as (
    select
        customers.customer_key,
        customers.closing_class,
        customers.closed_on,
        min(purchase_days.day) as reopened_on
    from customers
    left join purchase_days
        on
            customers.customer_key = purchase_days.customer_key
            and customers.closed_on < purchase_days.day
    where customers.closed_on is not null
    group by 1, 2, 3
),

spells as (
    select
        customer_key,
        'seen' as what,
        first_seen_on as begins_on,
        cast(null as date) as ends_on
    from customers

    union all

    select
        customer_key,
        'ordered' as what,
        first_order_on as begins_on,
        null as ends_on
    from first_orders

    union all

    select
        first_orders.customer_key,
        'new' as what,
        first_orders.first_order_on as begins_on,
        first_orders.first_order_on + policies.new_days as ends_on
    from first_orders
    inner join customers on first_orders.customer_key = customers.customer_key
    inner join policies on customers.policy = policies.policy

    union all

    select
        customer_key,
        case closing_class when 'natural' then 'closed' else 'churned' end as what,
        closed_on as begins_on,
        reopened_on as ends_on
    from closings

    union all

    select
        customer_key,
        outcome as what,
        opened_on as begins_on,
        closed_on as ends_on
    from flags
),

-- only an order can win back, so only churned evenings before orders are looked at
churned_spells as (
    select * from spells
    where what = 'churned'
),

reactivations as (
    select distinct
        purchase_days.customer_key,
        purchase_days.day
    from purchase_days
    inner join churned_spells
        on
            purchase_days.customer_key = churned_spells.customer_key
            and purchase_days.day > churned_spells.begins_on
            and (purchase_days.day <= churned_spells.ends_on or churned_spells.ends_on is null)
    left join closings
        on
            purchase_days.customer_key = closings.customer_key
            and closings.closing_class = 'natural'
            and purchase_days.day > closings.closed_on
            and (purchase_days.day <= closings.reopened_on or closings.reopened_on is null)
    where
        purchase_days.day > purchase_days.first_order_on
        and closings.customer_key is null
),

all_spells as (
    select * from spells

    union all

    select
        reactivations.customer_key,
        'won_back' as what,
        reactivations.day as begins_on,
        reactivations.day + policies.won_back_days as ends_on
    from reactivations
    inner join customers on reactivations.customer_key = customers.customer_key
    inner join policies on customers.policy = policies.policy
),

steps as (
    select
        customer_key,
        what,
        begins_on as day,
        1 as step
    from all_spells

    union all

    select
        customer_key,
        what,
        ends_on as day,
        -1 as step
    from all_spells
    where ends_on is not null
),

{% set kinds = ['closed', 'ordered', 'churned', 'at_risk', 'won_back', 'new'] %}
daily_steps as (
    select
        customer_key,
        day,
    {% for kind in kinds %}
        sum(case when what = '{{ kind }}' then step else 0 end) as {{ kind }}_step{{ ',' if not loop.last }}
    {% endfor %}
    from steps
    group by 1, 2
),

held as (
    select
        customer_key,
        day,
    {% for kind in kinds %}
        sum({{ kind }}_step) over to_date > 0 as is_{{ kind }}{{ ',' if not loop.last }}
    {% endfor %}
    from daily_steps
    window to_date as (partition by customer_key order by day rows unbounded preceding)
),

staged as (
    select
        customer_key,
        day,
        case
            when is_closed then 'closed'
            when not is_ordered then 'prospect'
            when is_churned then 'churned'
            when is_at_risk then 'at_risk'
            when is_won_back then 'won_back'
            when is_new then 'new'
            else 'active'
        end as stage
    from held
),

turns as (
    select
        *,
        lag(stage) over (partition by customer_key order by day) as previous_stage
    from staged
),

stages as (
    select
        customer_key,
        stage,
        day as valid_from,
        lead(day) over (partition by customer_key order by day) as valid_to
    from turns
    where stage is distinct from previous_stage
),

final as (
    select * from stages
    where {{ of_restated_customers(until='valid_to') }}
)

select * from final
