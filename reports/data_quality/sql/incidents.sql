-- What stands still on the day, and what went wrong on it but is right again.
select
    incident_id,
    stage,
    split_part(subject, ' from ', 1) as subject,
    nullif(split_part(subject, ' from ', 2), '') as source_id,
    business_day,
    problem,
    what_to_do,
    opened_at at time zone %(time_zone)s as opened_at,
    closed_at at time zone %(time_zone)s as closed_at
from ops.incidents
where (closed_at is null and business_day <= %(day)s) or business_day = %(day)s
order by closed_at is not null, business_day, incident_id
