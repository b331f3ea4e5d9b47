-- What was planned for the last complete month. Plans are made for a business line or for all together, so only those
-- who see just that have one to be held against.
with final as (
    select
        retention_targets.month,
        retention_targets.metric,
        retention_targets.business_line,
        retention_targets.actual,
        retention_targets.target
    from marts.retention_targets
    where
        retention_targets.month = (
            select max(months.month) from marts.retention_targets as months
            where months.is_complete and months.period_ends_on <= %(ends_on)s
        )
        and case %(scope_kind)s
            when 'everything' then true
            when 'business_line' then retention_targets.business_line = %(scope_key)s
            else false
        end
)

select * from final
order by business_line <> 'all', business_line, metric
limit %(rows_listed)s
