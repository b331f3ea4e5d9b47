-- One row per week of the last few, up to this one: who was at risk at its end, who left during it.
with final as (
    select
        customer_weeks.week_ends_on,
        count(*) filter (where customer_weeks.stage = 'at_risk') as customers_at_risk,
        sum(customer_weeks.customers_churned)::bigint as customers_churned
    from marts.customer_weeks
    inner join scoped_customers on customer_weeks.customer_key = scoped_customers.customer_key
    where
        customer_weeks.week_ends_on > %(ends_on)s::date - 7 * %(trend_weeks)s
        and customer_weeks.week_ends_on <= %(ends_on)s
    group by 1
)

select * from final
order by week_ends_on
