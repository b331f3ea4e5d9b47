-- One row per figure of the week, beside the week before and the week of a year ago where the data reach so far, and
-- what was sent about the week before; the churn rate brings its two counts along.
with weeks as (
    select
        customer_weeks.week_ends_on,
        count(*) filter (where customer_weeks.stage = 'at_risk') as customers_at_risk,
        sum(customer_weeks.revenue_at_risk) as revenue_at_risk,
        sum(customer_weeks.customers_churned) as customers_churned,
        sum(customer_weeks.lost_revenue) as lost_revenue,
        sum(customer_weeks.customers_end) as customers_end,
        sum(customer_weeks.customers_new) as customers_new,
        sum(customer_weeks.customers_reactivated) as customers_reactivated,
        sum(customer_weeks.churn_members) as churn_members,
        sum(customer_weeks.churn_base) as churn_base,
        sum(customer_weeks.orders) as orders,
        sum(customer_weeks.revenue) as revenue,
        sum(customer_weeks.complaints) as complaints_opened
    from marts.customer_weeks
    inner join scoped_customers on customer_weeks.customer_key = scoped_customers.customer_key
    where customer_weeks.week_ends_on in (%(ends_on)s::date, %(before_ends_on)s, %(year_before_ends_on)s)
    group by 1
),

scoped_complaints as (
    select fct_complaints.*
    from marts.fct_complaints
    inner join scoped_customers on fct_complaints.customer_key = scoped_customers.customer_key
),

open_complaints as (
    select
        weeks.week_ends_on,
        count(scoped_complaints.complaint_key) as complaints_open
    from weeks
    left join scoped_complaints
        on scoped_complaints.opened_on <= weeks.week_ends_on
        and (scoped_complaints.is_open or scoped_complaints.resolved_on > weeks.week_ends_on)
    group by 1
),

figures as (
    select
        weeks.week_ends_on,
        figure.*
    from weeks
    inner join open_complaints on weeks.week_ends_on = open_complaints.week_ends_on
    cross join lateral (
        values
        ('customers_at_risk', weeks.customers_at_risk::numeric, null::numeric, null::numeric),
        ('revenue_at_risk', weeks.revenue_at_risk, null, null),
        ('customers_churned', weeks.customers_churned, null, null),
        ('lost_revenue', weeks.lost_revenue, null, null),
        ('customers_end', weeks.customers_end, null, null),
        ('customers_new', weeks.customers_new, null, null),
        ('customers_reactivated', weeks.customers_reactivated, null, null),
        (
            'churn_rate',
            weeks.churn_members::numeric / nullif(weeks.churn_base, 0),
            weeks.churn_members,
            weeks.churn_base
        ),
        ('orders', weeks.orders, null, null),
        ('revenue', weeks.revenue, null, null),
        ('complaints_opened', weeks.complaints_opened, null, null),
        ('complaints_open', open_complaints.complaints_open, null, null)
    ) as figure (name, value, part, whole)
),

final as (
    select
        this_week.name,
        this_week.value,
        this_week.part,
        this_week.whole,
        this_week.value - last_week.value as change,
        case
            when
                this_week.name not like 'complaints%%'
                or (select min(fct_complaints.opened_on) from marts.fct_complaints) <= %(year_before_ends_on)s::date - 6
                then this_week.value - last_year.value
        end as year_change,
        last_week.value as before,
        figures_as_sent.value as before_as_sent,
        figures_as_sent.feeds as changed_feeds
    from figures as this_week
    left join figures as last_week
        on this_week.name = last_week.name
        and last_week.week_ends_on = %(before_ends_on)s
    left join figures as last_year
        on this_week.name = last_year.name
        and last_year.week_ends_on = %(year_before_ends_on)s
    left join figures_as_sent on this_week.name = figures_as_sent.name
    where
        this_week.week_ends_on = %(ends_on)s
        -- a feed that does not exist is left out, not shown as zero
        and (
            this_week.name not like 'complaints%%'
            or exists (
                select
                from marts.feed_status
                where feed_status.feed = 'complaints'
            )
        )
        -- nor is what the help desk does not record
        and (
            this_week.name <> 'complaints_open'
            or exists (
                select
                from marts.fct_complaints
                where fct_complaints.is_open is not null
            )
        )
)

select * from final
