-- The checks that stopped the incident's batch, then whatever else was odd about the batch as a whole.
with final as (
    select
        check_results.expectation,
        check_results.severity = 'stop' as is_stop,
        case check_results.level
            when 'row' then 'row'
            else coalesce(
                substring(check_results.expectation from '^(null_share|typical|mix_of)_'),
                check_results.expectation
            )
        end as kind,
        check_results.rows_failed,
        check_results.rows_total,
        check_results.observed,
        check_results.usual,
        check_results.minimum,
        check_results.maximum,
        case %(language)s
            when 'zh' then expectations.protects_zh
            else expectations.protects_en
        end as protects
    from ops.incidents
    inner join ops.check_results on incidents.batch_id = check_results.batch_id
    left join ops.expectations
        on check_results.feed = expectations.feed
        and check_results.expectation = expectations.expectation
    where
        incidents.incident_id = %(incident_id)s
        and check_results.outcome = 'failed'
        and (check_results.severity = 'stop' or check_results.level = 'batch')
)

select * from final
order by is_stop desc, expectation
