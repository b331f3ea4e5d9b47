with signals as (
    select * from {{ ref('int_signals') }}
    where
        last_order_on is not null
        and closing is distinct from 'natural'
),

-- a version of a rule stands until the next one; a disabled version ends the rule
rules as (
    select
        *,
        lead(valid_from) over (partition by policy, rule_id order by valid_from) as replaced_on
    from {{ ref('churn_rules') }}
),

observed as (
    select
        signals.customer_key,
        signals.day,
        rules.policy,
        rules.rule_id,
        rules.valid_from,
        rules.outcome,
        rules.comparator,
        rules.threshold,
        cast({{ signal_value() }} as numeric) as observed
    from signals
    inner join rules
        on
            signals.policy = rules.policy
            and signals.day >= rules.valid_from
            and (rules.replaced_on is null or signals.day < rules.replaced_on)
    where rules.enabled
),

final as (
    select
        customer_key,
        day,
        policy,
        rule_id,
        valid_from,
        outcome,
        observed
    from observed
    where
        case comparator
            when '>=' then observed >= threshold
            when '<=' then observed <= threshold
            when '>' then observed > threshold
            when '<' then observed < threshold
            when '=' then observed = threshold
        end
)

select * from final
