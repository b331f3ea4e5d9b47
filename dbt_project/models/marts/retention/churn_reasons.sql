with churned as (
    select * from {{ ref('customer_months') }}
    where customers_churned = 1
),

purchase_days as (
    select * from {{ ref('int_purchase_days') }}
),

contacts as (
    select * from {{ ref('int_contacts') }}
),

customers as (
    select * from {{ ref('stg_customers') }}
),

complaints as (
    select * from {{ ref('int_complaints') }}
),

flags as (
    select
        flags.*,
        rules.signal
    from {{ ref('int_flags') }} as flags
    inner join {{ ref('churn_rules') }} as rules
        on
            flags.policy = rules.policy
            and flags.rule_id = rules.rule_id
            and flags.rule_valid_from = rules.valid_from
),

reason_codes as (
    select * from {{ ref('churn_reason_codes') }}
),

inferences as (
    select * from {{ ref('inferred_reasons') }}
),

silences as (
    select
        churned.customer_key,
        churned.month,
        churned.last_order_on,
        churned.period_ends_on as known_until,
        coalesce(purchase_days.next_order_on - 1, {{ as_of_date() }}) as heard_until
    from churned
    left join purchase_days
        on
            churned.customer_key = purchase_days.customer_key
            and churned.last_order_on = purchase_days.day
),

{{ reasons_of_silences('month') }},

final as (
    select
        churned.customer_key,
        churned.month,
        churned.is_complete,
        churned.business_line,
        churned.start_region_key as region_key,
        churned.start_account_manager_key as account_manager_key,
        churned.start_value_tier as value_tier,
        churned.value_12m,
        coalesce(first_reasons.reason_class, 'unknown') as reason_class,
        coalesce(first_reasons.sub_reason, 'unknown') as sub_reason,
        first_reasons.is_inferred,
        first_reasons.known_on
    from churned
    left join first_reasons
        on
            churned.customer_key = first_reasons.customer_key
            and churned.month = first_reasons.month
)

select * from final
