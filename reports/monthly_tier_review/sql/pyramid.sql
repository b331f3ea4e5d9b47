-- The tiers from the top down at the month's end: how many, how much of them all, and who came from below or above.
with tiers as (
    select
        customer_months.tier,
        count(*) as customers,
        sum(customer_months.revenue_12m) as revenue_12m,
        count(*) filter (where customer_months.stage = 'at_risk') as customers_at_risk
    from marts.customer_months
    inner join scoped_customers on customer_months.customer_key = scoped_customers.customer_key
    where
        customer_months.month = date_trunc('month', %(ends_on)s::date)
        and customer_months.tier <> 'none'
    group by 1
),

movements as (
    select
        tier_movements.to_tier as tier,
        count(*) filter (where tier_movements.direction = 'up') as risen,
        count(*) filter (where tier_movements.direction = 'down') as fallen
    from marts.tier_movements
    inner join scoped_customers on tier_movements.customer_key = scoped_customers.customer_key
    where tier_movements.month = date_trunc('month', %(ends_on)s::date)
    group by 1
),

final as (
    select
        ladder.tier,
        ladder.place,
        coalesce(tiers.customers, 0) as customers,
        coalesce(tiers.customers_at_risk, 0) as customers_at_risk,
        tiers.revenue_12m,
        tiers.customers / nullif(sum(tiers.customers) over (), 0) as share_of_customers,
        tiers.revenue_12m / nullif(sum(tiers.revenue_12m) over (), 0) as share_of_revenue,
        coalesce(movements.risen, 0) as risen,
        coalesce(movements.fallen, 0) as fallen
    from (values ('vip', 1), ('major', 2), ('ordinary', 3), ('small', 4)) as ladder (tier, place)
    left join tiers on ladder.tier = tiers.tier
    left join movements on ladder.tier = movements.tier
)

select * from final
order by place
