-- The same by owner, those who owe most first, with the sums of all.
with owners as (
    select
        winback_tasks.account_manager_key,
        count(*) as tasks_due,
        count(*) filter (where winback_tasks.status = 'done' and not winback_tasks.is_late) as tasks_done_in_time,
        count(*) filter (where winback_tasks.status = 'done' and winback_tasks.is_late) as tasks_done_late,
        count(*) filter (where winback_tasks.status = 'overdue') as tasks_overdue
    from marts.winback_tasks
    inner join scoped_customers on winback_tasks.customer_key = scoped_customers.customer_key
    where
        winback_tasks.due_on between %(starts_on)s and %(ends_on)s
        and winback_tasks.due_on <= %(as_of_date)s
        and winback_tasks.status <> 'withdrawn'
    group by 1
),

final as (
    select
        dim_account_manager.name as account_manager,
        owners.tasks_due,
        owners.tasks_done_in_time,
        owners.tasks_done_late,
        owners.tasks_overdue,
        1.0 * owners.tasks_done_in_time / owners.tasks_due as in_time_share,
        sum(owners.tasks_due) over () as all_due,
        1.0 * sum(owners.tasks_done_in_time) over () / sum(owners.tasks_due) over () as all_in_time_share,
        sum(owners.tasks_overdue) over () as all_overdue
    from owners
    left join marts.dim_account_manager on owners.account_manager_key = dim_account_manager.account_manager_key
)

select * from final
order by tasks_overdue desc, in_time_share, account_manager
limit %(rows_attached)s
