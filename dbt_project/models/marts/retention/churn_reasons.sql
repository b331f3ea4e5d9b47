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

-- whoever spoke with them after the last order and before the next; what they said last goes first
stated as (
    select
        churned.customer_key,
        churned.month,
        reason_codes.reason_class,
        reason_codes.sub_reason,
        contacts.contacted_on as known_on,
        contacts.contacted_at as known_at,
        contacts.contact_key as evidence_key,
        1 as priority
    from churned
    inner join contacts
        on
            churned.customer_key = contacts.customer_key
            and churned.last_order_on <= contacts.contacted_on
    inner join purchase_days
        on
            churned.customer_key = purchase_days.customer_key
            and churned.last_order_on = purchase_days.day
            and (purchase_days.next_order_on is null or contacts.contacted_on < purchase_days.next_order_on)
    inner join reason_codes on lower(trim(contacts.reason_code)) = reason_codes.reason_code

    union all

    select
        churned.customer_key,
        churned.month,
        reason_codes.reason_class,
        reason_codes.sub_reason,
        customers.closed_on as known_on,
        null as known_at,
        null as evidence_key,
        2 as priority
    from churned
    inner join customers
        on
            churned.customer_key = customers.customer_key
            and customers.closed_on between churned.last_order_on and churned.period_ends_on
    inner join reason_codes on customers.closed_reason = reason_codes.reason_code
),

-- what warned before or after the last order; it may be over by the time that silence counts as churn
inferred as (
    select
        churned.customer_key,
        churned.month,
        inferences.reason_class,
        inferences.sub_reason,
        flags.opened_on as known_on,
        cast(null as timestamptz) as known_at,
        null as evidence_key,
        inferences.priority
    from churned
    inner join flags
        on
            churned.customer_key = flags.customer_key
            and churned.period_ends_on >= flags.opened_on
            and (
                flags.closed_on is null
                or churned.last_order_on - {{ var('reason_days') }} < flags.closed_on
            )
    inner join inferences
        on
            flags.signal = inferences.name
            and inferences.evidence = 'signal'

    union all

    select
        churned.customer_key,
        churned.month,
        inferences.reason_class,
        inferences.sub_reason,
        complaints.opened_on as known_on,
        complaints.opened_at as known_at,
        complaints.complaint_key as evidence_key,
        inferences.priority
    from churned
    inner join complaints
        on
            churned.customer_key = complaints.customer_key
            and churned.last_order_on - {{ var('reason_days') }} <= complaints.opened_on
            and churned.period_ends_on >= complaints.opened_on
    inner join inferences
        on
            complaints.category_word = inferences.name
            and inferences.evidence = 'complaint'
),

reasons as (
    select
        *,
        false as is_inferred
    from stated

    union all

    select
        *,
        true as is_inferred
    from inferred
),

first_reasons as (
    select distinct on (customer_key, month) *
    from reasons
    order by
        customer_key asc,
        month asc,
        is_inferred asc,
        priority asc,
        known_on desc,
        known_at desc nulls last,
        evidence_key desc nulls last,
        reason_class asc,
        sub_reason asc
),

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
