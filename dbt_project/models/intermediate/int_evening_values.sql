{{ config(
    materialized="incremental",
    incremental_strategy="by_evening",
    indexes=[{"columns": ["customer_key"]}],
) }}

{# Rows for days on which nothing happens are made by counting: an array of the evenings that are looked at, in order,
   tells between which of them two days of a customer fall. All customers are looked at on the new evenings, and those of
   whom something has changed also on the known ones, from that day on. #}
with customers as (
    select
        customers.*,
        policies.bridge_months
    from {{ ref('int_customers') }} as customers
    inner join {{ ref('policies') }} as policies on customers.policy = policies.policy
    where customers.customer_key <> '-1'
),

looked_at as (
    select
        *,
        true as is_new,
        cast('-infinity' as date) as looked_from
    from customers

    {% if goes_on() %}
        union all

        select
            customers.*,
            false as is_new,
            restated.changed_on as looked_from
        from customers
        {{ with_restated_customers('customers.customer_key') }}
        where restated.changed_on is not null
    {% endif %}
),

customer_days as (
    select
        customer_days.*,
        looked_at.bridge_months,
        looked_at.is_new,
        looked_at.looked_from
    from {{ ref('int_customer_days') }} as customer_days
    inner join looked_at on customer_days.customer_key = looked_at.customer_key
),

evenings as (
    select * from {{ ref('int_evenings') }}
),

calendars as (
    select
        is_new,
        array_agg(day order by day) as evenings,
        array_agg(year_before order by day) as years_before
    from evenings
    group by 1
),

spans as (
    select distinct bridge_months from {{ ref('policies') }}
    where bridge_months <> {{ var('trailing_months') }}
),

-- the bridge of some policies compares shorter spans than the trailing year
bridge_calendars as (
    select
        calendars.is_new,
        spans.bridge_months,
        array_agg(evening.day order by evening.day) as evenings,
        array_agg({{ months_before_end('evening.day', 'spans.bridge_months') }} order by evening.day) as spans_before
    from calendars
    cross join lateral unnest(calendars.evenings) as evening (day)
    cross join spans
    group by 1, 2
),

-- known, but nothing has happened yet
waiting as (
    select
        looked_at.customer_key,
        evening.day
    from looked_at
    inner join calendars on looked_at.is_new = calendars.is_new
    cross join lateral {{ at_places(
        'calendars.evenings', 'looked_at.first_seen_on', 'looked_at.first_active_on', 'calendars.evenings'
    ) }} as evening (day)
    where
        evening.day >= looked_at.looked_from
        and (looked_at.first_active_on > calendars.evenings[1] or looked_at.first_active_on is null)
),

happened as (
    select
        customer_days.customer_key,
        evening.day,
        customer_days.first_order_on,
        customer_days.last_order_on,
        customer_days.bridge_months,
        customer_days.orders_to_date,
        customer_days.revenue_to_date,
        customer_days.cost_to_date,
        customer_days.costed_revenue_to_date,
        customer_days.value_12m
    from customer_days
    inner join calendars on customer_days.is_new = calendars.is_new
    cross join lateral {{ at_places(
        'calendars.evenings', 'customer_days.day', 'customer_days.next_day', 'calendars.evenings'
    ) }} as evening (day)
    where
        evening.day >= customer_days.looked_from
        and (customer_days.next_day > calendars.evenings[1] or customer_days.next_day is null)
),

-- what there had been before the trailing year of an evening began
earlier as (
    select
        customer_days.customer_key,
        evening.day,
        customer_days.orders_to_date,
        customer_days.revenue_to_date,
        customer_days.cost_to_date,
        customer_days.costed_revenue_to_date
    from customer_days
    inner join calendars on customer_days.is_new = calendars.is_new
    cross join lateral {{ at_places(
        'calendars.evenings', 'customer_days.day', 'customer_days.next_day', 'calendars.years_before'
    ) }} as evening (day)
    where
        evening.day >= customer_days.looked_from
        and (customer_days.next_day > calendars.years_before[1] or customer_days.next_day is null)
),

before_bridge as (
    select
        customer_days.customer_key,
        evening.day,
        customer_days.revenue_to_date
    from customer_days
    inner join bridge_calendars as calendars
        on
            customer_days.is_new = calendars.is_new
            and customer_days.bridge_months = calendars.bridge_months
    cross join lateral {{ at_places(
        'calendars.evenings', 'customer_days.day', 'customer_days.next_day', 'calendars.spans_before'
    ) }} as evening (day)
    where
        evening.day >= customer_days.looked_from
        and (customer_days.next_day > calendars.spans_before[1] or customer_days.next_day is null)
),

final as (
    select
        happened.customer_key,
        happened.day,
        happened.first_order_on,
        happened.last_order_on,
        happened.orders_to_date - coalesce(earlier.orders_to_date, 0) as orders_12m,
        happened.revenue_to_date - coalesce(earlier.revenue_to_date, 0) as revenue_12m,
        happened.cost_to_date - coalesce(earlier.cost_to_date, 0) as cost_12m,
        happened.costed_revenue_to_date - coalesce(earlier.costed_revenue_to_date, 0) as costed_revenue_12m,
        happened.revenue_to_date
        - case
            when happened.bridge_months = {{ var('trailing_months') }} then coalesce(earlier.revenue_to_date, 0)
            else coalesce(before_bridge.revenue_to_date, 0)
        end as bridge_revenue,
        happened.value_12m
    from happened
    left join earlier
        on
            happened.customer_key = earlier.customer_key
            and happened.day = earlier.day
    left join before_bridge
        on
            happened.customer_key = before_bridge.customer_key
            and happened.day = before_bridge.day

    union all

    select
        customer_key,
        day,
        null as first_order_on,
        null as last_order_on,
        0 as orders_12m,
        0 as revenue_12m,
        null as cost_12m,
        null as costed_revenue_12m,
        0 as bridge_revenue,
        0 as value_12m
    from waiting
)

select * from final
