-- The reader's own tasks that are not done, the longest due first: whoever has a task sees its customer.
with tasks as (
    select
        own_tasks.*,
        own_tasks.created_on >= %(ends_on)s::date as is_new,
        dim_customer.customer_id,
        dim_customer.stage,
        dim_customer.value_tier,
        dim_customer.value_12m
    from own_tasks
    inner join marts.dim_customer on own_tasks.customer_key = dim_customer.customer_key
),

-- the flag that explains the stage
reasons as (
    select distinct on (tasks.customer_key)
        tasks.customer_key,
        case %(language)s
            when 'zh' then customer_flags.label_zh
            else customer_flags.label_en
        end as label,
        case %(language)s
            when 'zh' then customer_flags.evidence_zh
            else customer_flags.evidence_en
        end as evidence
    from tasks
    inner join marts.customer_flags on tasks.customer_key = customer_flags.customer_key
    order by
        tasks.customer_key,
        (customer_flags.outcome = tasks.stage) desc,
        (customer_flags.outcome = 'at_risk') desc,
        customer_flags.rule_id
),

final as (
    select
        tasks.task_id,
        tasks.account_manager_key,
        tasks.due_on,
        tasks.is_new,
        tasks.is_overdue,
        tasks.customer_id,
        dim_customer_contact.name,
        dim_customer_contact.phone,
        tasks.stage,
        tasks.value_tier,
        tasks.value_12m,
        reasons.label as reason,
        reasons.evidence,
        case %(language)s
            when 'zh' then winback_candidates.action_zh
            else winback_candidates.action_en
        end as action
    from tasks
    left join marts.dim_customer_contact on tasks.customer_key = dim_customer_contact.customer_key
    left join marts.winback_candidates on tasks.customer_key = winback_candidates.customer_key
    left join reasons on tasks.customer_key = reasons.customer_key
)

select * from final
order by due_on asc, value_12m desc, task_id asc
limit %(rows_attached)s
