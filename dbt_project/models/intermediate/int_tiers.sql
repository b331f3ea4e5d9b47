with evenings as (
    select * from {{ ref('int_evening_values') }}
),

customers as (
    select * from {{ ref('int_customers') }}
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
        evenings.customer_key,
        evenings.day,
        rank() over best_first - 1 as customers_above,
        count(*) over (partition by customers.business_line, evenings.day) as customers_ranked
    from evenings
    inner join customers on evenings.customer_key = customers.customer_key
    where
        evenings.revenue_12m > 0
        -- not closed in any way
        and (
            customers.closed_on is null
            or customers.closed_on > evenings.day
            or customers.closed_on < evenings.last_order_on
        )
    window best_first as (partition by customers.business_line, evenings.day order by evenings.revenue_12m desc)
),

-- in whole numbers: a share that falls on a customer must not hang on rounding
final as (
    select
        ranked.customer_key,
        ranked.day,
        ranked.customers_above,
        shares.tier
    from ranked
    inner join shares
        on
            100 * ranked.customers_above >= shares.lower_share * ranked.customers_ranked
            and 100 * ranked.customers_above < shares.upper_share * ranked.customers_ranked
)

select * from final
