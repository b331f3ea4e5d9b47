{# Why customers fell silent, as far as it is known: the CTE `first_reasons` of a model, one row per row of its CTE
   `silences` for which a reason is found. A silence has customer_key, the day that `key` names, last_order_on, known_until
   (flags, complaints and closings count up to this day) and heard_until (contacts do: somebody may say later why they
   left). What a person said goes before a guess. The model has the CTEs contacts, complaints, flags (with their signal),
   reason_codes, inferences, and one of customers' accounts. #}
{% macro reasons_of_silences(key, customers='customers') -%}
reasons_found as (
    -- whoever spoke with them after the last order and before the next; what they said last goes first
    select
        silences.customer_key,
        silences.{{ key }},
        reason_codes.reason_class,
        reason_codes.sub_reason,
        contacts.contacted_on as known_on,
        contacts.contacted_at as known_at,
        contacts.contact_key as evidence_key,
        1 as priority,
        false as is_inferred
    from silences
    inner join contacts
        on
            silences.customer_key = contacts.customer_key
            and contacts.contacted_on between silences.last_order_on and silences.heard_until
    inner join reason_codes on lower(trim(contacts.reason_code)) = reason_codes.reason_code

    union all

    select
        silences.customer_key,
        silences.{{ key }},
        reason_codes.reason_class,
        reason_codes.sub_reason,
        accounts.closed_on as known_on,
        null as known_at,
        null as evidence_key,
        2 as priority,
        false as is_inferred
    from silences
    inner join {{ customers }} as accounts
        on
            silences.customer_key = accounts.customer_key
            and accounts.closed_on between silences.last_order_on and silences.known_until
    inner join reason_codes on accounts.closed_reason = reason_codes.reason_code

    union all

    -- what warned before or after the last order; it may be over by the time that silence counts as churn
    select
        silences.customer_key,
        silences.{{ key }},
        inferences.reason_class,
        inferences.sub_reason,
        flags.opened_on as known_on,
        null as known_at,
        null as evidence_key,
        inferences.priority,
        true as is_inferred
    from silences
    inner join flags
        on
            silences.customer_key = flags.customer_key
            and silences.known_until >= flags.opened_on
            and (
                flags.closed_on is null
                or silences.last_order_on - {{ var('reason_days') }} < flags.closed_on
            )
    inner join inferences
        on
            flags.signal = inferences.name
            and inferences.evidence = 'signal'

    union all

    select
        silences.customer_key,
        silences.{{ key }},
        inferences.reason_class,
        inferences.sub_reason,
        complaints.opened_on as known_on,
        complaints.opened_at as known_at,
        complaints.complaint_key as evidence_key,
        inferences.priority,
        true as is_inferred
    from silences
    inner join complaints
        on
            silences.customer_key = complaints.customer_key
            and silences.last_order_on - {{ var('reason_days') }} <= complaints.opened_on
            and silences.known_until >= complaints.opened_on
    inner join inferences
        on
            complaints.category_word = inferences.name
            and inferences.evidence = 'complaint'
),

first_reasons as (
    select distinct on (customer_key, {{ key }}) *
    from reasons_found
    order by
        customer_key asc,
        {{ key }} asc,
        is_inferred asc,
        priority asc,
        known_on desc,
        known_at desc nulls last,
        evidence_key desc nulls last,
        reason_class asc,
        sub_reason asc
)
{%- endmacro %}
