with contacts as (
    select * from {{ ref('int_contacts') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

account_managers as (
    select * from {{ ref('dim_account_manager') }}
),

final as (
    select
        contacts.contact_key,
        contacts.contact_id,
        coalesce(customers.customer_key, '-1') as customer_key,
        contacts.contacted_at,
        contacts.contacted_on,
        -- what comes back in a workbook names no account manager of another system
        coalesce(account_managers.account_manager_key, task_owners.account_manager_key, '-1') as account_manager_key,
        contacts.campaign_id,
        contacts.task_id,
        contacts.channel,
        contacts.outcome,
        contacts.reason_code,
        contacts.competitor
    from contacts
    left join customers on contacts.customer_key = customers.customer_key
    left join account_managers on contacts.account_manager_key = account_managers.account_manager_key
    left join account_managers as task_owners on contacts.task_owner_key = task_owners.account_manager_key
)

select * from final
