{% if goes_on() %}
-- depends_on: {{ ref('int_changed_customers') }}
{% endif %}
with complaints as (
    select
        *,
        first_response_on <= {{ as_of_date() }} as is_answered,
        resolved_on <= {{ as_of_date() }} as is_resolved,
        bool_or({{ tells_handling() }})
            over (partition by source_id)
            as has_handling,
        bool_or(first_response_at is not null)
            over (partition by source_id)
            as has_responses
    from {{ ref('stg_complaints') }}
    where opened_on <= {{ as_of_date() }}
),

survivors as (
    select * from {{ ref('int_customers__survivors') }}
),

final as (
    select
        complaints.complaint_key,
        complaints.complaint_id,
        coalesce(survivors.survivor_key, complaints.source_customer_key) as customer_key,
        complaints.order_key,
        complaints.product_key,
        complaints.batch_no,
        complaints.opened_at,
        complaints.opened_on,
        complaints.category,
        -- roll-ups are named `all`, and what is not told `-1`
        regexp_replace(nullif(lower(trim(complaints.category)), ''), '^(all|-1)$', '(\1)') as category_word,
        complaints.severity,
        complaints.channel,
        complaints.status,
        case
            when not complaints.has_handling then null
            -- resolved, but only after the day that is looked at
            when not complaints.is_resolved then true
            else coalesce(complaints.is_status_open, complaints.resolved_at is null)
        end as is_open,
        complaints.has_responses,
        case when complaints.is_answered then complaints.first_response_at end as first_response_at,
        case
            when complaints.is_answered
                then {{ hours_between('complaints.opened_at', 'complaints.first_response_at') }}
        end as first_response_hours,
        case when complaints.is_resolved then complaints.resolved_on end as resolved_on,
        case when complaints.is_resolved then complaints.resolved_at end as resolved_at,
        case
            when complaints.is_resolved then {{ hours_between('complaints.opened_at', 'complaints.resolved_at') }}
        end as resolution_hours,
        complaints.reopened_count > 0 as is_reopened,
        complaints.satisfaction,
        complaints.compensation
    from complaints
    left join survivors on complaints.source_customer_key = survivors.customer_key
)

select * from final
