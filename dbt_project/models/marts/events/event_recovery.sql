{# Events of one day that are about the same have the same figures, which are worked out once. #}
with events as (
    select
        *,
        concat_ws('|', started_on, region_key, product_key, batch_no) as scope_key
    from {{ ref('events') }}
    where started_on >= {{ as_of_date() }} + 1 - interval '{{ var("trailing_months") }} months'
),

scopes as (
    select distinct
        scope_key,
        product_key,
        batch_no,
        started_on,
        case when region_key = '-1' then 'all' else region_key end as region_key,
        product_key <> '-1' or batch_no is not null as is_of_product,
        started_on - 7 * {{ var('event_weeks_before') }} as first_day,
        started_on - 7 * {{ var('event_weeks_before') }} - interval '{{ var("trailing_months") }} months'
            as bought_from,
        least(started_on + 7 * {{ var('event_weeks_after') }} - 1, {{ as_of_date() }}) as last_day
    from events
),

customers as (
    select * from {{ ref('int_customers') }}
),

-- where a scope reaches: its region with all below
places as (
    select
        scopes.scope_key,
        scopes.is_of_product,
        scopes.started_on,
        scopes.first_day,
        scopes.bought_from,
        scopes.last_day,
        regions.region_key
    from scopes
    inner join {{ ref('dim_region_rollup') }} as regions on scopes.region_key = regions.ancestor_region_key
),

-- a recall of a batch is felt by the whole product
products as (
    select
        scope_key,
        product_key
    from scopes
    where product_key <> '-1'

    union all

    select distinct
        scopes.scope_key,
        order_lines.product_key
    from scopes
    inner join {{ ref('fct_order_lines') }} as order_lines on scopes.batch_no = order_lines.batch_no
    where scopes.product_key = '-1'
),

-- each line put down to its region before it meets the places, of which an event for the whole company has hundreds
product_lines as materialized (
    select
        order_lines.product_key,
        order_lines.order_key,
        order_lines.customer_key,
        order_lines.ordered_on,
        order_lines.order_class,
        order_lines.amount,
        customers.business_line,
        coalesce(nullif(order_lines.region_key, '-1'), customers.region_key, '-1') as region_key
    from {{ ref('fct_order_lines') }} as order_lines
    inner join customers on order_lines.customer_key = customers.customer_key
    where
        order_lines.product_key in (select products.product_key from products)
        and order_lines.ordered_on >= (select min(scopes.bought_from) from scopes)
),

product_sales as (
    select
        places.scope_key,
        places.started_on,
        places.first_day,
        product_lines.order_key,
        product_lines.customer_key,
        product_lines.ordered_on,
        product_lines.order_class,
        product_lines.amount,
        product_lines.business_line
    from places
    inner join products on places.scope_key = products.scope_key
    inner join product_lines
        on
            products.product_key = product_lines.product_key
            and places.region_key = product_lines.region_key
            and places.bought_from <= product_lines.ordered_on
            and places.last_day >= product_lines.ordered_on
),

-- everything that is sold, before it is put down to scopes
order_days as (
    select
        orders.ordered_on,
        coalesce(nullif(orders.region_key, '-1'), customers.region_key, '-1') as region_key,
        customers.business_line,
        count(*) filter (where orders.order_class = 'sale') as orders,
        sum(orders.amount) as revenue
    from {{ ref('fct_orders') }} as orders
    inner join customers on orders.customer_key = customers.customer_key
    where
        orders.ordered_on >= (
            select min(scopes.first_day) from scopes
            where not scopes.is_of_product
        )
    group by 1, 2, 3
),

sold_days as (
    select
        scope_key,
        started_on,
        ordered_on,
        business_line,
        count(distinct order_key) filter (where order_class = 'sale') as orders,
        sum(amount) as revenue
    from product_sales
    where ordered_on >= first_day
    group by 1, 2, 3, 4

    union all

    select
        places.scope_key,
        places.started_on,
        order_days.ordered_on,
        order_days.business_line,
        order_days.orders,
        order_days.revenue
    from places
    inner join order_days
        on
            places.region_key = order_days.region_key
            and places.first_day <= order_days.ordered_on
            and places.last_day >= order_days.ordered_on
    where not places.is_of_product
),

sold as (
    select
        scope_key,
        cast(floor((ordered_on - started_on) / 7.0) as integer) as week,
        sum(orders) as orders,
        sum(revenue) as revenue
    from sold_days
    group by 1, 2
),

-- one day, worked out once and not for each row that it is joined to
lines_begin as materialized (
    select min(ordered_on) as day
    from {{ ref('fct_order_lines') }}
    where
        ordered_on >= (
            select min(scopes.first_day) from scopes
            where scopes.is_of_product
        )
),

-- what nobody has written down is not nothing: a scope without sales has no weeks, nor are there any before its data
beginnings as (
    select
        scopes.scope_key,
        scopes.started_on,
        bool_or(sold_days.revenue is not null) as is_revenue_told,
        greatest(
            max(data_begins.data_begin_on) filter (where sold_days.ordered_on < sold_days.started_on),
            max(lines_begin.day) filter (where scopes.is_of_product)
        ) as data_begin_on
    from scopes
    inner join sold_days on scopes.scope_key = sold_days.scope_key
    inner join {{ ref('int_data_begins') }} as data_begins on sold_days.business_line = data_begins.business_line
    cross join lines_begin
    group by 1, 2
),

weeks as (
    select
        beginnings.scope_key,
        beginnings.is_revenue_told,
        series.week,
        beginnings.started_on + 7 * series.week as week_starts_on,
        beginnings.started_on + 7 * series.week + 6 as week_ends_on
    from beginnings
    cross join
        generate_series(-{{ var('event_weeks_before') }}, {{ var('event_weeks_after') }} - 1) as series (week)
    where
        beginnings.started_on + 7 * series.week + 6 <= {{ as_of_date() }}
        and (
            beginnings.data_begin_on is null
            or beginnings.started_on + 7 * series.week >= beginnings.data_begin_on
        )
),

-- who had bought it before: are they still customers?
audience as (
    select
        scope_key,
        customer_key
    from product_sales
    where
        ordered_on < started_on
        and order_class = 'sale'
        and customer_key <> '-1'

    union

    select
        places.scope_key,
        orders.customer_key
    from places
    inner join {{ ref('fct_orders') }} as orders
        on
            places.bought_from <= orders.ordered_on
            and places.started_on > orders.ordered_on
    inner join customers
        on
            orders.customer_key = customers.customer_key
            and coalesce(nullif(orders.region_key, '-1'), customers.region_key, '-1') = places.region_key
    where
        not places.is_of_product
        and orders.order_class = 'sale'
        and orders.customer_key <> '-1'
),

live_spells as (
    select * from {{ ref('int_stages') }}
    where stage not in ('closed', 'prospect', 'churned')
),

steps as (
    select
        audience.scope_key,
        live_spells.valid_from as day,
        count(*) as step
    from audience
    inner join live_spells on audience.customer_key = live_spells.customer_key
    group by 1, 2

    union all

    select
        audience.scope_key,
        live_spells.valid_to as day,
        -count(*) as step
    from audience
    inner join live_spells on audience.customer_key = live_spells.customer_key
    where live_spells.valid_to is not null
    group by 1, 2

    union all

    select
        scope_key,
        week_ends_on as day,
        0 as step
    from weeks
),

live as (
    select
        scope_key,
        day,
        sum(sum(step)) over (partition by scope_key order by day) as customers
    from steps
    group by 1, 2
),

measured as (
    select
        weeks.*,
        coalesce(sold.orders, 0) as orders,
        case when weeks.is_revenue_told then coalesce(sold.revenue, 0) end as revenue,
        live.customers as live_customers,
        max(live.customers) filter (where weeks.week = -1) over own_scope as live_customers_before
    from weeks
    left join sold
        on
            weeks.scope_key = sold.scope_key
            and weeks.week = sold.week
    inner join live
        on
            weeks.scope_key = live.scope_key
            and weeks.week_ends_on = live.day
    window own_scope as (partition by weeks.scope_key)
),

final as (
    select
        events.event_key,
        measured.week,
        measured.week_starts_on,
        measured.week_ends_on,
        cast(measured.orders as bigint) as orders,
        measured.orders / nullif(avg(measured.orders) filter (where measured.week < 0) over own_event, 0)
            as orders_to_before,
        measured.revenue,
        measured.revenue / nullif(avg(measured.revenue) filter (where measured.week < 0) over own_event, 0)
            as revenue_to_before,
        cast(measured.live_customers as bigint) as live_customers,
        1.0 * measured.live_customers / nullif(measured.live_customers_before, 0) as live_customers_to_before
    from events
    inner join measured on events.scope_key = measured.scope_key
    window own_event as (partition by events.event_key)
)

select * from final
