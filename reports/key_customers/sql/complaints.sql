-- What they complained about, newest first.
with final as (
    select
        fct_complaints.customer_key,
        fct_complaints.opened_on,
        fct_complaints.resolved_on,
        fct_complaints.is_open,
        fct_complaints.category,
        fct_complaints.severity,
        fct_complaints.resolution_hours,
        fct_complaints.is_resolution_in_time,
        fct_complaints.satisfaction,
        fct_complaints.compensation,
        row_number() over (
            partition by fct_complaints.customer_key
            order by fct_complaints.opened_at desc, fct_complaints.complaint_key
        ) as place
    from marts.fct_complaints
    inner join scoped_customers on fct_complaints.customer_key = scoped_customers.customer_key
    where
        fct_complaints.customer_key = any(%(customer_keys)s)
        and fct_complaints.opened_on <= %(ends_on)s
)

select * from final
where place <= %(rows_listed)s
order by customer_key, place
