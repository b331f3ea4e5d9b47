-- Of the customers whose first order fell in a month, the share who ordered in each of the months after it.
with cells as (
    select
        customer_months.cohort_month as month,
        (
            date_part('year', age(customer_months.month, customer_months.cohort_month)) * 12
            + date_part('month', age(customer_months.month, customer_months.cohort_month))
        )::integer as number,
        count(*) filter (where customer_months.orders > 0) as active
    from marts.customer_months
    inner join scoped_customers on customer_months.customer_key = scoped_customers.customer_key
    where
        customer_months.cohort_month is not null
        and customer_months.is_complete
        and customer_months.month <= %(ends_on)s
        and customer_months.cohort_month >= date_trunc('month', %(ends_on)s::date)
        - make_interval(months => %(cohorts_shown)s)
    group by 1, 2
),

final as (
    select
        cells.month,
        cells.number,
        cells.active::numeric / firsts.active as share
    from cells
    inner join cells as firsts
        on cells.month = firsts.month
        and firsts.number = 0
    where
        cells.number > 0
        and firsts.active > 0
)

select * from final
order by month, number
