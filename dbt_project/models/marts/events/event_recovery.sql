with events as (
    select
        *,
        started_on - 7 * {{ var('event_weeks_before') }} as first_day,
        least(started_on + 7 * {{ var('event_weeks_after') }} - 1, {{ as_of_date() }}) as last_day
    from {{ ref('events') }}
    where started_on >= {{ as_of_date() }} + 1 - interval '{{ var("trailing_months") }} months'
),

weeks as (
    select
        events.event_key,
        events.started_on,
        series.week,
        events.started_on + 7 * series.week as week_starts_on,
        events.started_on + 7 * series.week + 6 as week_ends_on
    from events
    cross join
        generate_series(-{{ var('event_weeks_before') }}, {{ var('event_weeks_after') }} - 1) as series (week)
    where events.started_on + 7 * series.week + 6 <= {{ as_of_date() }}
),

regions as (
    select * from {{ ref('dim_region_rollup') }}
),

-- a recall of a batch is felt by the whole product
products as (
    select
        event_key,
        product_key
    from events
    where product_key <> '-1'

    union all

    select distinct
        events.event_key,
        order_lines.product_key
    from events
    inner join {{ ref('fct_order_lines') }} as order_lines on events.batch_no = order_lines.batch_no
    where events.product_key = '-1'
),

-- what the event is about, in the year before it and until its last week
sales as (
    select
        events.event_key,
        order_lines.order_key,
        order_lines.customer_key,
        order_lines.region_key,
        order_lines.ordered_on,
        order_lines.order_class,
        order_lines.amount
    from events
    inner join products on events.event_key = products.event_key
    inner join {{ ref('fct_order_lines') }} as order_lines
        on
            products.product_key = order_lines.product_key
            and order_lines.ordered_on >= events.first_day - interval '{{ var("trailing_months") }} months'
            and events.last_day >= order_lines.ordered_on

    union all

    select
        events.event_key,
        orders.order_key,
        orders.customer_key,
        orders.region_key,
        orders.ordered_on,
        orders.order_class,
        orders.amount
    from events
    inner join {{ ref('fct_orders') }} as orders
        on
            orders.ordered_on >= events.first_day - interval '{{ var("trailing_months") }} months'
            and events.last_day >= orders.ordered_on
    where
        events.product_key = '-1'
        and events.batch_no is null
),

inside as (
    select
        sales.*,
        events.started_on,
        events.first_day
    from sales
    inner join events on sales.event_key = events.event_key
    left join regions
        on
            events.region_key = regions.ancestor_region_key
            and sales.region_key = regions.region_key
    where
        events.region_key = '-1'
        or regions.region_key is not null
),

sold as (
    select
        event_key,
        cast(floor((ordered_on - started_on) / 7.0) as integer) as week,
        count(distinct order_key) filter (where order_class = 'sale') as orders,
        sum(amount) as revenue
    from inside
    where ordered_on >= first_day
    group by 1, 2
),

-- who had bought it before: are they still customers?
audience as (
    select distinct
        event_key,
        customer_key
    from inside
    where
        ordered_on < started_on
        and order_class = 'sale'
        and customer_key <> '-1'
),

live_spells as (
    select * from {{ ref('int_stages') }}
    where stage not in ('closed', 'prospect', 'churned')
),

steps as (
    select
        audience.event_key,
        live_spells.valid_from as day,
        count(*) as step
    from audience
    inner join live_spells on audience.customer_key = live_spells.customer_key
    group by 1, 2

    union all

    select
        audience.event_key,
        live_spells.valid_to as day,
        -count(*) as step
    from audience
    inner join live_spells on audience.customer_key = live_spells.customer_key
    where live_spells.valid_to is not null
    group by 1, 2

    union all

    select
        event_key,
        week_ends_on as day,
        0 as step
    from weeks
),

live as (
    select
        event_key,
        day,
        sum(sum(step)) over (partition by event_key order by day) as customers
    from steps
    group by 1, 2
),

measured as (
    select
        weeks.*,
        coalesce(sold.orders, 0) as orders,
        coalesce(sold.revenue, 0) as revenue,
        live.customers as live_customers,
        max(live.customers) filter (where weeks.week = -1) over own_event as live_customers_before
    from weeks
    left join sold
        on
            weeks.event_key = sold.event_key
            and weeks.week = sold.week
    inner join live
        on
            weeks.event_key = live.event_key
            and weeks.week_ends_on = live.day
    window own_event as (partition by weeks.event_key)
),

final as (
    select
        event_key,
        week,
        week_starts_on,
        week_ends_on,
        orders,
        orders / nullif(avg(orders) filter (where week < 0) over own_event, 0) as orders_to_before,
        revenue,
        revenue / nullif(avg(revenue) filter (where week < 0) over own_event, 0) as revenue_to_before,
        cast(live_customers as bigint) as live_customers,
        1.0 * live_customers / nullif(live_customers_before, 0) as live_customers_to_before
    from measured
    window own_event as (partition by event_key)
)

select * from final
