-- Complaints that are open past the promised time, by the account manager who owns the customer; most first.
with final as (
    select
        dim_account_manager.name as account_manager,
        count(*) as complaints,
        max(%(as_of_date)s::date - fct_complaints.opened_on) as longest_days_open
    from marts.fct_complaints
    inner join scoped_customers on fct_complaints.customer_key = scoped_customers.customer_key
    inner join marts.dim_customer on fct_complaints.customer_key = dim_customer.customer_key
    left join marts.dim_account_manager on dim_customer.account_manager_key = dim_account_manager.account_manager_key
    where fct_complaints.overdue_on is not null
    group by dim_customer.account_manager_key, dim_account_manager.name
)

select * from final
order by complaints desc, longest_days_open desc, account_manager
limit %(rows_listed)s
