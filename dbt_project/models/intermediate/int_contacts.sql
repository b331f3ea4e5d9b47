with contacts as (
    select * from {{ ref('stg_contacts') }}
    where contacted_on <= {{ as_of_date() }}
),

survivors as (
    select * from {{ ref('int_customers__survivors') }}
),

final as (
    select
        contacts.contact_key,
        contacts.contact_id,
        contacts.contacted_at,
        contacts.contacted_on,
        contacts.account_manager_key,
        contacts.campaign_id,
        contacts.task_id,
        contacts.channel,
        contacts.outcome,
        contacts.reason_code,
        contacts.competitor,
        coalesce(survivors.survivor_key, contacts.source_customer_key) as customer_key
    from contacts
    left join survivors on contacts.source_customer_key = survivors.customer_key
)

select * from final
