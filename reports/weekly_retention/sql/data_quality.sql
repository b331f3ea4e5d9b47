-- One row per feed and source: how fresh it is and how many rows wait in quarantine. The same for every scope.
with final as (
    select
        feed_status.feed,
        feed_status.source_id,
        feed_status.last_business_day,
        feed_status.is_stale,
        feed_status.rows_in,
        feed_status.rows_waiting
    from marts.feed_status
)

select * from final
order by is_stale desc, feed, source_id
