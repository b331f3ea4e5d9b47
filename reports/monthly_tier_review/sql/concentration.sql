-- How much of the scope's revenue of twelve months its largest customers bring.
with placed as (
    select
        customer_months.revenue_12m,
        row_number() over (order by customer_months.revenue_12m desc) as place
    from marts.customer_months
    inner join scoped_customers on customer_months.customer_key = scoped_customers.customer_key
    where
        customer_months.month = date_trunc('month', %(ends_on)s::date)
        and customer_months.revenue_12m > 0
),

final as (
    select
        count(*) as customers,
        sum(revenue_12m) as revenue_12m,
        sum(revenue_12m) filter (where place <= 1) / sum(revenue_12m) as top_1_share,
        sum(revenue_12m) filter (where place <= 10) / sum(revenue_12m) as top_10_share,
        sum(revenue_12m) filter (where place <= 100) / sum(revenue_12m) as top_100_share
    from placed
    having count(*) > 0
)

select * from final
