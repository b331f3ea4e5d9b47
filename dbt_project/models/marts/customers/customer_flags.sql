with flags as (
    select * from {{ ref('int_flags') }}
    where
        opened_on <= {{ as_of_date() }}
        and (closed_on > {{ as_of_date() }} or closed_on is null)
),

rules as (
    select * from {{ ref('churn_rules') }}
),

states as (
    select * from {{ ref('int_customer_states') }}
    where
        valid_from <= {{ as_of_date() }}
        and (valid_to > {{ as_of_date() }} or valid_to is null)
),

final as (
    select
        flags.customer_key,
        flags.rule_id,
        flags.policy,
        flags.outcome,
        rules.signal,
        rules.comparator,
        {{ watched_value(as_of_date()) }} as observed,
        rules.threshold,
        rules.action,
        rules.label_zh,
        rules.label_en,
        {{ evidence('zh', as_of_date()) }} as evidence_zh,
        {{ evidence('en', as_of_date()) }} as evidence_en,
        rules.source,
        flags.opened_on
    from flags
    inner join rules
        on
            flags.policy = rules.policy
            and flags.rule_id = rules.rule_id
            and flags.rule_valid_from = rules.valid_from
    inner join states on flags.customer_key = states.customer_key
)

select * from final
