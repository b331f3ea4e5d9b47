with feed_days as (
    select * from {{ source('ops', 'feed_days') }}
    where business_day <= {{ as_of_date() }}
),

batches as (
    select * from {{ source('ops', 'batches') }}
    where status = 'committed'
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

loads as (
    select
        feed,
        source_id,
        cast(sum(rows_in) as bigint) as rows_in,
        cast(sum(rows_quarantined) as bigint) as rows_quarantined,
        max(committed_at) as last_loaded_at
    from batches
    group by 1, 2
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

final as (
    select
        days.feed,
        days.source_id,
        days.last_business_day,
        case
            when days.last_stale_day is null then false
            else coalesce(days.last_business_day < days.last_stale_day, true)
        end as is_stale,
        coalesce(loads.rows_in, 0) as rows_in,
        coalesce(loads.rows_quarantined, 0) as rows_quarantined,
        1.0 * loads.rows_quarantined / nullif(loads.rows_in, 0) as share_quarantined,
        walk_ins.revenue_without_customer / nullif(walk_ins.revenue, 0) as orders_without_customer_share,
        loads.last_loaded_at
    from days
    left join loads
        on
            days.feed = loads.feed
            and days.source_id = loads.source_id
    left join walk_ins
        on
            days.feed = walk_ins.feed
            and days.source_id = walk_ins.source_id
)

select * from final
