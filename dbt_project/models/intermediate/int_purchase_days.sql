{{ config(
    materialized="incremental",
    incremental_strategy="by_customer",
    indexes=[{"columns": ["customer_key"]}],
    meta={"lasts_until": "day"},
) }}

with customer_days as (
    select * from {{ ref('int_customer_days') }}
    where
        customer_key <> '-1'
        and orders > 0
        and {{ of_changed_customers() }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

neighbours as (
    select
        customer_days.customer_key,
        customers.policy,
        customer_days.day,
        customer_days.first_order_on,
        lead(customer_days.day) over purchases as next_order_on,
        row_number() over purchases as purchase_number,
        customer_days.day - lag(customer_days.day) over purchases as gap_days
    from customer_days
    inner join customers on customer_days.customer_key = customers.customer_key
    window purchases as (partition by customer_days.customer_key order by customer_days.day)
),

-- only a silence that is long enough is held against the usual gap
gaps as (
    select
        *,
        case
            when
                {{ watches('policy', ['interval_ratio']) }}
                and purchase_number > {{ var('interval_ratio_min_gaps') }}
                and (next_order_on is null or next_order_on - day > {{ var('interval_ratio_min_days') }})
                then array_agg(gap_days) over (partition by customer_key order by day rows unbounded preceding)
        end as gaps_to_date
    from neighbours
),

final as (
    select
        customer_key,
        policy,
        day,
        first_order_on,
        next_order_on,
        case
            when gaps_to_date is not null
                then (
                    select cast(percentile_cont(0.5) within group (order by gap.days) as numeric)
                    from unnest(gaps_to_date) as gap (days)
                )
        end as median_gap_days
    from gaps
    where {{ of_changed_customers(until='day') }}
)

select * from final
