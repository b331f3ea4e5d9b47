{{ config(materialized="incremental", incremental_strategy="by_turned_customer") }}

with flags as (
    select * from {{ ref('int_flags') }}
    where
        opened_on <= {{ as_of_date() }}
        and {{ of_turned_customers() }}
),

rules as (
    select * from {{ ref('churn_rules') }}
),

states as (
    select * from {{ ref('int_customer_states') }}
),

final as (
    select
        flags.customer_key,
        flags.rule_id,
        flags.opened_on,
        case when flags.closed_on <= {{ as_of_date() }} then flags.closed_on end as closed_on,
        case when flags.closed_on <= {{ as_of_date() }} then flags.closed_because end as closed_because,
        flags.policy,
        flags.rule_valid_from,
        flags.outcome,
        rules.signal,
        rules.comparator,
        flags.observed,
        rules.threshold,
        {{ evidence('zh', 'flags.opened_on') }} as evidence_zh,
        {{ evidence('en', 'flags.opened_on') }} as evidence_en
    from flags
    inner join rules
        on
            flags.policy = rules.policy
            and flags.rule_id = rules.rule_id
            and flags.rule_valid_from = rules.valid_from
    inner join states
        on
            flags.customer_key = states.customer_key
            and flags.opened_on = states.valid_from
)

select * from final
