{{ config(materialized="view") }}

with signals as (
    select * from {{ ref('int_signals') }}
),

shares as (
    select
        tier,
        upper_share,
        lag(upper_share, 1, 0) over (order by rank_order) as lower_share
    from {{ ref('tier_rules') }}
),

ranked as (
    select
        customer_key,
        day,
        rank() over (partition by business_line, day order by revenue_12m desc) - 1 as customers_above,
        count(*) over (partition by business_line, day) as customers_ranked
    from signals
    where
        is_period_end
        and closing is null
        and revenue_12m > 0
),

-- in whole numbers: a share that falls on a customer must not hang on rounding
final as (
    select
        ranked.customer_key,
        ranked.day,
        shares.tier
    from ranked
    inner join shares
        on
            100 * ranked.customers_above >= shares.lower_share * ranked.customers_ranked
            and 100 * ranked.customers_above < shares.upper_share * ranked.customers_ranked
)

select * from final
