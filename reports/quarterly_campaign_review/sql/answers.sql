-- The same by month, of all owners together.
select
    date_trunc('month', winback_tasks.due_on)::date as month,
    count(*) as tasks_due,
    count(*) filter (where winback_tasks.status = 'done' and not winback_tasks.is_late) as in_time,
    count(*) filter (where winback_tasks.status = 'done' and winback_tasks.is_late) as late,
    count(*) filter (where winback_tasks.status = 'overdue') as no_answer
from marts.winback_tasks
inner join scoped_customers on winback_tasks.customer_key = scoped_customers.customer_key
where
    winback_tasks.due_on between %(starts_on)s and %(ends_on)s
    and winback_tasks.due_on <= %(as_of_date)s
    and winback_tasks.status <> 'withdrawn'
group by 1
order by 1
