-- What came of the tasks that were due in the week: the reader's own, and those about customers of the scope.
with tasks as (
    select coalesce(winback_tasks.result, winback_tasks.status) as result
    from marts.winback_tasks
    inner join marts.dim_account_manager
        on winback_tasks.account_manager_key = dim_account_manager.account_manager_key
    left join scoped_customers on winback_tasks.customer_key = scoped_customers.customer_key
    where
        winback_tasks.due_on between %(starts_on)s and %(ends_on)s
        and (
            scoped_customers.customer_key is not null
            or lower(dim_account_manager.email) = lower(%(address)s)
        )
),

final as (
    select
        result,
        count(*) as tasks,
        sum(count(*)) over () as tasks_due
    from tasks
    group by result
)

select * from final
order by array_position(
    array['ordered', 'reached', 'refused', 'not_reached', 'other', 'overdue', 'open', 'withdrawn'], result
)
