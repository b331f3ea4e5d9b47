-- Tasks about customers of the scope that were due in the quarter: whether their owners said in time what came of them.
-- By owner and month; withdrawn tasks do not count.
with final as (
    select
        dim_account_manager.name as account_manager,
        date_trunc('month', winback_tasks.due_on)::date as month,
        count(*) as tasks_due,
        count(*) filter (where winback_tasks.status = 'done' and not winback_tasks.is_late) as tasks_done_in_time,
        count(*) filter (where winback_tasks.status = 'done' and winback_tasks.is_late) as tasks_done_late,
        count(*) filter (where winback_tasks.status = 'overdue') as tasks_overdue,
        1.0 * count(*) filter (where winback_tasks.status = 'done' and not winback_tasks.is_late) / count(*)
            as in_time_share
    from marts.winback_tasks
    inner join scoped_customers on winback_tasks.customer_key = scoped_customers.customer_key
    left join marts.dim_account_manager
        on winback_tasks.account_manager_key = dim_account_manager.account_manager_key
    where
        winback_tasks.due_on between %(starts_on)s and %(ends_on)s
        and winback_tasks.due_on <= %(as_of_date)s
        and winback_tasks.status <> 'withdrawn'
    group by winback_tasks.account_manager_key, 1, 2
)

select * from final
order by account_manager nulls last, month
limit %(rows_attached)s
