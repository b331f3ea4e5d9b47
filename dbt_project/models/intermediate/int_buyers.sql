{# RFM scores run from 1 to this, the quintile that is exceeded and one. #}
{% set scores = 5 %}

with customers as (
    select * from {{ ref('int_customers') }}
),

evenings as (
    select * from {{ ref('int_customer_evenings') }}
    where day = {{ as_of_date() }}
),

recent as (
    select
        customer_key,
        sum(orders) as orders_12m
    from {{ ref('int_customer_days') }}
    where
        day >= {{ as_of_date() }} + 1 - interval '{{ var("trailing_months") }} months'
        and orders > 0
    group by 1
),

buyers as (
    select
        customers.customer_key,
        customers.business_line,
        -- closed in any way
        coalesce(customers.closed_on between evenings.last_order_on and {{ as_of_date() }}, false) as is_closed,
        evenings.last_order_on,
        recent.orders_12m,
        evenings.revenue_12m
    from recent
    inner join customers on recent.customer_key = customers.customer_key
    inner join evenings on recent.customer_key = evenings.customer_key
),

medians as (
    select
        business_line,
        percentile_cont(0.5) within group (order by orders_12m) as orders_12m,
        percentile_cont(0.5) within group (order by revenue_12m) as revenue_12m
    from buyers
    where not is_closed
    group by 1
),

-- a rank less 1 is the number of those who are strictly worse
ranked as (
    select
        buyers.customer_key,
        1 + {{ scores }} * (rank() over (line order by buyers.last_order_on) - 1) / count(*) over line as rfm_recency,
        1 + {{ scores }} * (rank() over (line order by buyers.orders_12m) - 1) / count(*) over line as rfm_frequency,
        1 + {{ scores }} * (rank() over (line order by buyers.revenue_12m) - 1) / count(*) over line as rfm_money,
        case when buyers.revenue_12m > medians.revenue_12m then 'high' else 'low' end || '_spend_'
        || case when buyers.orders_12m > medians.orders_12m then 'high' else 'low' end || '_frequency' as segment
    from buyers
    inner join medians on buyers.business_line = medians.business_line
    where not buyers.is_closed
    window line as (partition by buyers.business_line)
),

final as (
    select
        buyers.customer_key,
        buyers.orders_12m,
        cast(ranked.rfm_recency as integer) as rfm_recency,
        cast(ranked.rfm_frequency as integer) as rfm_frequency,
        cast(ranked.rfm_money as integer) as rfm_money,
        ranked.segment
    from buyers
    left join ranked on buyers.customer_key = ranked.customer_key
)

select * from final
