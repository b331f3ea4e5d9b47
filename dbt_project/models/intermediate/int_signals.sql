{{ config(materialized="view") }}

with states as (
    select * from {{ ref('int_customer_states') }}
    where
        valid_from <= {{ as_of_date() }}
        and (valid_to > {{ as_of_date() }} or valid_to is null)
),

final as (
    select
        states.customer_key,
    {% for name in signals() %}
        case
            when {{ watches('states.policy', [name]) }}
                then cast({{ signal_value(name, as_of_date()) }} as numeric)
        end as {{ name }}{{ ',' if not loop.last }}
    {% endfor %}
    from states
)

select * from final
