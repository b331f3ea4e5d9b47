{% if goes_on() %}
-- depends_on: {{ ref('int_changed_customers') }}
{% endif %}
with complaints as (
    select * from {{ ref('int_complaints') }}
    where
        resolved_on is not null
        and satisfaction is not null
),

surveys as (
    select * from {{ ref('stg_surveys') }}
    where
        asked_on <= {{ as_of_date() }}
        and satisfaction is not null
),

survivors as (
    select * from {{ ref('int_customers__survivors') }}
),

-- of several answers of a day the last one counts
answers as (
    select
        customer_key,
        'complaint' as origin,
        complaint_key as answer_key,
        resolved_on as day,
        satisfaction,
        row_number() over (
            partition by customer_key, resolved_on order by resolved_at desc, complaint_key desc
        ) as place
    from complaints

    union all

    select
        coalesce(survivors.survivor_key, surveys.source_customer_key) as customer_key,
        'survey' as origin,
        surveys.survey_key as answer_key,
        surveys.asked_on as day,
        surveys.satisfaction,
        row_number() over (
            partition by coalesce(survivors.survivor_key, surveys.source_customer_key), surveys.asked_on
            order by surveys.asked_at desc, surveys.survey_key desc
        ) as place
    from surveys
    left join survivors on surveys.source_customer_key = survivors.customer_key
),

final as (
    select
        customer_key,
        origin,
        day as valid_from,
        lead(day) over (partition by customer_key, origin order by day) as valid_to,
        satisfaction,
        answer_key
    from answers
    where place = 1
)

select * from final
