{{ config(
    materialized="incremental",
    incremental_strategy="by_build",
    indexes=[{"columns": ["customer_key"]}],
) }}

{% if goes_on() %}
    with customers as (
        select
            customer_key,
            day
        from {{ ref('int_moved_tiers') }}

        union all

        -- a line that is ranked by something else moves whoever is in it
        select
            customers.customer_key,
            measures.day
        from {{ ref('int_customers') }} as customers
        inner join {{ ref('int_line_measures') }} as measures on customers.business_line = measures.business_line
        where measures.is_changed
    ),

    final as (
        select
            customer_key,
            min(day) as changed_on,
            cast({{ var('build_id') }} as bigint) as build_id
        from customers
        group by 1
    )
{% else %}
    with final as (
        {{ no_rows(customer_key='text', changed_on='date', build_id='bigint') }}
    )
{% endif %}

select * from final
