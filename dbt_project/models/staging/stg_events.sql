with events as (
    select * from {{ source('raw', 'events') }}
    where deleted_on is null
),

final as (
    select
        {{ source_key('source_id', 'event_id') }} as event_key,
        event_id,
        name,
        started_on,
        ended_on,
        {{ source_key('source_id', 'product_id') }} as product_key,
        nullif(trim(batch_no), '') as batch_no,
        {{ source_key('source_id', 'region_id') }} as region_key
    from events
)

select * from final
