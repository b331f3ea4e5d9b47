with ranked as (
    select * from {{ ref('int_tiers') }}
),

evenings as (
    select * from {{ ref('int_evening_values') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

months as (
    select * from {{ ref('int_periods') }}
    where grain = 'month'
),

-- customers with the same number above them bring the same; only so many of them are among the biggest
places as (
    select
        months.starts_on as month,
        months.period_ends_on,
        months.is_complete,
        customers.business_line,
        ranked.customers_above,
        evenings.revenue_12m,
        count(*) as customers
    from ranked
    inner join months on ranked.day = months.period_ends_on
    inner join customers on ranked.customer_key = customers.customer_key
    inner join evenings
        on
            ranked.customer_key = evenings.customer_key
            and ranked.day = evenings.day
    group by 1, 2, 3, 4, 5, 6
),

final as (
    select
        month,
        period_ends_on,
        is_complete,
        business_line,
        cast(sum(customers) as bigint) as customers,
        sum(customers * revenue_12m) as revenue_12m,
        sum(customers * revenue_12m * revenue_12m)
        / (sum(customers * revenue_12m) * sum(customers * revenue_12m)) as herfindahl,
        sum(least(customers, 1 - customers_above) * revenue_12m) filter (where customers_above < 1)
        / sum(customers * revenue_12m) as top_1_share,
        sum(least(customers, 10 - customers_above) * revenue_12m) filter (where customers_above < 10)
        / sum(customers * revenue_12m) as top_10_share,
        sum(least(customers, 100 - customers_above) * revenue_12m) filter (where customers_above < 100)
        / sum(customers * revenue_12m) as top_100_share
    from places
    group by 1, 2, 3, 4
)

select * from final
