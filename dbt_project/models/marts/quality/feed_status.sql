with feed_days as (
    select * from {{ source('ops', 'feed_days') }}
    where business_day <= {{ as_of_date() }}
),

batches as (
    select * from {{ source('ops', 'batches') }}
),

incidents as (
    select * from {{ source('ops', 'incidents') }}
),

quarantined_rows as (
    select * from {{ ref('stg_quarantined_rows') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

days as (
    select
        feed,
        source_id,
        max(case when not is_stale then business_day end) as last_business_day,
        max(case when is_stale then business_day end) as last_stale_day
    from feed_days
    group by 1, 2
),

-- the rows of a replay came in before, with the batch that put them into quarantine
loads as (
    select
        feed,
        source_id,
        cast(sum(rows_in) as bigint) as rows_in,
        cast(sum(rows_quarantined) as bigint) as rows_quarantined,
        max(committed_at) as last_loaded_at
    from batches
    where status = 'committed' and kind in ('load', 'backfill')
    group by 1, 2
),

quarantine as (
    select
        feed,
        source_id,
        sum(case when state = 'open' then 1 else 0 end) as rows_waiting,
        sum(case when state = 'replayed' then 1 else 0 end) as rows_replayed,
        sum(case when state = 'resolved' then 1 else 0 end) as rows_resolved,
        sum(case when state = 'discarded' then 1 else 0 end) as rows_discarded
    from quarantined_rows
    group by 1, 2
),

stopped as (
    select
        feed,
        source_id
    from batches
    where status in ('committed', 'stopped') and kind in ('load', 'backfill')
    group by 1, 2
    having max(case when status = 'stopped' then batch_id end) = max(batch_id)

    union

    select
        batches.feed,
        batches.source_id
    from incidents
    inner join batches on incidents.subject in (batches.feed, batches.feed || ' from ' || batches.source_id)
    where incidents.stage = 'load' and incidents.closed_at is null
),

walk_ins as (
    select
        'orders' as feed,
        source_id,
        sum(case when customer_key = '-1' then amount else 0 end) as revenue_without_customer,
        sum(amount) as revenue
    from orders
    group by 1, 2
),

feeds as (
    select
        feed,
        source_id
    from days

    union

    select
        feed,
        source_id
    from stopped
),

final as (
    select
        feeds.feed,
        feeds.source_id,
        days.last_business_day,
        case
            when days.last_stale_day is null then false
            else coalesce(days.last_business_day < days.last_stale_day, true)
        end as is_stale,
        stopped.feed is not null as is_stopped,
        coalesce(loads.rows_in, 0) as rows_in,
        coalesce(loads.rows_quarantined, 0) as rows_quarantined,
        1.0 * loads.rows_quarantined / nullif(loads.rows_in, 0) as share_quarantined,
        coalesce(quarantine.rows_waiting, 0) as rows_waiting,
        coalesce(quarantine.rows_replayed, 0) as rows_replayed,
        coalesce(quarantine.rows_resolved, 0) as rows_resolved,
        coalesce(quarantine.rows_discarded, 0) as rows_discarded,
        walk_ins.revenue_without_customer / nullif(walk_ins.revenue, 0) as orders_without_customer_share,
        loads.last_loaded_at
    from feeds
    left join days
        on
            feeds.feed = days.feed
            and feeds.source_id = days.source_id
    left join loads
        on
            feeds.feed = loads.feed
            and feeds.source_id = loads.source_id
    left join quarantine
        on
            feeds.feed = quarantine.feed
            and feeds.source_id = quarantine.source_id
    left join stopped
        on
            feeds.feed = stopped.feed
            and feeds.source_id = stopped.source_id
    left join walk_ins
        on
            feeds.feed = walk_ins.feed
            and feeds.source_id = walk_ins.source_id
)

select * from final
