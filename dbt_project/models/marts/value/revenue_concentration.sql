with months as (
    select * from {{ ref('customer_months') }}
    where revenue_12m > 0
),

-- among equals it does not matter who comes first: their figures are the same
placed as (
    select
        *,
        row_number() over (partition by business_line, month order by revenue_12m desc) as place
    from months
),

final as (
    select
        month,
        period_ends_on,
        is_complete,
        business_line,
        count(*) as customers,
        sum(revenue_12m) as revenue_12m,
        sum(revenue_12m * revenue_12m) / (sum(revenue_12m) * sum(revenue_12m)) as herfindahl,
        sum(revenue_12m) filter (where place <= 1) / sum(revenue_12m) as top_1_share,
        sum(revenue_12m) filter (where place <= 10) / sum(revenue_12m) as top_10_share,
        sum(revenue_12m) filter (where place <= 100) / sum(revenue_12m) as top_100_share
    from placed
    group by 1, 2, 3, 4
)

select * from final
