-- How much of the scope hangs on each account manager as of today, and the next step; of the scope's customers only, so
-- that nobody reads figures of others' customers in a manager's row.
with totals as (
    select
        dim_customer.account_manager_key,
        count(*) as customers,
        count(*) filter (where dim_customer.is_key_customer) as key_customers,
        count(*) filter (where dim_customer.stage = 'at_risk') as customers_at_risk,
        sum(dim_customer.value_12m) as value_12m
    from marts.dim_customer
    inner join scoped_customers on dim_customer.customer_key = scoped_customers.customer_key
    where dim_customer.stage not in ('closed', 'prospect', 'churned')
    group by 1
),

final as (
    select
        dim_account_manager.name as account_manager,
        totals.customers,
        totals.key_customers,
        totals.customers_at_risk,
        totals.value_12m,
        totals.value_12m / nullif(sum(totals.value_12m) over (), 0) as share,
        case
            when totals.account_manager_key = '-1' then 'assign'
            when dim_account_manager.left_on <= %(as_of_date)s then 'hand_over'
            when totals.customers_at_risk > 0 then 'call'
        end as next_step
    from totals
    left join marts.dim_account_manager on totals.account_manager_key = dim_account_manager.account_manager_key
)

select * from final
order by next_step = 'hand_over' desc nulls last, value_12m desc, account_manager
limit %(rows_attached)s
