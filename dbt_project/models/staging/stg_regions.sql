with regions as (
    select * from {{ source('raw', 'regions') }}
    where deleted_on is null
),

final as (
    select
        {{ source_key('source_id', 'region_id') }} as region_key,
        region_id,
        name,
        {{ source_key('source_id', 'parent_region_id') }} as parent_region_key
    from regions
)

select * from final
