-- One row per check of the day's batches: what it found, and how that was on the business days before.
with batches as (
    select
        batch_id,
        feed,
        source_id,
        business_day,
        status,
        batch_id = max(batch_id) over (partition by feed, source_id, business_day) as is_last
    from ops.batches
    where
        status in ('committed', 'stopped')
        and kind in ('load', 'backfill')
        and business_day <= %(day)s
),

-- a stopped batch counts until one of its day gets through
counted as (
    select
        *,
        dense_rank() over (partition by feed, source_id order by business_day desc) as days_back
    from batches
    where status = 'committed' or is_last
),

-- several batches of a day add up; what was measured of a whole batch is that of the last one
daily as (
    select
        counted.feed,
        counted.source_id,
        counted.business_day,
        check_results.expectation,
        max(check_results.level) as level,
        sum(check_results.rows_failed) as rows_failed,
        sum(check_results.rows_total) as rows_total,
        (array_agg(check_results.severity order by counted.batch_id desc))[1] as severity,
        (array_agg(check_results.outcome order by counted.batch_id desc))[1] as outcome,
        (array_agg(check_results.observed order by counted.batch_id desc))[1] as observed,
        (array_agg(check_results.usual order by counted.batch_id desc))[1] as usual,
        (array_agg(check_results.minimum order by counted.batch_id desc))[1] as minimum,
        (array_agg(check_results.maximum order by counted.batch_id desc))[1] as maximum
    from counted
    inner join ops.check_results on counted.batch_id = check_results.batch_id
    where counted.days_back <= %(trend_days)s
    group by 1, 2, 3, 4
),

trends as (
    select
        feed,
        source_id,
        expectation,
        array_agg(business_day order by business_day) as trend_days,
        array_agg(
            case level when 'batch' then observed else rows_failed::double precision / nullif(rows_total, 0) end
            order by business_day
        ) as trend_values
    from daily
    group by 1, 2, 3
),

final as (
    select
        daily.*,
        case daily.level
            when 'row' then 'row'
            else substring(daily.expectation from '^(null_share|typical|mix_of|[a-z_]+)')
        end as kind,
        expectations.owner,
        expectations.protects_en,
        expectations.protects_zh,
        trends.trend_days,
        trends.trend_values
    from daily
    inner join trends
        on daily.feed = trends.feed
        and daily.source_id = trends.source_id
        and daily.expectation = trends.expectation
    left join ops.expectations
        on daily.feed = expectations.feed
        and daily.expectation = expectations.expectation
    where daily.business_day = %(day)s
)

select * from final
order by
    array_position(array['stop', 'reject', 'warn'], severity),
    rows_failed desc,
    feed,
    source_id,
    expectation
