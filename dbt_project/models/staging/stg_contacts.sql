-- What somebody noted in their own words stays in raw: it may name anybody.
with contacts as (
    select * from {{ source('raw', 'contacts') }}
    where deleted_on is null
),

final as (
    select
        {{ source_key('source_id', 'contact_id') }} as contact_key,
        contact_id,
        {{ source_key('customer_source_id', 'customer_id') }} as source_customer_key,
        contacted_at,
        {{ business_day('contacted_at') }} as contacted_on,
        {{ source_key('source_id', 'account_manager_id') }} as account_manager_key,
        campaign_id,
        task_id,
        channel,
        outcome,
        reason_code,
        competitor
    from contacts
)

select * from final
