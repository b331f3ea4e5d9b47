with causes as (
    select
        kind,
        cause_key,
        product_key,
        batch_no,
        cast(sum(orders) as bigint) as orders,
        cast(sum(complaints) as bigint) as complaints,
        cast(sum(orders_complained) as bigint) as orders_complained
    from {{ ref('int_cause_days') }}
    where day >= cast({{ as_of_date() }} + 1 - interval '{{ var("trailing_months") }} months' as date)
    group by 1, 2, 3, 4
),

alarms as (
    select * from {{ source('cause_scores', 'cause_alarms') }}
),

-- a batch is held against the other batches of its product, anything else against all peers of its kind
compared as (
    select
        *,
        sum(orders) over peers - orders as peer_orders,
        sum(orders_complained) over peers - orders_complained as peer_orders_complained
    from causes
    window peers as (partition by kind, case when kind = 'batch' then product_key end)
),

ratios as (
    select
        *,
        {{ risk_ratio('orders_complained', 'orders', 'peer_orders_complained', 'peer_orders') }} as risk_ratio,
        {{ log_risk_ratio_error('orders_complained', 'orders', 'peer_orders_complained', 'peer_orders') }} as log_error
    from compared
),

final as (
    select
        ratios.kind,
        ratios.cause_key,
        ratios.product_key,
        ratios.batch_no,
        case when ratios.kind = 'region' then ratios.cause_key end as region_key,
        case when ratios.kind = 'channel' then ratios.cause_key end as channel,
        ratios.orders,
        ratios.complaints,
        1000.0 * ratios.complaints / nullif(ratios.orders, 0) as complaints_per_1000_orders,
        ratios.risk_ratio,
        ratios.risk_ratio * exp(-{{ var('confidence_z') }} * ratios.log_error) as risk_ratio_low,
        ratios.risk_ratio * exp({{ var('confidence_z') }} * ratios.log_error) as risk_ratio_high,
        alarms.window_days,
        alarms.complaints as window_complaints,
        alarms.expected as window_expected,
        alarms.dispersion,
        alarms.p_value,
        alarms.q_value,
        coalesce(alarms.is_alarm, false) as is_alarm
    from ratios
    left join alarms
        on
            ratios.kind = alarms.kind
            and ratios.cause_key = alarms.cause_key
)

select * from final
