{{ config(materialized="incremental", incremental_strategy="by_build") }}

{% if goes_on() %}
    with customers as (
        select customer_key from {{ ref('int_moved_tiers') }}

        union

        -- a line that is ranked by something else moves whoever is in it
        select customer_key from {{ ref('int_customers') }}
        where business_line in (
            select line_measures.business_line from {{ ref('int_line_measures') }} as line_measures
            where line_measures.is_changed
        )
    ),

    final as (
        select
            customer_key,
            cast({{ var('build_id') }} as bigint) as build_id
        from customers
    )
{% else %}
    with final as (
        {{ no_rows(customer_key='text', build_id='bigint') }}
    )
{% endif %}

select * from final
