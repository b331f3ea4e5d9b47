{{ config(
    materialized="incremental",
    incremental_strategy="by_restated_customer",
    indexes=[{"columns": ["customer_key"]}],
    meta={"lasts_until": "closed_on"},
) }}

with states as (
    select * from {{ ref('int_customer_states') }}
    where {{ of_restated_customers() }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

-- a version of a rule stands until the next one; a disabled version ends the rule
rules as not materialized (
    select
        churn_rules.*,
        later_versions.replaced_on
    from {{ ref('churn_rules') }} as churn_rules
    cross join
        lateral (
            select min(later.valid_from) as replaced_on
            from {{ ref('churn_rules') }} as later
            where
                later.policy = churn_rules.policy
                and later.rule_id = churn_rules.rule_id
                and later.valid_from > churn_rules.valid_from
        ) as later_versions
),

observed as (
    select
        states.customer_key,
        states.policy,
        states.valid_from as day,
        states.valid_to as ends_on,
        states.closing,
        rules.rule_id,
        rules.valid_from as rule_valid_from,
        rules.comparator,
        rules.threshold,
        {{ watched_value('states.valid_from') }} as observed,
        {{ window_is_full('states.valid_from') }} as is_window_full
    from states
    inner join rules
        on
            states.policy = rules.policy
            and states.valid_from >= rules.valid_from
            and (states.valid_from < rules.replaced_on or rules.replaced_on is null)
    where rules.enabled
),

raised as (
    select
        customer_key,
        policy,
        rule_id,
        rule_valid_from,
        day,
        ends_on,
        observed
    from observed
    where
        coalesce(closing <> 'natural', true)
        and case comparator
            when '>=' then observed >= threshold
            when '<=' then observed <= threshold and is_window_full
            when '>' then observed > threshold
            when '<' then observed < threshold and is_window_full
            when '=' then observed = threshold
        end
),

-- a customer's states follow each other without a gap, so a flag lasts while those in which it is raised do
edges as (
    select
        *,
        coalesce(lag(ends_on) over of_flag <> day, true) as is_first,
        coalesce(lead(day) over of_flag <> ends_on, true) as is_last
    from raised
    window of_flag as (partition by customer_key, rule_id, rule_valid_from order by day)
),

flags as (
    select
        *,
        case
            when is_last then ends_on
            else lead(ends_on) over (partition by customer_key, rule_id, rule_valid_from order by day)
        end as ended_on
    from edges
    where is_first or is_last
),

closed as (
    select
        flags.*,
        customers.closed_on as customer_closed_on,
        customers.closing_class,
        rules.outcome,
        coalesce(flags.ended_on < rules.replaced_on, flags.ended_on is not null) as is_condition_ended,
        least(flags.ended_on, rules.replaced_on) as closed_on
    from flags
    inner join customers on flags.customer_key = customers.customer_key
    inner join rules
        on
            flags.policy = rules.policy
            and flags.rule_id = rules.rule_id
            and flags.rule_valid_from = rules.valid_from
    where flags.is_first
),

final as (
    select
        customer_key,
        policy,
        rule_id,
        rule_valid_from,
        outcome,
        day as opened_on,
        observed,
        closed_on,
        case
            when closing_class = 'natural' and customer_closed_on = closed_on then 'account_closed'
            when is_condition_ended then 'condition_ended'
            when closed_on is not null then 'rule_changed'
        end as closed_because
    from closed
    where {{ of_restated_customers(until='closed_on') }}
)

select * from final
