-- The incident, how many rows its batch brought, and the day that the published marts show.
with incident as (
    select *
    from ops.incidents
    where incident_id = %(incident_id)s
),

rows_in as (
    select max(check_results.rows_total) as rows_in
    from incident
    inner join ops.check_results on incident.batch_id = check_results.batch_id
    where check_results.level = 'row'
),

published as (
    select max(builds.build_id) as build_id
    from ops.builds
    where builds.status = 'published'
),

final as (
    select
        incident.incident_id,
        incident.stage,
        incident.subject,
        split_part(incident.subject, ' from ', 1) as feed,
        split_part(incident.subject, ' from ', 2) as source_id,
        incident.business_day,
        string_to_array(incident.problem, chr(10)) as problem,
        string_to_array(incident.what_to_do, chr(10)) as what_to_do,
        incident.opened_at at time zone %(time_zone)s as opened_at,
        %(time_zone)s as time_zone,
        incident.batch_id,
        rows_in.rows_in,
        builds.as_of_date as published_day,
        -- a backfill keeps no day from being published
        incident.subject not like 'backfill of %%'
        and coalesce(builds.as_of_date < incident.business_day, true) as is_in_the_way
    from incident
    cross join rows_in
    cross join published
    left join ops.builds on published.build_id = builds.build_id
)

select * from final
