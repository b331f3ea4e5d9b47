-- Who changed the tier in the month: those who fell first, the dearest of them first.
with final as (
    select
        tier_movements.customer_key,
        dim_customer.customer_id,
        dim_customer_contact.name,
        dim_customer_contact.phone,
        dim_customer.stage,
        dim_account_manager.name as account_manager,
        tier_movements.from_tier,
        tier_movements.to_tier,
        tier_movements.direction,
        tier_movements.revenue_12m,
        count(*) filter (where tier_movements.direction = 'down') over () as fallen,
        count(*) filter (where tier_movements.direction = 'up') over () as risen,
        row_number() over (
            order by
                tier_movements.direction = 'up', dim_customer.value_12m desc, tier_movements.customer_key
        ) as place
    from marts.tier_movements
    inner join scoped_customers on tier_movements.customer_key = scoped_customers.customer_key
    inner join marts.dim_customer on tier_movements.customer_key = dim_customer.customer_key
    left join marts.dim_customer_contact on tier_movements.customer_key = dim_customer_contact.customer_key
    left join marts.dim_account_manager on dim_customer.account_manager_key = dim_account_manager.account_manager_key
    where tier_movements.month = date_trunc('month', %(ends_on)s::date)
)

select * from final
order by place
limit %(rows_attached)s
