with silences as (
    select * from {{ ref('int_silences') }}
    where day = {{ as_of_date() }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

business_lines as (
    select * from {{ ref('int_business_lines') }}
),

winback_rules as (
    select * from {{ ref('winback_rules') }}
),

posteriors as (
    select * from {{ ref('winback_posteriors') }}
),

actions as (
    select * from {{ ref('winback_actions') }}
),

contacts as (
    select * from {{ ref('int_contacts') }}
),

-- nobody is in two campaigns at once, unless two customers turned out to be one: then the control group goes first
memberships as (
    select distinct on (customer_key) *
    from {{ ref('int_campaign_members') }}
    where not is_complete
    order by
        customer_key asc,
        arm = 'control' desc,
        campaign_id asc
),

recent_contacts as (
    select
        silences.customer_key,
        count(*) as contacts
    from silences
    inner join winback_rules on silences.policy = winback_rules.policy
    inner join contacts
        on
            silences.customer_key = contacts.customer_key
            and contacts.contacted_on > {{ as_of_date() }} - winback_rules.contact_cap_days
    group by silences.customer_key
),

valued as (
    select
        silences.customer_key,
        customers.account_manager_key,
        silences.business_line,
        silences.stage,
        silences.value_tier,
        silences.reason_class,
        silences.time_away,
        posteriors.p_treated,
        posteriors.p_untreated,
        greatest(customers.value_12m, 0) * business_lines.margin_share as margin_12m,
        winback_rules.contact_cost,
        winback_rules.nurture_cost,
        winback_rules.nurture_uplift,
        winback_rules.weekly_capacity,
        customers.do_not_contact,
        coalesce(recent_contacts.contacts, 0) >= winback_rules.contact_cap as is_contact_capped,
        memberships.campaign_id,
        memberships.arm
    from silences
    inner join customers on silences.customer_key = customers.customer_key
    inner join business_lines on silences.business_line = business_lines.business_line
    inner join winback_rules on silences.policy = winback_rules.policy
    inner join posteriors
        on
            silences.business_line = posteriors.business_line
            and silences.value_tier = posteriors.value_tier
            and silences.reason_class = posteriors.reason_class
            and silences.time_away = posteriors.time_away
    left join recent_contacts on silences.customer_key = recent_contacts.customer_key
    left join memberships on silences.customer_key = memberships.customer_key
),

gains as (
    select
        *,
        (p_treated - p_untreated) * margin_12m - contact_cost as expected_gain,
        nurture_uplift * margin_12m - nurture_cost as nurture_gain,
        not do_not_contact and not is_contact_capped and campaign_id is null as is_open
    from valued
),

-- only those who may be won back take part of their owner's week
ranked as (
    select
        *,
        case
            when is_open and expected_gain > 0
                then row_number() over (
                    partition by account_manager_key, is_open
                    order by expected_gain desc, customer_key asc
                )
        end as gain_rank
    from gains
),

decided as (
    select
        *,
        case
            when do_not_contact then 'do_not_contact'
            when arm = 'control' then 'control_group'
            when campaign_id is not null then 'in_campaign'
            when is_contact_capped then 'contact_cap'
            when gain_rank <= weekly_capacity then 'worth_it'
            when gain_rank is not null then 'capacity_spent'
            when nurture_gain > 0 then 'cheap_channel_pays'
            else 'not_worth_it'
        end as decision_reason
    from ranked
),

final as (
    select
        decided.customer_key,
        decided.account_manager_key,
        decided.business_line,
        decided.stage,
        decided.value_tier,
        decided.reason_class,
        decided.time_away,
        decided.p_treated,
        decided.p_untreated,
        decided.margin_12m,
        decided.contact_cost,
        decided.expected_gain,
        decided.gain_rank,
        case
            when decided.decision_reason in ('worth_it', 'in_campaign') then 'win_back'
            when decided.decision_reason in ('capacity_spent', 'cheap_channel_pays') then 'nurture'
            else 'let_go'
        end as decision,
        decided.decision_reason,
        case when decided.decision_reason in ('worth_it', 'in_campaign') then actions.action end as suggested_action,
        case when decided.decision_reason in ('worth_it', 'in_campaign') then actions.label_zh end as action_zh,
        case when decided.decision_reason in ('worth_it', 'in_campaign') then actions.label_en end as action_en,
        decided.is_contact_capped,
        decided.campaign_id,
        decided.arm
    from decided
    left join actions
        on
            decided.reason_class = actions.reason_class
            and decided.value_tier = actions.value_tier
)

select * from final
