-- One row per source and reason for which rows of one feed wait, with the newest of them as examples.
-- What the rows say is masked before anything is shown.
with waiting as (
    select
        quarantine_id,
        source_id,
        business_day,
        unnest(reasons) as reason,
        typed_values,
        source_text
    from {quarantine}
    where state = 'open' and business_day <= %(day)s
),

ranked as (
    select
        *,
        row_number() over (partition by source_id, reason order by quarantine_id desc) as place
    from waiting
),

reasons as (
    select
        source_id,
        reason,
        count(*) as rows_waiting,
        min(business_day) as oldest_day,
        array_agg(quarantine_id order by place) filter (where place <= %(examples)s) as quarantine_ids,
        array_agg(typed_values order by place) filter (where place <= %(examples)s) as typed_values,
        array_agg(source_text order by place) filter (where place <= %(examples)s) as source_texts
    from ranked
    group by 1, 2
),

final as (
    select
        %(feed)s as feed,
        reasons.*,
        expectations.protects_en,
        expectations.protects_zh
    from reasons
    left join ops.expectations
        on expectations.feed = %(feed)s
        and reasons.reason = expectations.expectation
)

select * from final
order by source_id, rows_waiting desc, reason
