-- Rows and sums agree from raw to the mart.
with delivered as (
    select
        count(*) as complaints,
        coalesce(sum(compensation), 0) as compensation,
        coalesce(sum(satisfaction), 0) as satisfaction
    from {{ source('raw', 'complaints') }}
    where deleted_on is null and {{ business_day('opened_at') }} <= {{ as_of_date() }}
),

counted as (
    select
        count(*) as complaints,
        coalesce(sum(compensation), 0) as compensation,
        coalesce(sum(satisfaction), 0) as satisfaction
    from {{ ref('fct_complaints') }}
)

select
    delivered.complaints as complaints_delivered,
    counted.complaints as complaints_counted,
    delivered.compensation as compensation_delivered,
    counted.compensation as compensation_counted
from delivered
cross join counted
where
    (delivered.complaints, delivered.compensation, delivered.satisfaction)
    <> (counted.complaints, counted.compensation, counted.satisfaction)
