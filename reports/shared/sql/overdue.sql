-- Complaints that are open past the time that was promised, those of the dearest customers first, with who owns them;
-- only those of key customers where the report's `key_customers_only` is 1; and where `said_again_days` is not 0, only on
-- the day on which they became overdue, and each time they have been so for that many days more.
with final as (
    select
        dim_customer.customer_key,
        dim_customer_contact.name,
        dim_customer_contact.phone,
        dim_customer.customer_id,
        dim_customer.value_tier,
        dim_customer.value_12m,
        dim_account_manager.name as account_manager,
        fct_complaints.complaint_id,
        fct_complaints.category,
        fct_complaints.severity,
        fct_complaints.opened_on,
        %(as_of_date)s::date - fct_complaints.opened_on as days_open,
        fct_complaints.resolution_due_hours,
        fct_complaints.is_response_in_time is false and fct_complaints.first_response_hours is null as is_unanswered,
        dim_customer.is_key_customer as has_page,
        count(*) over () as complaints,
        row_number() over (
            order by dim_customer.value_12m desc, fct_complaints.opened_at, fct_complaints.complaint_key
        ) as place
    from marts.fct_complaints
    inner join scoped_customers on fct_complaints.customer_key = scoped_customers.customer_key
    inner join marts.dim_customer on fct_complaints.customer_key = dim_customer.customer_key
    left join marts.dim_customer_contact on fct_complaints.customer_key = dim_customer_contact.customer_key
    left join marts.dim_account_manager on dim_customer.account_manager_key = dim_account_manager.account_manager_key
    where
        fct_complaints.overdue_on is not null
        and (dim_customer.is_key_customer or %(key_customers_only)s = 0)
        and (
            %(said_again_days)s = 0
            or (
                fct_complaints.overdue_on <= %(ends_on)s
                and (%(ends_on)s::date - fct_complaints.overdue_on) %% nullif(%(said_again_days)s, 0) = 0
            )
        )
)

select * from final
order by place
limit %(rows_attached)s
