-- What came of the tasks that were due in the quarter, of customers of the scope.
with final as (
    select
        coalesce(winback_tasks.result, winback_tasks.status) as result,
        count(*) as tasks
    from marts.winback_tasks
    inner join scoped_customers on winback_tasks.customer_key = scoped_customers.customer_key
    where
        winback_tasks.due_on between %(starts_on)s and %(ends_on)s
        and winback_tasks.due_on <= %(as_of_date)s
    group by 1
)

select * from final
order by array_position(array['ordered', 'reached', 'refused', 'not_reached', 'other', 'overdue', 'withdrawn'], result)
