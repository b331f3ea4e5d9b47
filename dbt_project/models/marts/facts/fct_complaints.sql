with complaints as (
    select
        *,
        {{ hours_between('opened_at', end_of_day()) }} as age_hours
    from {{ ref('int_complaints') }}
),

attributed as (
    select * from {{ ref('int_attributed_complaints') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

sla as (
    select * from {{ ref('complaint_sla') }}
),

last_orders as (
    select
        customer_key,
        max(day) as last_order_on
    from {{ ref('int_purchase_days') }}
    where customer_key in (select complaints.customer_key from complaints)
    group by 1
),

repeats as (
    select
        complaint_key,
        coalesce(
            opened_on - lag(opened_on) over (
                partition by customer_key, category_word order by opened_on, opened_at, complaint_key
            ) <= {{ var('repeat_complaint_days') }},
            false
        ) as is_repeat
    from complaints
    where
        customer_key <> '-1'
        and category_word is not null
),

joined as (
    select
        complaints.*,
        attributed.ordered_on,
        attributed.region_key,
        attributed.product_key as about_product_key,
        attributed.batch_no as about_batch_no,
        customers.business_line,
        repeats.is_repeat,
        hours.first_response_business_hours,
        hours.resolution_business_hours,
        last_orders.last_order_on,
        coalesce(own_sla.first_response_hours, any_sla.first_response_hours) as first_response_due_hours,
        coalesce(own_sla.resolution_hours, any_sla.resolution_hours) as resolution_due_hours,
        coalesce(own_sla.source, any_sla.source) as due_source
    from complaints
    inner join attributed on complaints.complaint_key = attributed.complaint_key
    inner join customers on complaints.customer_key = customers.customer_key
    left join repeats on complaints.complaint_key = repeats.complaint_key
    left join {{ ref('int_complaint_hours') }} as hours on complaints.complaint_key = hours.complaint_key
    left join last_orders on complaints.customer_key = last_orders.customer_key
    left join sla as own_sla
        on
            customers.policy = own_sla.policy
            and lower(trim(complaints.severity)) = own_sla.severity
    left join sla as any_sla
        on
            customers.policy = any_sla.policy
            and any_sla.severity = '(any)'
),

-- the day within which an open complaint has waited too long, for an answer or to be resolved
timed as (
    select
        *,
        least(
            case
                when has_responses and first_response_hours is null
                    then {{ business_day("(opened_at + first_response_due_hours * interval '1 hour')") }}
            end,
            {{ business_day("(opened_at + resolution_due_hours * interval '1 hour')") }}
        ) as due_on
    from joined
),

final as (
    select
        complaint_key,
        complaint_id,
        customer_key,
        business_line,
        order_key,
        ordered_on,
        about_product_key as product_key,
        about_batch_no as batch_no,
        region_key,
        opened_at,
        opened_on,
        category,
        category_word,
        severity,
        channel,
        status,
        is_open,
        first_response_hours,
        first_response_business_hours,
        first_response_due_hours,
        -- null while there is still time, and where nobody tells
        case
            when not has_responses then null
            when first_response_hours is not null then first_response_hours <= first_response_due_hours
            when is_open is not false and age_hours > first_response_due_hours then false
        end as is_response_in_time,
        resolved_on,
        resolution_hours,
        resolution_business_hours,
        resolution_due_hours,
        case
            when not is_open then resolution_hours <= resolution_due_hours
            when is_open and age_hours > resolution_due_hours then false
        end as is_resolution_in_time,
        case when is_open and due_on <= {{ as_of_date() }} then due_on end as overdue_on,
        due_source,
        is_repeat,
        is_reopened,
        satisfaction,
        satisfaction >= {{ var('satisfied_from') }} as is_satisfied,
        case
            when satisfaction is null or customer_key = '-1' then null
            when satisfaction < {{ var('satisfied_from') }} then false
            else coalesce(last_order_on > coalesce(resolved_on, opened_on), false)
        end as is_recovered,
        compensation
    from timed
)

select * from final
