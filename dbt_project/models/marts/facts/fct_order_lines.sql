{{ config(materialized="incremental", incremental_strategy="by_changed_line") }}

with final as (
    select * from {{ ref('int_order_lines') }}
    where {{ of_lines_changed_since_standby() }}
)

select * from final
