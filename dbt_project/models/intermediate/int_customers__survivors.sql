{% if goes_on() %}
-- depends_on: {{ ref('int_merged_before') }}
{% endif %}
with recursive merged as (
    select
        customer_key,
        merged_into_key
    from {{ ref('stg_customers') }}
    where merged_into_key is not null
),

-- follow every merged customer step by step; the steps keep a loop from going round for ever
walk as (
    select
        customer_key,
        merged_into_key as survivor_key,
        array[customer_key] as steps
    from merged

    union all

    select
        walk.customer_key,
        merged.merged_into_key,
        walk.steps || merged.customer_key as steps
    from walk
    inner join merged on walk.survivor_key = merged.customer_key
    where not merged.customer_key = any(walk.steps)
),

ends as (
    select
        walk.customer_key,
        walk.survivor_key
    from walk
    left join merged on walk.survivor_key = merged.customer_key
    where merged.customer_key is null
),

final as (
    select
        merged.customer_key,
        coalesce(ends.survivor_key, merged.customer_key) as survivor_key,
        ends.survivor_key is null as is_loop
    from merged
    left join ends on merged.customer_key = ends.customer_key
)

select * from final
