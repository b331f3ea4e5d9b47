{{ config(
    materialized="incremental",
    incremental_strategy="by_build",
    indexes=[{"columns": ["customer_key"]}],
) }}

-- Customers who have changed, and those whose decline has as others of their line have.
{% if goes_on() %}
    with months as (
        select * from {{ ref('int_month_values') }}
    ),

    months_before as (
        select months_before.*
        from {{ as_of_base('int_month_signals') }} as months_before
        inner join {{ ref('int_customers') }} as customers on months_before.customer_key = customers.customer_key
        where {{ of_changed_lines('customers.business_line') }}
    ),

    customers as (
        select
            customer_key,
            changed_on,
            silence_began_on
        from {{ ref('int_changed_customers') }}
        where build_id = {{ var('build_id') }}

        union all

        select
            coalesce(months.customer_key, months_before.customer_key) as customer_key,
            coalesce(months.day, months_before.day) as changed_on,
            coalesce(months.day, months_before.day) as silence_began_on
        from months
        full outer join months_before
            on
                months.customer_key = months_before.customer_key
                and months.day = months_before.day
        where months.months_declining is distinct from months_before.months_declining
    ),

    final as (
        select
            customer_key,
            min(changed_on) as changed_on,
            min(silence_began_on) as silence_began_on,
            cast({{ var('build_id') }} as bigint) as build_id
        from customers
        group by 1
    )
{% else %}
    with final as (
        {{ no_rows(customer_key='text', changed_on='date', silence_began_on='date', build_id='bigint') }}
    )
{% endif %}

select * from final
