with recursive regions as (
    select * from {{ ref('stg_regions') }}
),

referenced as (
    select parent_region_key as region_key from regions
    union
    select region_key from {{ ref('stg_customers_versions') }}
    union
    select region_key from {{ ref('int_orders') }}
    union
    select region_key from {{ ref('stg_account_managers') }}
    union
    select region_key from {{ ref('stg_events') }}
    union
    -- the unknown member
    select '-1' as region_key
),

-- a region that somebody refers to but no source describes still has a row, under its own number
known as (
    select
        region_key,
        region_id,
        name,
        parent_region_key
    from regions

    union all

    select
        referenced.region_key,
        {{ id_of_key('referenced.region_key') }} as region_id,
        {{ id_of_key('referenced.region_key') }} as name,
        case when referenced.region_key <> '-1' then '-1' end as parent_region_key
    from referenced
    left join regions on referenced.region_key = regions.region_key
    where regions.region_key is null
),

-- from the roots down; a region inside a loop is never reached
tree as (
    select
        region_key,
        array[region_key] as region_path
    from known
    where parent_region_key = '-1' or region_key = '-1'

    union all

    select
        known.region_key,
        tree.region_path || known.region_key as region_path
    from tree
    inner join known on tree.region_key = known.parent_region_key
    where tree.region_key <> '-1'
),

final as (
    select
        known.region_key,
        known.region_id,
        known.name,
        known.parent_region_key,
        coalesce(cardinality(tree.region_path), 1) as depth,
        coalesce(tree.region_path, array[known.region_key]) as region_path
    from known
    left join tree on known.region_key = tree.region_key
)

select * from final
