with batches as (
    select * from {{ source('ops', 'batches') }}
    where status = 'committed' and kind in ('load', 'backfill')
),

check_results as (
    select * from {{ source('ops', 'check_results') }}
),

expectations as (
    select * from {{ source('ops', 'expectations') }}
),

results as (
    select
        batches.feed,
        batches.source_id,
        batches.business_day,
        check_results.expectation,
        check_results.level,
        check_results.severity,
        check_results.rows_failed,
        check_results.rows_total,
        check_results.outcome,
        check_results.observed,
        check_results.usual,
        check_results.minimum,
        check_results.maximum,
        row_number() over (
            partition by batches.feed, batches.source_id, check_results.expectation
            order by batches.business_day desc, batches.batch_id desc
        ) = 1 as is_last
    from check_results
    inner join batches on check_results.batch_id = batches.batch_id
),

so_far as (
    select
        feed,
        source_id,
        expectation,
        cast(sum(rows_failed) as bigint) as rows_failed,
        cast(sum(rows_total) as bigint) as rows_total,
        max(case when rows_failed > 0 then business_day end) as last_failed_on,
        count(*) as batches_checked
    from results
    group by 1, 2, 3
),

final as (
    select
        so_far.feed,
        so_far.source_id,
        so_far.expectation,
        last_results.level,
        last_results.severity,
        expectations.owner,
        expectations.protects_en,
        expectations.protects_zh,
        so_far.batches_checked,
        so_far.rows_failed,
        so_far.rows_total,
        1.0 * so_far.rows_failed / nullif(so_far.rows_total, 0) as share_failed,
        so_far.last_failed_on,
        last_results.outcome as last_outcome,
        last_results.observed as last_observed,
        last_results.usual as last_usual,
        last_results.minimum as last_minimum,
        last_results.maximum as last_maximum
    from so_far
    inner join results as last_results
        on
            so_far.feed = last_results.feed
            and so_far.source_id = last_results.source_id
            and so_far.expectation = last_results.expectation
            and last_results.is_last
    left join expectations
        on
            so_far.feed = expectations.feed
            and so_far.expectation = expectations.expectation
)

select * from final
