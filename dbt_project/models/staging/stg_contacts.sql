with contacts as (
    select * from {{ source('raw', 'contacts') }}
    where deleted_on is null
),

final as (
    select
        {{ source_key('source_id', 'contact_id') }} as contact_key,
        source_id,
        contact_id,
        {{ source_key('customer_source_id', 'customer_id') }} as source_customer_key,
        contacted_at,
        {{ business_day('contacted_at') }} as contacted_on,
        reason_code
    from contacts
)

select * from final
