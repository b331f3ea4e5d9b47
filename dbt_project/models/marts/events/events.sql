with events as (
    select * from {{ ref('stg_events') }}
    where started_on <= {{ as_of_date() }}
),

final as (
    select
        event_key,
        event_id,
        name,
        started_on,
        ended_on,
        coalesce(ended_on >= {{ as_of_date() }}, true) as is_running,
        product_key,
        batch_no,
        region_key
    from events
)

select * from final
