{{ config(materialized="incremental", incremental_strategy="by_changed_customer") }}

with customer_days as (
    select * from {{ ref('int_customer_days') }}
    where
        customer_key <> '-1'
        and {{ of_customers_changed_since_standby() }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

spend_marks as (
    select * from {{ ref('spend_marks') }}
),

reached as (
    select
        customers.customer_key,
        customers.business_line,
        spend_marks.mark,
        spend_marks.privilege_zh,
        spend_marks.privilege_en,
        spend_marks.source
    from customer_days
    inner join customers on customer_days.customer_key = customers.customer_key
    inner join spend_marks
        on
            customers.policy = spend_marks.policy
            and customer_days.revenue_to_date >= spend_marks.mark
    where customer_days.next_day is null
),

final as (
    select
        reached.customer_key,
        reached.mark,
        reached.business_line,
        -- the day after the last one below the mark; the first of all if none was below
        coalesce(
            max(case when customer_days.revenue_to_date < reached.mark then customer_days.next_day end),
            min(customer_days.day)
        ) as crossed_on,
        reached.privilege_zh,
        reached.privilege_en,
        reached.source
    from reached
    inner join customer_days on reached.customer_key = customer_days.customer_key
    group by
        reached.customer_key,
        reached.mark,
        reached.business_line,
        reached.privilege_zh,
        reached.privilege_en,
        reached.source
)

select * from final
