-- What it is worth when so many of a hundred live customers more stay for a year: that share of what all of them who
-- were there at the month's start are worth.
with final as (
    select
        count(*) as customers,
        %(what_if_points)s / 100.0 * count(*) as more_customers,
        %(what_if_points)s / 100.0 * sum(customer_months.value_12m) as more_revenue
    from marts.customer_months
    inner join scoped_customers on customer_months.customer_key = scoped_customers.customer_key
    where
        customer_months.month = date_trunc('month', %(ends_on)s::date)
        and customer_months.customers_start = 1
        and customer_months.value_12m > 0
    having count(*) > 0
)

select * from final
