{{ config(materialized="incremental", incremental_strategy="by_customer") }}

with purchase_days as (
    select * from {{ ref('int_purchase_days') }}
    where
        {{ watches('policy', ['seasonal_order_missed']) }}
        and {{ of_changed_customers() }}
),

order_months as (
    select
        customer_key,
        {{ month_number('day') }} as month_number,
        min(day) as first_day
    from purchase_days
    group by 1, 2
),

-- the month that follows two years in which the customer ordered in it
expected as (
    select
        last_year.customer_key,
        last_year.month_number + 12 as month_number,
        {{ month_of_number('last_year.month_number + 12') }} as month,
        greatest(
            cast(extract(day from last_year.first_day) as integer),
            cast(extract(day from year_before.first_day) as integer)
        ) as day_of_month
    from order_months as last_year
    inner join order_months as year_before
        on
            last_year.customer_key = year_before.customer_key
            and last_year.month_number - 12 = year_before.month_number
),

seasonal as (
    select
        expected.customer_key,
        expected.month,
        least(expected.month + expected.day_of_month - 1, {{ month_end('expected.month') }})
        + {{ var('seasonal_grace_days') }} as due_on
    from expected
    inner join order_months
        on
            expected.customer_key = order_months.customer_key
            and order_months.month_number between expected.month_number - 24 and expected.month_number - 1
    group by 1, 2, 3
    having count(*) < 12
),

-- an order that comes up to a week before the month is this year's
answered as (
    select
        seasonal.customer_key,
        seasonal.month,
        seasonal.due_on,
        min(purchase_days.day) as answered_on
    from seasonal
    left join purchase_days
        on
            seasonal.customer_key = purchase_days.customer_key
            and purchase_days.day >= seasonal.month - {{ var('seasonal_grace_days') }}
    group by 1, 2, 3
),

missed as (
    select
        customer_key,
        due_on,
        due_on + 1 as valid_from,
        -- this month and the two before it are looked at
        least(answered_on, cast({{ month_end('month') }} + 1 + interval '2 months' as date)) as valid_to
    from answered
),

final as (
    select * from missed
    where valid_from < valid_to
)

select * from final
