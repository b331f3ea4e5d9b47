-- Who is to call which customer by when. That a task is done, the contacts say.
create table ops.winback_tasks (
    task_id text primary key,
    customer_key text not null,
    campaign_id text,
    created_on date not null, -- a business day: the data that the task came of end with it
    due_on date not null check (due_on >= created_on)
);
create unique index on ops.winback_tasks (campaign_id, customer_key) where campaign_id is not null;
create index on ops.winback_tasks (customer_key);

-- Owners of a task, one after the other: the latest holds.
create table ops.winback_task_owners (
    task_id text not null references ops.winback_tasks,
    account_manager_key text not null, -- '-1' while there is nobody
    since date not null,
    primary key (task_id, since)
);
create view ops.winback_task_present_owners as
select distinct on (task_id)
    task_id,
    account_manager_key,
    since
from ops.winback_task_owners
order by task_id, since desc;
