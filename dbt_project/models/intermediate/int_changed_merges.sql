{{ config(materialized="view") }}

with merged_before as (
    select * from {{ ref('int_merged_before') }}
),

merged as (
    select * from {{ ref('int_customers__survivors') }}
),

final as (
    select
        coalesce(merged.customer_key, merged_before.customer_key) as customer_key,
        merged_before.survivor_key as survivor_key_before,
        merged.survivor_key
    from merged
    full outer join merged_before on merged.customer_key = merged_before.customer_key
    where merged.survivor_key is distinct from merged_before.survivor_key
)

select * from final
