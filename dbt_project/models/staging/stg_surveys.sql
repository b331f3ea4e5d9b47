with surveys as (
    select * from {{ source('raw', 'surveys') }}
    where deleted_on is null
),

final as (
    select
        {{ source_key('source_id', 'survey_id') }} as survey_key,
        survey_id,
        {{ source_key('customer_source_id', 'customer_id') }} as source_customer_key,
        asked_at,
        {{ business_day('asked_at') }} as asked_on,
        -- on the scale of 1 to 5 that complaints are rated on
        score * 5 / coalesce(scale_max, 5) as satisfaction,
        expected_score * 5 / coalesce(scale_max, 5) as expected_satisfaction
    from surveys
)

select * from final
