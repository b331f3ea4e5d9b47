with hits as (
    select * from {{ ref('int_rule_hits') }}
    where day = {{ as_of_date() }}
),

rules as (
    select * from {{ ref('churn_rules') }}
),

signals as (
    select * from {{ ref('int_signals') }}
    where day = {{ as_of_date() }}
),

final as (
    select
        hits.customer_key,
        hits.rule_id,
        hits.policy,
        hits.outcome,
        rules.signal,
        rules.comparator,
        hits.observed,
        rules.threshold,
        rules.action,
        rules.label_zh,
        rules.label_en,
        {{ evidence('zh') }} as evidence_zh,
        {{ evidence('en') }} as evidence_en,
        rules.source
    from hits
    inner join rules
        on
            hits.policy = rules.policy
            and hits.rule_id = rules.rule_id
            and hits.valid_from = rules.valid_from
    inner join signals on hits.customer_key = signals.customer_key
)

select * from final
