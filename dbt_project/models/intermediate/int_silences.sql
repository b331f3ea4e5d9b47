with evenings as (
    select * from {{ ref('int_customer_evenings') }}
    where
        stage in ('churned', 'at_risk')
        and (
            day = {{ as_of_date() }}
            or (day = {{ month_end('day') }} and day > {{ as_of_date() }} - {{ var('natural_return_days') }})
        )
),

customers as (
    select * from {{ ref('int_customers') }}
),

winback_rules as (
    select * from {{ ref('winback_rules') }}
),

times_away as (
    select
        *,
        lead(from_days) over (order by from_days) as until_days
    from {{ ref('times_away') }}
),

purchase_days as (
    select * from {{ ref('int_purchase_days') }}
),

members as (
    select * from {{ ref('int_campaign_members') }}
),

contacts as (
    select * from {{ ref('int_contacts') }}
    where reason_code is not null
),

accounts as (
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

-- of past evenings those of which it is known what followed; what a campaign did is the campaign's evidence
silences as (
    select
        evenings.customer_key,
        evenings.day,
        customers.business_line,
        customers.policy,
        evenings.stage,
        evenings.value_tier,
        evenings.last_order_on,
        evenings.day as known_until,
        evenings.day as heard_until,
        winback_rules.return_days,
        evenings.day + winback_rules.return_days <= {{ as_of_date() }} as is_complete
    from evenings
    inner join customers on evenings.customer_key = customers.customer_key
    inner join winback_rules on customers.policy = winback_rules.policy
    where
        evenings.day = {{ as_of_date() }}
        or (
            evenings.day + winback_rules.return_days <= {{ as_of_date() }}
            and not exists (
                select 1 from members
                where
                    evenings.customer_key = members.customer_key
                    and evenings.day + winback_rules.return_days > members.assigned_on
                    and evenings.day < members.window_ends_on
            )
        )
),

{{ reasons_of_silences('day', customers='accounts') }},

final as (
    select
        silences.customer_key,
        silences.day,
        silences.business_line,
        silences.policy,
        silences.stage,
        silences.value_tier,
        coalesce(first_reasons.reason_class, 'unknown') as reason_class,
        times_away.time_away,
        case
            when silences.is_complete
                then coalesce(purchase_days.next_order_on <= silences.day + silences.return_days, false)
        end as has_returned
    from silences
    inner join times_away
        on
            silences.day - silences.last_order_on >= times_away.from_days
            and (silences.day - silences.last_order_on < times_away.until_days or times_away.until_days is null)
    left join purchase_days
        on
            silences.customer_key = purchase_days.customer_key
            and silences.last_order_on = purchase_days.day
    left join first_reasons
        on
            silences.customer_key = first_reasons.customer_key
            and silences.day = first_reasons.day
)

select * from final
