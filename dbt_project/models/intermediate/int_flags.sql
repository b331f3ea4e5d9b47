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
rules as (
    select
        *,
        row_number() over (order by policy, rule_id, valid_from) as rule_number,
        lead(valid_from) over (partition by policy, rule_id order by valid_from) as replaced_on
    from {{ ref('churn_rules') }}
),

observed as (
    select
        states.customer_key,
        states.valid_from as day,
        states.closing,
        rules.rule_number,
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

judged as (
    select
        customer_key,
        day,
        rule_number,
        observed,
        coalesce(closing <> 'natural', true)
        and coalesce(
            case comparator
                when '>=' then observed >= threshold
                when '<=' then observed <= threshold and is_window_full
                when '>' then observed > threshold
                when '<' then observed < threshold and is_window_full
                when '=' then observed = threshold
            end, false
        ) as is_raised
    from observed
    -- worked out before the rows are sorted, which then are narrow
    offset 0  -- noqa: AM09
),

turns as (
    select
        *,
        lag(is_raised, 1, false) over (
            partition by customer_key, rule_number order by day
        ) as was_raised
    from judged
),

flags as (
    select
        *,
        lead(day) over (partition by customer_key, rule_number order by day) as next_turn
    from turns
    where is_raised <> was_raised
),

final as (
    select
        flags.customer_key,
        rules.policy,
        rules.rule_id,
        rules.valid_from as rule_valid_from,
        rules.outcome,
        flags.day as opened_on,
        flags.observed,
        coalesce(flags.next_turn, rules.replaced_on) as closed_on,
        case
            when
                customers.closing_class = 'natural'
                and customers.closed_on = coalesce(flags.next_turn, rules.replaced_on)
                then 'account_closed'
            when flags.next_turn is not null then 'condition_ended'
            when rules.replaced_on is not null then 'rule_changed'
        end as closed_because
    from flags
    inner join rules on flags.rule_number = rules.rule_number
    inner join customers on flags.customer_key = customers.customer_key
    where
        flags.is_raised
        and {{ of_restated_customers('flags.customer_key', until='coalesce(flags.next_turn, rules.replaced_on)') }}
)

select * from final
