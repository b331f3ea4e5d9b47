-- Why those who churned lately left, dearest class first: what somebody said apart from what we guess.
with churned as (
    select
        customer_weeks.customer_key,
        min(customer_weeks.week_ends_on) - 6 as week_starts_on,
        sum(customer_weeks.lost_revenue) as lost_revenue
    from marts.customer_weeks
    inner join scoped_customers on customer_weeks.customer_key = scoped_customers.customer_key
    where
        customer_weeks.customers_churned = 1
        and customer_weeks.week_ends_on > %(ends_on)s::date - 7 * %(recently_churned_weeks)s
        and customer_weeks.week_ends_on <= %(ends_on)s
    group by 1
),

explained as (
    select distinct on (churned.customer_key)
        churned.*,
        coalesce(churn_reasons.reason_class, 'unknown') as reason_class,
        churn_reasons.is_inferred,
        nullif(churn_reasons.sub_reason, 'unknown') as sub_reason
    from churned
    left join marts.churn_reasons
        on churned.customer_key = churn_reasons.customer_key
        and churn_reasons.month >= date_trunc('month', churned.week_starts_on)
        and churn_reasons.month <= %(ends_on)s
    order by churned.customer_key, churn_reasons.month desc
),

final as (
    select
        reason_class,
        is_inferred,
        count(*) as customers,
        sum(lost_revenue) as lost_revenue,
        array_agg(distinct sub_reason) filter (where sub_reason <> 'other') as sub_reasons,
        sum(count(*)) over () as churned
    from explained
    group by 1, 2
)

select * from final
order by lost_revenue desc nulls last, customers desc, reason_class, is_inferred
limit %(rows_listed)s
