{# Who complained in a month, first in all and first of each category, with what became of comparable customers who did
   not: of the same line, tier, stage and month of last order on the evening before the month. A silence long enough
   begins on an order day and holds for every day from which on there is no order in time, so for each day the silent
   are those whose silence has begun less those for whom it is over. #}
with complaints as (
    select
        complaints.customer_key,
        complaints.opened_on,
        nullif(trim(complaints.category), '') as category,
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
        customers.business_line,
        evenings.tier,
        evenings.stage,
        {{ month_start('evenings.last_order_on') }} as last_order_month
    from {{ ref('int_customer_evenings') }} as evenings
    inner join {{ ref('int_customers') }} as customers on evenings.customer_key = customers.customer_key
    where
        evenings.is_live
        and evenings.day in (select complaints.month - 1 from complaints)
),

complainers as (
    select
        first_complaints.*,
        evenings.tier,
        evenings.stage,
        evenings.last_order_month,
        coalesce(purchase_days.next_order_on > first_complaints.opened_on + first_complaints.churn_days, true)
            as is_silent
    from first_complaints
    inner join evenings
        on
            first_complaints.customer_key = evenings.customer_key
            and first_complaints.month = evenings.month
    inner join purchase_days
        on
            first_complaints.customer_key = purchase_days.customer_key
            and first_complaints.opened_on >= purchase_days.day
            and (first_complaints.opened_on < purchase_days.next_order_on or purchase_days.next_order_on is null)
),

{% set stratum = ['month', 'business_line', 'tier', 'stage', 'last_order_month'] %}
strata as (
    select
        {{ stratum | join(', ') }},
        max(churn_days) as churn_days
    from complainers
    group by {{ stratum | join(', ') }}
),

others as (
    select
        evenings.*,
        strata.churn_days
    from evenings
    inner join strata using ({{ stratum | join(', ') }})
    left join complaints
        on
            evenings.customer_key = complaints.customer_key
            and evenings.month = complaints.month
    where complaints.customer_key is null
),

sizes as (
    select
        {{ stratum | join(', ') }},
        count(*) as customers
    from others
    group by {{ stratum | join(', ') }}
),

silences as (
    select
        others.*,
        purchase_days.day as silent_from,
        purchase_days.next_order_on - others.churn_days as silent_until
    from others
    inner join purchase_days on others.customer_key = purchase_days.customer_key
    where
        purchase_days.day <= {{ month_end('others.month') }}
        and (
            purchase_days.next_order_on is null
            or purchase_days.next_order_on - others.churn_days > greatest(purchase_days.day, others.month)
        )
),

steps as (
    select
        {{ stratum | join(', ') }},
        silent_from as day,
        1 as step
    from silences

    union all

    select
        {{ stratum | join(', ') }},
        silent_until as day,
        -1 as step
    from silences
    where silent_until is not null

    union all

    select distinct
        {{ stratum | join(', ') }},
        opened_on as day,
        0 as step
    from complainers
),

silent as (
    select
        {{ stratum | join(', ') }},
        day,
        sum(sum(step)) over (partition by {{ stratum | join(', ') }} order by day) as customers_silent
    from steps
    group by {{ stratum | join(', ') }}, day
),

final as (
    select
        complainers.customer_key,
        complainers.category,
        complainers.month,
        complainers.business_line,
        complainers.tier,
        complainers.stage,
        complainers.last_order_month,
        complainers.opened_on,
        complainers.is_silent,
        coalesce(sizes.customers, 0) as others,
        1.0 * silent.customers_silent / sizes.customers as others_silent_share
    from complainers
    left join sizes using ({{ stratum | join(', ') }})
    left join silent
        on
            {% for column in stratum %}
            complainers.{{ column }} = silent.{{ column }}
            and
            {% endfor %}
            complainers.opened_on = silent.day
)

select * from final
