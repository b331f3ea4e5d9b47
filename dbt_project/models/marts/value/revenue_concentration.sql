with months as (
    select * from {{ ref('customer_months') }}
    where revenue_12m > 0
),

-- customers with the same figure have the same number above them; only so many of them are among the biggest
figures as (
    select
        month,
        period_ends_on,
        is_complete,
        business_line,
        revenue_12m,
        count(*) as customers
    from months
    group by 1, 2, 3, 4, 5
),

places as (
    select
        *,
        sum(customers) over (partition by business_line, month order by revenue_12m desc) - customers as customers_above
    from figures
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
