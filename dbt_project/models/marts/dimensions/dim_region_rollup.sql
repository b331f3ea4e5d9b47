with regions as (
    select * from {{ ref('dim_region') }}
),

ancestors as (
    select
        ancestor.region_key as ancestor_region_key,
        regions.region_key,
        cast(regions.depth - ancestor.place as integer) as distance
    from regions
    cross join lateral unnest(regions.region_path) with ordinality as ancestor (region_key, place)
),

final as (
    select
        ancestor_region_key,
        region_key,
        distance
    from ancestors

    union all

    -- the whole company, above every root and the unknown member
    select
        'all' as ancestor_region_key,
        region_key,
        depth as distance
    from regions
)

select * from final
