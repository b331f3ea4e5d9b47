{# Who complained in a month, first in all and first of each category, with what became of comparable customers who did
   not: of the same line, tier, stage and month of last order on the evening before the month. A silence long enough
   begins on an order day and holds for every day from which on there is no order in time, so for each day the silent
   are those whose silence has begun less those for whom it is over. Whoever was no live customer on that evening is
   compared with nobody. #}
with complaint_months as (
    select distinct
        customer_key,
        {{ month_start('opened_on') }} as month
    from {{ ref('int_complaints') }}
),

complaints as (
    select
        complaints.customer_key,
        complaints.opened_on,
        complaints.category_word as category,
        {{ month_start('complaints.opened_on') }} as month,
        customers.business_line,
        policies.churn_days
    from {{ ref('int_complaints') }} as complaints
    inner join {{ ref('int_customers') }} as customers on complaints.customer_key = customers.customer_key
    inner join {{ ref('policies') }} as policies on customers.policy = policies.policy
    where
        complaints.customer_key <> '-1'
        and complaints.opened_on + policies.churn_days <= {{ as_of_date() }}
        and complaints.opened_on
        > {{ as_of_date() }} - policies.churn_days - interval '{{ var("trailing_months") }} months'
),

first_complaints as (
    select
        customer_key,
        month,
        business_line,
        churn_days,
        'all' as category,
        min(opened_on) as opened_on
    from complaints
    group by 1, 2, 3, 4

    union all

    select
        customer_key,
        month,
        business_line,
        churn_days,
        category,
        min(opened_on) as opened_on
    from complaints
    where category is not null
    group by 1, 2, 3, 4, 5
),

purchase_days as (
    select * from {{ ref('int_purchase_days') }}
),

evenings as (
    select
        evenings.customer_key,
        cast(evenings.day + 1 as date) as month,
        concat_ws(
            '|',
            evenings.day,
            customers.business_line,
            evenings.tier,
            evenings.stage,
            {{ month_start('evenings.last_order_on') }}
        ) as stratum
    from {{ ref('int_customer_evenings') }} as evenings
    inner join {{ ref('int_customers') }} as customers on evenings.customer_key = customers.customer_key
    where
        evenings.is_live
        and evenings.day in (select complaints.month - 1 from complaints)
),

complainers as (
    select
        first_complaints.*,
        evenings.stratum,
        case
            when purchase_days.customer_key is not null
                then
                    coalesce(
                        purchase_days.next_order_on > first_complaints.opened_on + first_complaints.churn_days, true
                    )
        end as is_silent
    from first_complaints
    left join evenings
        on
            first_complaints.customer_key = evenings.customer_key
            and first_complaints.month = evenings.month
    left join purchase_days
        on
            first_complaints.customer_key = purchase_days.customer_key
            and first_complaints.opened_on >= purchase_days.day
            and (first_complaints.opened_on < purchase_days.next_order_on or purchase_days.next_order_on is null)
),

strata as (
    select
        stratum,
        max(churn_days) as churn_days
    from complainers
    where stratum is not null
    group by 1
),

peers as (
    select
        evenings.*,
        strata.churn_days
    from evenings
    inner join strata on evenings.stratum = strata.stratum
    left join complaint_months
        on
            evenings.customer_key = complaint_months.customer_key
            and evenings.month = complaint_months.month
    where complaint_months.customer_key is null
),

sizes as (
    select
        stratum,
        count(*) as customers
    from peers
    group by 1
),

silences as (
    select
        peers.*,
        purchase_days.day as silent_from,
        purchase_days.next_order_on - peers.churn_days as silent_until
    from peers
    inner join purchase_days on peers.customer_key = purchase_days.customer_key
    where
        purchase_days.day <= {{ month_end('peers.month') }}
        and (
            purchase_days.next_order_on is null
            or purchase_days.next_order_on - peers.churn_days > greatest(purchase_days.day, peers.month)
        )
),

steps as (
    select
        stratum,
        silent_from as day,
        1 as step
    from silences

    union all

    select
        stratum,
        silent_until as day,
        -1 as step
    from silences
    where silent_until is not null

    union all

    select distinct
        stratum,
        opened_on as day,
        0 as step
    from complainers
    where stratum is not null
),

silent as (
    select
        stratum,
        day,
        sum(sum(step)) over (partition by stratum order by day) as customers
    from steps
    group by 1, 2
),

final as (
    select
        complainers.customer_key,
        complainers.category,
        complainers.business_line,
        complainers.month,
        complainers.stratum,
        complainers.opened_on,
        complainers.is_silent,
        coalesce(sizes.customers, 0) as peers,
        1.0 * silent.customers / sizes.customers as peers_silent_share
    from complainers
    left join sizes on complainers.stratum = sizes.stratum
    left join silent
        on
            complainers.stratum = silent.stratum
            and complainers.opened_on = silent.day
)

select * from final
