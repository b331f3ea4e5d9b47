{{ config(
    materialized="incremental",
    incremental_strategy="by_restated_customer",
    indexes=[{"columns": ["customer_key"]}],
    meta={"lasts_until": "valid_to"},
) }}

with look_days as (
    select
        *,
        lead(day) over (partition by customer_key order by day) as next_day
    from {{ ref('int_look_days') }}
    where {{ of_restated_customers() }}
),

looks as (
    select
        customer_key,
        day,
        next_day
    from look_days
    where {{ of_restated_customers(until='next_day') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

customer_days as (
    select * from {{ ref('int_customer_days') }}
    where {{ of_restated_customers() }}
),

purchase_days as (
    select * from {{ ref('int_purchase_days') }}
    where {{ of_restated_customers() }}
),

{% set windows = windows() %}
timeline as (
    select
        customer_days.customer_key,
        customer_days.day,
        customer_days.orders,
        customer_days.revenue,
        customer_days.complaints,
        false as is_look
    from customer_days

    union all

    select
        customer_key,
        day,
        0 as orders,
        0 as revenue,
        0 as complaints,
        true as is_look
    from looks
),

in_windows as (
    select
        timeline.customer_key,
        timeline.day,
        timeline.is_look,
    {% for name, window in windows.items() %}
        coalesce(sum(timeline.{{ window['sum_of'] }}) over (
            partition by timeline.customer_key order by timeline.day
            range between interval '{{ window['ago'] + window['days'] - 1 }} days' preceding
            and interval '{{ window['ago'] }} days' preceding
            ), 0) as {{ name }}{{ ',' if not loop.last }}
    {% endfor %}
    from timeline
    inner join customers on timeline.customer_key = customers.customer_key
    where
        timeline.customer_key <> '-1'
        and {{ watches('customers.policy', windows.values() | sum(attribute='for', start=[])) }}
),

open_complaints as (
    select
        looks.customer_key,
        looks.day,
        min(complaints.opened_on) as oldest_open_complaint_on
    from looks
    inner join {{ ref('int_complaints') }} as complaints
        on
            looks.customer_key = complaints.customer_key
            and looks.day >= complaints.opened_on
            and (complaints.is_open or looks.day < complaints.resolved_on)
    group by 1, 2
),

missed_seasons as (
    select
        looks.customer_key,
        looks.day,
        max(seasons.due_on) as seasonal_order_due_on
    from looks
    inner join {{ ref('int_seasonal_orders') }} as seasons
        on
            looks.customer_key = seasons.customer_key
            and looks.day >= seasons.valid_from
            and looks.day < seasons.valid_to
    group by 1, 2
),

month_signals as (
    select * from {{ ref('int_month_signals') }}
    where {{ of_restated_customers() }}
),

-- the last order, and the last month that was worked out, carried on to the days that are looked at
events as (
    select
        customer_key,
        day,
        cast(null as date) as next_day,
        day as order_on,
        null as month_end_on,
        false as is_look
    from purchase_days

    union all

    select
        customer_key,
        day,
        null as next_day,
        null as order_on,
        day as month_end_on,
        false as is_look
    from month_signals

    union all

    select
        customer_key,
        day,
        next_day,
        null as order_on,
        null as month_end_on,
        true as is_look
    from looks
),

carried as (
    select
        customer_key,
        day,
        next_day,
        is_look,
        max(order_on) over to_date as last_order_on,
        max(month_end_on) over to_date as last_month_end_on
    from events
    window to_date as (partition by customer_key order by day)
),

final as (
    select
        looks.customer_key,
        looks.day as valid_from,
        looks.next_day as valid_to,
        customers.policy,
        case
            when
                customers.closed_on <= looks.day
                and purchase_days.day <= customers.closed_on
                then customers.closing_class
        end as closing,
        purchase_days.first_order_on,
        purchase_days.day as last_order_on,
        purchase_days.median_gap_days,
        {% for name in windows %}
            in_windows.{{ name }},
        {% endfor %}
        month_signals.months_declining,
        month_signals.last_month_not_below,
        customers.monthly_minimum,
        missed_seasons.seasonal_order_due_on,
        balances.balance,
        balances.balance_3m_before,
        balances.months_balance_below_minimum,
        balances.balance_minimum,
        open_complaints.oldest_open_complaint_on,
        coalesce(after_complaints.satisfaction, in_surveys.satisfaction) as last_satisfaction,
        managers.left_on as account_manager_left_on
    from carried as looks
    inner join customers on looks.customer_key = customers.customer_key
    inner join purchase_days
        on
            looks.customer_key = purchase_days.customer_key
            and looks.last_order_on = purchase_days.day
    left join in_windows
        on
            looks.customer_key = in_windows.customer_key
            and looks.day = in_windows.day
            and in_windows.is_look
    left join month_signals
        on
            looks.customer_key = month_signals.customer_key
            and looks.last_month_end_on = month_signals.day
    left join missed_seasons
        on
            looks.customer_key = missed_seasons.customer_key
            and looks.day = missed_seasons.day
    left join {{ ref('int_balance_months') }} as balances
        on
            looks.customer_key = balances.customer_key
            and looks.day >= balances.valid_from
            and looks.day < balances.valid_to
    left join open_complaints
        on
            looks.customer_key = open_complaints.customer_key
            and looks.day = open_complaints.day
    left join {{ ref('int_satisfaction') }} as after_complaints
        on
            looks.customer_key = after_complaints.customer_key
            and after_complaints.origin = 'complaint'
            and looks.day >= after_complaints.valid_from
            and (looks.day < after_complaints.valid_to or after_complaints.valid_to is null)
    left join {{ ref('int_satisfaction') }} as in_surveys
        on
            looks.customer_key = in_surveys.customer_key
            and in_surveys.origin = 'survey'
            and looks.day >= in_surveys.valid_from
            and (looks.day < in_surveys.valid_to or in_surveys.valid_to is null)
    left join {{ ref('int_account_managers_left') }} as managers
        on
            looks.customer_key = managers.customer_key
            and looks.day >= managers.valid_from
            and (looks.day < managers.valid_to or managers.valid_to is null)
    where looks.is_look
)

select * from final
