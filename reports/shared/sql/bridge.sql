-- How revenue came from the month before to the last complete one, summed over the scope's customers.
with months as (
    select customer_months.*
    from marts.customer_months
    inner join scoped_customers on customer_months.customer_key = scoped_customers.customer_key
    where customer_months.month = (
        -- asked of the scope's customers: of all, it would be most of a small scope's time
        select max(complete.month)
        from marts.customer_months as complete
        inner join scoped_customers on complete.customer_key = scoped_customers.customer_key
        where complete.is_complete and complete.period_ends_on <= %(ends_on)s
    )
    and customer_months.bridge_class is not null
),

totals as (
    select
        max(month) as month,
        sum(revenue_start) as revenue_start,
        sum(revenue_end) as revenue_end,
        sum(bridge_amount) filter (where bridge_class = 'new') as new,
        sum(bridge_amount) filter (where bridge_class = 'reactivated') as reactivated,
        sum(bridge_amount) filter (where bridge_class = 'expansion') as expansion,
        sum(bridge_amount) filter (where bridge_class = 'contraction') as contraction,
        sum(bridge_amount) filter (where bridge_class = 'lapsed') as lapsed
    from months
),

final as (
    select
        step.place,
        totals.month,
        step.name,
        coalesce(step.amount, 0) as amount
    from totals
    cross join lateral (
        values
        (1, 'start', totals.revenue_start),
        (2, 'new', totals.new),
        (3, 'reactivated', totals.reactivated),
        (4, 'expansion', totals.expansion),
        (5, 'contraction', totals.contraction),
        (6, 'lapsed', totals.lapsed),
        (7, 'end', totals.revenue_end)
    ) as step (place, name, amount)
    where totals.month is not null
)

select * from final
order by place
