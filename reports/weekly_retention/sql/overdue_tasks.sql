-- Who owes feedback: counts only, of the reader's own tasks, of those about customers of the scope, and of whoever
-- reports to the reader.
with tasks as (
    select
        owners.account_manager_key,
        case when owners.account_manager_key <> '-1' then owners.name end as account_manager,
        winback_tasks.due_on
    from marts.winback_tasks
    inner join marts.dim_account_manager as owners
        on winback_tasks.account_manager_key = owners.account_manager_key
    left join marts.dim_account_manager as superiors on owners.reports_to_key = superiors.account_manager_key
    left join scoped_customers on winback_tasks.customer_key = scoped_customers.customer_key
    where
        winback_tasks.status = 'overdue'
        and (
            scoped_customers.customer_key is not null
            or lower(owners.email) = lower(%(address)s)
            or lower(superiors.email) = lower(%(address)s)
        )
),

final as (
    select
        account_manager_key,
        account_manager,
        count(*) as tasks,
        min(due_on) as due_since,
        sum(count(*)) over () as tasks_overdue
    from tasks
    group by 1, 2
)

select * from final
order by tasks desc, account_manager_key asc
