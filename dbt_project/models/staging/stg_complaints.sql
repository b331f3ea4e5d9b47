with complaints as (
    select * from {{ source('raw', 'complaints') }}
    where deleted_on is null
),

statuses as (
    select * from {{ ref('complaint_statuses') }}
),

final as (
    select
        {{ source_key('complaints.source_id', 'complaints.complaint_id') }} as complaint_key,
        complaints.source_id,
        complaints.complaint_id,
        {{ source_key('complaints.customer_source_id', 'complaints.customer_id') }} as source_customer_key,
        {{ source_key('complaints.order_source_id', 'complaints.order_id') }} as order_key,
        -- products are numbered by the system that sells them
        {{ source_key('complaints.order_source_id', 'complaints.product_id') }} as product_key,
        nullif(trim(complaints.batch_no), '') as batch_no,
        complaints.opened_at,
        {{ business_day('complaints.opened_at') }} as opened_on,
        complaints.category,
        complaints.severity,
        complaints.channel,
        complaints.status,
        statuses.is_open as is_status_open,
        complaints.first_response_at,
        {{ business_day('complaints.first_response_at') }} as first_response_on,
        complaints.resolved_at,
        {{ business_day('complaints.resolved_at') }} as resolved_on,
        complaints.reopened_count,
        complaints.satisfaction,
        complaints.compensation
    from complaints
    left join statuses on lower(trim(complaints.status)) = statuses.status
)

select * from final
