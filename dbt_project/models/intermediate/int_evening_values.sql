{# Rows for days on which nothing happens are made by counting: an array of the evenings that are looked at, in order,
   tells between which of them two days of a customer fall. #}
with customers as (
    select * from {{ ref('int_customers') }}
    where customer_key <> '-1'
),

customer_days as (
    select * from {{ ref('int_customer_days') }}
    where customer_key <> '-1'
),

stages as (
    select * from {{ ref('int_stages') }}
),

evenings as (
    select period_ends_on as day from {{ ref('int_periods') }}
    union
    select evening_before from {{ ref('int_periods') }}
),

numbered as (
    select
        day,
        cast(row_number() over (order by day) as integer) as place,
        -- the evening before the trailing year
        cast(day + 1 - interval '{{ var("trailing_months") }} months' as date) - 1 as year_before
    from evenings
),

calendar as (
    select
        array_agg(day order by place) as evenings,
        array_agg(year_before order by place) as years_before
    from numbered
),

first_days as (
    select
        customer_key,
        min(day) as day
    from customer_days
    group by 1
),

-- known, but nothing has happened yet
waiting as (
    select
        customers.customer_key,
        series.place
    from customers
    cross join calendar
    left join first_days on customers.customer_key = first_days.customer_key
    cross join lateral {{ places(
        'customers.first_seen_on', 'first_days.day', 'calendar.evenings'
    ) }} as series (place)
),

happened as (
    select
        customer_days.customer_key,
        series.place,
        customer_days.first_order_on,
        customer_days.last_order_on,
        customer_days.revenue_to_date,
        customer_days.value_12m
    from customer_days
    cross join calendar
    cross join lateral {{ places(
        'customer_days.day', 'customer_days.next_day', 'calendar.evenings'
    ) }} as series (place)
),

-- what had been earned before the trailing year of an evening began
earlier as (
    select
        customer_days.customer_key,
        series.place,
        customer_days.revenue_to_date
    from customer_days
    cross join calendar
    cross join lateral {{ places(
        'customer_days.day', 'customer_days.next_day', 'calendar.years_before'
    ) }} as series (place)
),

staged as (
    select
        stages.customer_key,
        series.place,
        stages.stage
    from stages
    cross join calendar
    cross join lateral {{ places(
        'stages.valid_from', 'stages.valid_to', 'calendar.evenings'
    ) }} as series (place)
),

combined as (
    select
        happened.customer_key,
        happened.place,
        happened.first_order_on,
        happened.last_order_on,
        happened.revenue_to_date - coalesce(earlier.revenue_to_date, 0) as revenue_12m,
        happened.value_12m
    from happened
    left join earlier
        on
            happened.customer_key = earlier.customer_key
            and happened.place = earlier.place

    union all

    select
        customer_key,
        place,
        null as first_order_on,
        null as last_order_on,
        0 as revenue_12m,
        0 as value_12m
    from waiting
),

final as (
    select
        combined.customer_key,
        numbered.day,
        staged.stage,
        combined.first_order_on,
        combined.last_order_on,
        combined.revenue_12m,
        combined.value_12m
    from combined
    inner join numbered on combined.place = numbered.place
    inner join staged
        on
            combined.customer_key = staged.customer_key
            and combined.place = staged.place
)

select * from final
