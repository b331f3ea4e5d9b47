{{ config(materialized="incremental", incremental_strategy="by_build") }}

-- Customers whose tier of an evening in the past has changed, as somebody else's figure did.
{% if goes_on() %}
    with ranks as (
        select * from {{ ref('int_tier_ranks') }}
    ),

    evenings as (
        select day from {{ ref('int_evenings') }}
        where not is_new
    ),

    tiers_before as (
        select tiers_before.*
        from {{ as_of_base('int_tiers') }} as tiers_before
        inner join evenings on tiers_before.day = evenings.day
        where {{ is_reranked('tiers_before.business_line', 'tiers_before.day') }}
    ),

    tiers_now as (
        select ranks.*
        from ranks
        inner join evenings on ranks.day = evenings.day
    ),

    final as (
        select distinct
            coalesce(tiers_now.customer_key, tiers_before.customer_key) as customer_key,
            cast({{ var('build_id') }} as bigint) as build_id
        from tiers_now
        full outer join tiers_before
            on
                tiers_now.customer_key = tiers_before.customer_key
                and tiers_now.day = tiers_before.day
        where tiers_now.tier is distinct from tiers_before.tier
    )
{% else %}
    with final as (
        {{ no_rows(customer_key='text', build_id='bigint') }}
    )
{% endif %}

select * from final
