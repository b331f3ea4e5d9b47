with complaints as (
    select * from {{ ref('int_complaints') }}
),

final as (
    select
        complaint_key,
        complaint_id,
        customer_key,
        order_key,
        opened_at,
        opened_on,
        category,
        severity,
        channel,
        status,
        is_open,
        first_response_hours,
        resolved_on,
        resolution_hours,
        satisfaction,
        compensation
    from complaints
)

select * from final
