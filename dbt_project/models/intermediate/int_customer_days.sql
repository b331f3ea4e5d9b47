{{ config(
    materialized="incremental",
    incremental_strategy="by_customer",
    indexes=[{"columns": ["customer_key", "day"]}],
    meta={"lasts_until": "day"},
) }}

{# The purchase with which a changed customer is taken up was there before and is now, so the days up to it stay. #}
with orders as (
    {{ from_changed_days(ref('int_orders'), 'ordered_on') }}
),

complaints as (
    {{ from_changed_days(ref('int_complaints'), 'opened_on') }}
),

costed_lines as (
    select
        order_lines.customer_key,
        order_lines.ordered_on as day,
        order_lines.quantity * unit_costs.unit_cost as known_cost,
        order_lines.amount as costed_revenue
    from {{ ref('int_order_lines') }} as order_lines
    inner join {{ ref('int_unit_costs') }} as unit_costs
        on
            order_lines.product_key = unit_costs.product_key
            and unit_costs.unit_cost is not null
    where
        order_lines.quantity is not null
        and {{ of_changed_customers('order_lines.customer_key', until='order_lines.ordered_on') }}
),

events as (
    select
        customer_key,
        ordered_on as day,
        case when order_class = 'sale' then 1 else 0 end as orders,
        case when order_class = 'sale' and is_on_time is not null then 1 else 0 end as orders_promised,
        case when order_class = 'sale' and is_on_time then 1 else 0 end as orders_on_time,
        amount as revenue,
        case when order_class = 'sale' then amount else 0 end as spend,
        cast(null as numeric) as known_cost,
        cast(null as numeric) as costed_revenue,
        0 as complaints
    from orders
    where order_class <> 'void'

    union all

    select
        customer_key,
        opened_on as day,
        0 as orders,
        0 as orders_promised,
        0 as orders_on_time,
        0 as revenue,
        0 as spend,
        null as known_cost,
        null as costed_revenue,
        1 as complaints
    from complaints

    union all

    select
        customer_key,
        day,
        0 as orders,
        0 as orders_promised,
        0 as orders_on_time,
        0 as revenue,
        0 as spend,
        known_cost,
        costed_revenue,
        0 as complaints
    from costed_lines
),

-- how many days there are cannot be foretold: hashing them would not fit into memory
in_order as (
    select * from events
    order by customer_key, day
),

daily as (
    select
        customer_key,
        day,
        -- the day after less 12 months is the first day of the trailing year
        day + 1 as next_evening,
        cast(sum(orders) as integer) as orders,
        cast(sum(orders_promised) as integer) as orders_promised,
        cast(sum(orders_on_time) as integer) as orders_on_time,
        sum(revenue) as revenue,
        sum(spend) as spend,
        sum(known_cost) as known_cost,
        sum(costed_revenue) as costed_revenue,
        cast(sum(complaints) as integer) as complaints
    from in_order
    group by customer_key, day

    {% if goes_on() %}
        union all

        -- what there was before stays as it is, and is summed up with what follows
        select
            days_before.customer_key,
            days_before.day,
            days_before.day + 1 as next_evening,
            days_before.orders,
            days_before.orders_promised,
            days_before.orders_on_time,
            days_before.revenue,
            days_before.spend,
            days_before.known_cost,
            days_before.costed_revenue,
            days_before.complaints
        from {{ this }} as days_before
        {{ with_changed_customers('days_before.customer_key') }}
        where days_before.day < changed.silence_began_on
    {% endif %}
),

yearly as (
    select
        *,
        min(case when orders > 0 then day end) over to_date as first_order_on,
        max(case when orders > 0 then day end) over to_date as last_order_on,
        cast(sum(orders) over to_date as integer) as orders_to_date,
        sum(revenue) over to_date as revenue_to_date,
        sum(known_cost) over to_date as cost_to_date,
        sum(costed_revenue) over to_date as costed_revenue_to_date,
        sum(revenue) over (
            partition by customer_key order by next_evening
            range between interval '{{ var("trailing_months") }} months -1 day' preceding and current row
        ) as revenue_12m,
        lead(day) over to_date as next_day
    from daily
    window to_date as (partition by customer_key order by next_evening rows unbounded preceding)
),

-- the trailing year of the last order stands, less what came back since
valued as (
    select
        *,
        revenue_to_date + max(case when orders > 0 then revenue_12m - revenue_to_date end) over last_order as value_12m
    from yearly
    window last_order as (partition by customer_key, last_order_on)
),

final as (
    select
        customer_key,
        day,
        next_day,
        orders,
        orders_promised,
        orders_on_time,
        revenue,
        spend,
        known_cost,
        costed_revenue,
        complaints,
        first_order_on,
        last_order_on,
        orders_to_date,
        revenue_to_date,
        cost_to_date,
        costed_revenue_to_date,
        revenue_12m,
        coalesce(value_12m, 0) as value_12m
    from valued
    where {{ of_changed_customers(until='day') }}
)

select * from final
