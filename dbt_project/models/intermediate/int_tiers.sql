{{ config(materialized="incremental", incremental_strategy="by_reranked_evening") }}

-- depends_on: {{ ref('int_retiered_customers') }}, {{ ref('int_reranked_evenings') }}
-- depends_on: {{ ref('int_evenings') }}
with final as (
    select
        customer_key,
        day,
        business_line,
        figure_12m,
        customers_above,
        tier
    from {{ ref('int_tier_ranks') }}
)

select * from final
