with months as (
    select * from {{ ref('customer_months') }}
    where customer_key <> '-1'
),

final as (
    select
        month,
        period_ends_on,
        is_complete,
        business_line,
        start_stage,
        stage,
        count(*) as customers,
        sum(value_12m) as value_12m
    from months
    group by 1, 2, 3, 4, 5, 6
)

select * from final
