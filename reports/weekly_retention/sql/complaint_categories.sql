-- What the scope's customers complained about lately, most first; what no complaint names is null.
with final as (
    select
        max(fct_complaints.category) as name,
        count(*) as count
    from marts.fct_complaints
    inner join scoped_customers on fct_complaints.customer_key = scoped_customers.customer_key
    where
        fct_complaints.opened_on > %(ends_on)s::date - 7 * %(complaint_weeks)s
        and fct_complaints.opened_on <= %(ends_on)s
    group by fct_complaints.category_word
)

select * from final
order by count desc, name
limit %(rows_listed)s
