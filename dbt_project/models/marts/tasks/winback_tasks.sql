with tasks as (
    select
        made.task_id,
        made.campaign_id,
        made.created_on,
        made.due_on,
        coalesce(survivors.survivor_key, made.customer_key) as customer_key
    from {{ source('ops', 'winback_tasks') }} as made
    left join {{ ref('int_customers__survivors') }} as survivors on made.customer_key = survivors.customer_key
    -- a day's tasks come of its own marts, which are to be the same when they are built again
    where made.created_on < {{ as_of_date() }}
),

owners as (
    select distinct on (task_id)
        task_id,
        account_manager_key
    from {{ source('ops', 'winback_task_owners') }}
    where since <= {{ as_of_date() }}
    order by task_id asc, since desc
),

members as (
    select * from {{ source('campaigns', 'campaign_members') }}
),

customers as (
    select * from {{ ref('dim_customer') }}
),

account_managers as (
    select * from {{ ref('dim_account_manager') }}
),

contacts as (
    select * from {{ ref('int_contacts') }}
),

purchase_days as (
    select * from {{ ref('int_purchase_days') }}
),

contact_outcomes as (
    select * from {{ ref('contact_outcomes') }}
),

winback_rules as (
    select * from {{ ref('winback_rules') }}
),

reason_codes as (
    select * from {{ ref('churn_reason_codes') }}
),

-- the first contact does the task, the last one says what came of it
answers as (
    select distinct on (tasks.task_id)
        tasks.task_id,
        contacts.contact_key,
        contacts.outcome,
        contacts.reason_code,
        min(contacts.contacted_on) over (partition by tasks.task_id) as done_on
    from tasks
    inner join contacts on tasks.task_id = contacts.task_id
    order by tasks.task_id asc, contacts.contacted_at desc, contacts.contact_key desc
),

orders_after as (
    select
        tasks.task_id,
        min(purchase_days.day) as ordered_on
    from tasks
    inner join customers on tasks.customer_key = customers.customer_key
    inner join winback_rules on customers.policy = winback_rules.policy
    inner join purchase_days
        on
            tasks.customer_key = purchase_days.customer_key
            and tasks.created_on < purchase_days.day
            and purchase_days.day <= tasks.created_on + winback_rules.return_days
    group by tasks.task_id
),

-- drawn into a control group after the task was made: a call would spoil the comparison
spared as (
    select distinct tasks.task_id
    from tasks
    inner join members
        on
            tasks.customer_key = members.customer_key
            and members.arm = 'control'
            and tasks.created_on <= members.assigned_on
),

final as (
    select
        tasks.task_id,
        customers.customer_key,
        tasks.campaign_id,
        coalesce(account_managers.account_manager_key, '-1') as account_manager_key,
        tasks.created_on,
        tasks.due_on,
        case
            when answers.task_id is not null then 'done'
            when
                spared.task_id is not null
                or orders_after.task_id is not null
                or customers.do_not_contact
                or customers.stage = 'closed'
                then 'withdrawn'
            when tasks.due_on <= {{ as_of_date() }} then 'overdue'
            else 'open'
        end as status,
        answers.done_on,
        answers.done_on - tasks.created_on as days_taken,
        answers.done_on > tasks.due_on as is_late,
        answers.outcome,
        case
            when orders_after.task_id is not null then 'ordered'
            when answers.task_id is not null then coalesce(contact_outcomes.result, 'other')
        end as result,
        reason_codes.reason_class,
        reason_codes.sub_reason,
        orders_after.ordered_on,
        answers.contact_key
    from tasks
    inner join customers on tasks.customer_key = customers.customer_key
    left join owners on tasks.task_id = owners.task_id
    left join account_managers on owners.account_manager_key = account_managers.account_manager_key
    left join answers on tasks.task_id = answers.task_id
    left join orders_after on tasks.task_id = orders_after.task_id
    left join spared on tasks.task_id = spared.task_id
    left join contact_outcomes on lower(trim(answers.outcome)) = contact_outcomes.outcome
    left join reason_codes on lower(trim(answers.reason_code)) = reason_codes.reason_code
)

select * from final
