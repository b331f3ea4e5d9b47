{{ config(materialized="view") }}

with evenings as (
    select * from {{ ref('int_evening_values') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

measures as (
    select * from {{ ref('int_line_measures') }}
),

figures as (
    select
        evenings.customer_key,
        evenings.day,
        customers.business_line,
        evenings.last_order_on,
        customers.closed_on,
        evenings.revenue_12m,
        {{ ranked_figure('measures', 'evenings') }} as figure_12m
    from evenings
    inner join customers on evenings.customer_key = customers.customer_key
    left join measures
        on
            customers.business_line = measures.business_line
            and evenings.day = measures.day
),

final as (
    select
        customer_key,
        day,
        business_line,
        revenue_12m,
        figure_12m
    from figures
    where
        figure_12m > 0
        -- not closed in any way
        and (
            closed_on is null
            or closed_on > day
            or closed_on < last_order_on
        )
)

select * from final
