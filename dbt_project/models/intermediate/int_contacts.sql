with contacts as (
    select * from {{ ref('stg_contacts') }}
    where contacted_on <= {{ as_of_date() }}
),

survivors as (
    select * from {{ ref('int_customers__survivors') }}
),

-- whose task a contact answers on its day
task_owners as (
    select distinct on (contacts.contact_key)
        contacts.contact_key,
        owners.account_manager_key
    from contacts
    inner join {{ source('ops', 'winback_task_owners') }} as owners
        on
            contacts.task_id = owners.task_id
            and contacts.contacted_on >= owners.since
    order by contacts.contact_key asc, owners.since desc
),

final as (
    select
        contacts.contact_key,
        contacts.contact_id,
        contacts.contacted_at,
        contacts.contacted_on,
        contacts.account_manager_key,
        task_owners.account_manager_key as task_owner_key,
        contacts.campaign_id,
        contacts.task_id,
        contacts.channel,
        contacts.outcome,
        contacts.reason_code,
        contacts.competitor,
        coalesce(survivors.survivor_key, contacts.source_customer_key) as customer_key
    from contacts
    left join survivors on contacts.source_customer_key = survivors.customer_key
    left join task_owners on contacts.contact_key = task_owners.contact_key
)

select * from final
