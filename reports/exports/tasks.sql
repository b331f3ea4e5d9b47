-- Win-back tasks that are not done, with whoever has them; those made since the marts were are not in them yet.
with final as (
    select
        coalesce(told.customer_key, winback_tasks.customer_key) as customer_key,
        winback_tasks.task_id,
        winback_tasks.campaign_id,
        winback_tasks.created_on,
        winback_tasks.due_on,
        dim_account_manager.name as owner,
        row_number() over (order by winback_tasks.due_on, winback_tasks.task_id) as place
    from ops.winback_tasks
    inner join ops.winback_task_present_owners as owners on winback_tasks.task_id = owners.task_id
    left join marts.dim_account_manager on owners.account_manager_key = dim_account_manager.account_manager_key
    left join marts.winback_tasks as told on winback_tasks.task_id = told.task_id
    where
        (told.status is null or told.status in ('open', 'overdue'))
        and winback_tasks.created_on <= %(as_of_date)s::date
)

select * from final
