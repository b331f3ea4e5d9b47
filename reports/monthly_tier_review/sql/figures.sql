-- One row per figure of the month, beside the month before and the same month last year, and what was sent about the
-- month before; the churn rate brings its two counts along.
with months as (
    select
        customer_months.month,
        sum(customer_months.customers_end) as customers_end,
        sum(customer_months.customers_new) as customers_new,
        sum(customer_months.customers_reactivated) as customers_reactivated,
        sum(customer_months.customers_churned) as customers_churned,
        sum(customer_months.churn_members) as churn_members,
        sum(customer_months.churn_base) as churn_base,
        sum(customer_months.revenue) as revenue,
        sum(customer_months.revenue_at_risk) as revenue_at_risk,
        sum(customer_months.lost_revenue) as lost_revenue
    from marts.customer_months
    inner join scoped_customers on customer_months.customer_key = scoped_customers.customer_key
    where customer_months.month in (
        date_trunc('month', %(ends_on)s::date),
        date_trunc('month', %(before_ends_on)s::date),
        date_trunc('month', %(year_before_ends_on)s::date)
    )
    group by 1
),

figures as (
    select
        months.month,
        figure.*
    from months
    cross join lateral (
        values
        ('customers_end', months.customers_end::numeric, null::numeric, null::numeric),
        ('customers_new', months.customers_new, null, null),
        ('customers_reactivated', months.customers_reactivated, null, null),
        ('customers_churned', months.customers_churned, null, null),
        (
            'churn_rate',
            months.churn_members::numeric / nullif(months.churn_base, 0),
            months.churn_members,
            months.churn_base
        ),
        ('revenue', months.revenue, null, null),
        ('revenue_at_risk', months.revenue_at_risk, null, null),
        ('lost_revenue', months.lost_revenue, null, null)
    ) as figure (name, value, part, whole)
),

final as (
    select
        this_month.name,
        this_month.value,
        this_month.part,
        this_month.whole,
        this_month.value - last_month.value as change,
        this_month.value - last_year.value as year_change,
        last_month.value as before,
        figures_as_sent.value as before_as_sent,
        figures_as_sent.feeds as changed_feeds
    from figures as this_month
    left join figures as last_month
        on this_month.name = last_month.name
        and last_month.month = date_trunc('month', %(before_ends_on)s::date)
    left join figures as last_year
        on this_month.name = last_year.name
        and last_year.month = date_trunc('month', %(year_before_ends_on)s::date)
    left join figures_as_sent on this_month.name = figures_as_sent.name
    where this_month.month = date_trunc('month', %(ends_on)s::date)
)

select * from final
