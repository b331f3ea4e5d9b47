-- What was tried, newest first.
with final as (
    select
        fct_contacts.customer_key,
        fct_contacts.contacted_on,
        fct_contacts.channel,
        fct_contacts.outcome,
        fct_contacts.reason_code,
        fct_contacts.competitor,
        dim_account_manager.name as account_manager,
        row_number() over (
            partition by fct_contacts.customer_key
            order by fct_contacts.contacted_at desc, fct_contacts.contact_key
        ) as place
    from marts.fct_contacts
    inner join scoped_customers on fct_contacts.customer_key = scoped_customers.customer_key
    left join marts.dim_account_manager on fct_contacts.account_manager_key = dim_account_manager.account_manager_key
    where
        fct_contacts.customer_key = any(%(customer_keys)s)
        and fct_contacts.contacted_on <= %(ends_on)s
)

select * from final
where place <= %(rows_listed)s
order by customer_key, place
