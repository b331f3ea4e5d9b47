-- One row per source that is configured: how far it has come, and what became of the day's rows.
with configured as (
    select *
    from unnest(%(feeds)s::text[], %(sources)s::text[]) with ordinality as configured (feed, source_id, place)
),

reached as (
    select
        feed,
        source_id,
        max(business_day) as last_business_day
    from ops.feed_days
    where business_day <= %(day)s and not is_stale
    group by 1, 2
),

loaded as (
    select
        feed,
        source_id,
        sum(rows_in) as rows_in,
        sum(rows_in - rows_quarantined) as rows_loaded,
        sum(rows_quarantined) as rows_quarantined
    from ops.batches
    where business_day = %(day)s and status = 'committed' and kind in ('load', 'backfill')
    group by 1, 2
),

final as (
    select
        configured.feed,
        configured.source_id,
        reached.last_business_day,
        coalesce(reached.last_business_day < %(day)s, true) as is_late,
        loaded.rows_in,
        loaded.rows_loaded,
        loaded.rows_quarantined
    from configured
    left join reached
        on configured.feed = reached.feed
        and configured.source_id = reached.source_id
    left join loaded
        on configured.feed = loaded.feed
        and configured.source_id = loaded.source_id
    order by configured.place
)

select * from final
