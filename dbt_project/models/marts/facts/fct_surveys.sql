with surveys as (
    select * from {{ ref('stg_surveys') }}
    where asked_on <= {{ as_of_date() }}
),

survivors as (
    select * from {{ ref('int_customers__survivors') }}
),

customers as (
    select * from {{ ref('int_customers') }}
),

final as (
    select
        surveys.survey_key,
        surveys.survey_id,
        coalesce(customers.customer_key, '-1') as customer_key,
        surveys.asked_at,
        surveys.asked_on,
        surveys.satisfaction,
        surveys.expected_satisfaction,
        surveys.satisfaction / nullif(surveys.expected_satisfaction, 0) as perceived_to_expected,
        surveys.satisfaction >= {{ var('satisfied_from') }} as is_satisfied,
        surveys.satisfaction <= {{ var('dissatisfied_to') }} as is_dissatisfied
    from surveys
    left join survivors on surveys.source_customer_key = survivors.customer_key
    -- who has neither master data nor an order nor a complaint is no customer
    left join customers on coalesce(survivors.survivor_key, surveys.source_customer_key) = customers.customer_key
)

select * from final
