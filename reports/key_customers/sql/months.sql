-- What each of them ordered, month by month; months in which nothing is known of them have no row.
with final as (
    select
        customer_months.customer_key,
        customer_months.month,
        customer_months.orders,
        customer_months.revenue,
        customer_months.complaints,
        customer_months.stage
    from marts.customer_months
    inner join scoped_customers on customer_months.customer_key = scoped_customers.customer_key
    where
        customer_months.customer_key = any(%(customer_keys)s)
        and customer_months.month <= %(ends_on)s
        and customer_months.month > %(ends_on)s::date - make_interval(months => %(months_shown)s)
)

select * from final
order by customer_key, month
