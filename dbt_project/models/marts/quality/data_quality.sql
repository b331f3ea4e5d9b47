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

tier_ties as (
    select * from {{ ref('int_tier_ties') }}
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

    union all

    -- what the build itself looks at
    select
        'orders' as feed,
        'all' as source_id,
        'tier_shares_of_' || business_line as expectation,
        'line' as level,
        'warn' as severity,
        'sales operations' as owner,
        'Customers with equal figures are in the same tier: where one figure, such as a fixed fee, fills more than '
        || {{ var('tier_tie_limit') }}
        || ' times the share of a tier, the tier does not tell who is important.' as protects_en,
        '数字相同的客户等级也相同。如果同一个数字（例如统一收费）的客户人数超过某一等级应占人数的 '
        || {{ var('tier_tie_limit') }}
        || ' 倍，这个等级就分不出谁更重要。' as protects_zh,
        1 as batches_checked,
        customers_tied as rows_failed,
        customers_ranked as rows_total,
        1.0 * customers_tied / customers_ranked as share_failed,
        case when customers_tied > 0 then reviewed_on end as last_failed_on,
        case when customers_tied > 0 then 'failed' else 'passed' end as last_outcome,
        cast(times_filled as double precision) as last_observed,
        null as last_usual,
        null as last_minimum,
        cast({{ var('tier_tie_limit') }} as double precision) as last_maximum
    from tier_ties
)

select * from final
