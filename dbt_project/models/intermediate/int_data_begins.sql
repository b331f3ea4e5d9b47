{{ config(materialized="incremental", incremental_strategy="by_build") }}

-- When the data of a business line begin hardly ever changes; where it does, its periods must be worked out anew.
with customers as (
    select * from {{ ref('int_customers') }}
),

final as (
    select
        business_line,
        min(first_order_on) as data_begin_on,
        min(min(first_active_on)) over () as first_day,
        cast({{ var('build_id') }} as bigint) as build_id
    from customers
    group by 1
)

select * from final
