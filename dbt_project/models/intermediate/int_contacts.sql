with contacts as (
    select * from {{ ref('stg_contacts') }}
    where contacted_on <= {{ as_of_date() }}
),

survivors as (
    select * from {{ ref('int_customers__survivors') }}
),

final as (
    select
        contacts.*,
        coalesce(survivors.survivor_key, contacts.source_customer_key) as customer_key
    from contacts
    left join survivors on contacts.source_customer_key = survivors.customer_key
)

select * from final
