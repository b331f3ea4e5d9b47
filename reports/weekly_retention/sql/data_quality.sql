-- One row per feed and source: how fresh it is and what was set aside. The same for every scope.
with final as (
    select
        data_quality.feed,
        data_quality.source_id,
        data_quality.last_business_day,
        data_quality.is_stale,
        data_quality.rows_in,
        data_quality.rows_quarantined
    from marts.data_quality
)

select * from final
order by is_stale desc, feed, source_id
