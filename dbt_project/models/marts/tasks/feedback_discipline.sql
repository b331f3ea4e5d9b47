with tasks as (
    select * from {{ ref('winback_tasks') }}
    where
        due_on <= {{ as_of_date() }}
        and status <> 'withdrawn'
),

final as (
    select
        account_manager_key,
        cast(date_trunc('month', due_on) as date) as month,
        count(*) as tasks_due,
        count(*) filter (where status = 'done' and not is_late) as tasks_done_in_time,
        count(*) filter (where status = 'done' and is_late) as tasks_done_late,
        count(*) filter (where status = 'overdue') as tasks_overdue,
        1.0 * count(*) filter (where status = 'done' and not is_late) / count(*) as in_time_share
    from tasks
    group by 1, 2
)

select * from final
