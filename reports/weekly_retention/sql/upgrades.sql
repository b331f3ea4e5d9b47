-- Customers within reach of the next tier, dearest first, and open to a call.
with final as (
    select
        dim_customer_contact.name,
        dim_customer_contact.phone,
        dim_customer.customer_id,
        dim_account_manager.name as account_manager,
        upgrade_candidates.tier,
        upgrade_candidates.next_tier,
        upgrade_candidates.figure_12m,
        upgrade_candidates.missing,
        upgrade_candidates.growth,
        count(*) over () as candidates,
        row_number() over (order by upgrade_candidates.figure_12m desc, upgrade_candidates.customer_key) as place
    from marts.upgrade_candidates
    inner join scoped_customers on upgrade_candidates.customer_key = scoped_customers.customer_key
    inner join marts.dim_customer on upgrade_candidates.customer_key = dim_customer.customer_key
    left join marts.dim_customer_contact on upgrade_candidates.customer_key = dim_customer_contact.customer_key
    left join marts.dim_account_manager on dim_customer.account_manager_key = dim_account_manager.account_manager_key
    where dim_customer.do_not_contact is distinct from true
)

select * from final
order by place
limit %(rows_attached)s
