-- Complaints with what was promised about them, and whether it was kept.

create temp table workdays as
select
    calendar.day::date as day,
    coalesce(is_workday::boolean, isodow(calendar.day) < 6) as is_open,
    coalesce(count_if(is_open) over (order by calendar.day rows between unbounded preceding and 1 preceding), 0) as open_before
from range(
    (select min(opened_on) from handled), getvariable('as_of') + interval 1 day, interval 1 day
) as calendar (day)
left join rules.holidays on calendar.day::date = holidays.day::date;

create temp macro open_hours(moment, is_open, open_before) as (
    open_before * (epoch(time '18:00') - epoch(time '09:00'))
    + if(
        is_open,
        epoch(greatest(least((moment at time zone 'Asia/Shanghai')::time, time '18:00'), time '09:00'))
        - epoch(time '09:00'),
        0
    )
) / 3600;

create table marts.fct_complaints as
with last_orders as (
    select id, max(day) as last_order_on from purchases
    group by 1
),

promised as (
    select
        handled.* exclude (order_key),
        handled.order_key,
        ordered_on,
        business_line,
        coalesce(nullif(orders.region_key, '-1'), people.region_key, '-1') as region_key,
        regexp_replace(nullif(lower(trim(category)), ''), '^(all|-1)$', '(\1)') as category_word,
        last_order_on,
        open_hours(opened_at, opened.is_open, opened.open_before) as open_hours_before,
        open_hours(first_response_at, answered.is_open, answered.open_before) - open_hours_before as first_response_business_hours,
        open_hours(resolved_at, resolved.is_open, resolved.open_before) - open_hours_before as resolution_business_hours,
        coalesce(own.first_response_hours, other.first_response_hours) as first_response_due_hours,
        coalesce(own.resolution_hours, other.resolution_hours) as resolution_due_hours,
        coalesce(own.source, other.source) as due_source,
        epoch((getvariable('as_of') + 1)::timestamp at time zone 'Asia/Shanghai' - opened_at) / 3600 as age_hours
    from handled
    inner join people using (customer_key)
    left join documents as orders on handled.order_key = orders.order_key
    left join last_orders using (id)
    inner join workdays as opened on opened_on = opened.day
    left join workdays as answered on business_day(first_response_at) = answered.day
    left join workdays as resolved on resolved_on = resolved.day
    left join rules.complaint_sla as own
        on people.policy = own.policy and lower(trim(handled.severity)) = own.severity
    left join rules.complaint_sla as other on people.policy = other.policy and other.severity = '(any)'
)
select
    * exclude (
        open_hours_before, age_hours, has_responses, first_response_at, resolved_at, last_order_on
    ),
    '-1' as product_key,
    null::varchar as batch_no,
    case
        when not has_responses then null
        when first_response_hours is not null then first_response_hours <= first_response_due_hours
        when is_open is not false and age_hours > first_response_due_hours then false
    end as is_response_in_time,
    case
        when not is_open then resolution_hours <= resolution_due_hours
        when is_open and age_hours > resolution_due_hours then false
    end as is_resolution_in_time,
    least(
        if(has_responses and first_response_hours is null, business_day(opened_at + to_hours(first_response_due_hours::int)), null),
        business_day(opened_at + to_hours(resolution_due_hours::int))
    ) as due_on,
    if(is_open and due_on <= getvariable('as_of'), due_on, null) as overdue_on,
    if(
        customer_key <> '-1' and category_word is not null,
        coalesce(
            opened_on - lag(opened_on) over (
                partition by customer_key, category_word order by opened_on, opened_at, complaint_key
            ) <= 30,
            false
        ),
        null
    ) as is_repeat,
    satisfaction >= 4 as is_satisfied,
    case
        when satisfaction is null or customer_key = '-1' then null
        when satisfaction < 4 then false
        else coalesce(last_order_on > coalesce(resolved_on, opened_on), false)
    end as is_recovered
from promised;
