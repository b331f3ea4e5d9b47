with customers as (
    select * from {{ ref('dim_customer') }}
    where
        stage not in ('closed', 'prospect', 'churned')
        and figure_12m > 0
),

customer_days as (
    select
        *,
        day > {{ as_of_date() }} - {{ var('growth_days') }} as is_late
    from {{ ref('int_customer_days') }}
    where day > {{ as_of_date() }} - 2 * {{ var('growth_days') }}
),

reviewed as (
    select * from {{ ref('int_customer_evenings') }}
    where day = {{ month_start(as_of_date() ~ ' + 1') }} - 1
),

lines_reviewed as (
    select
        customers.customer_key,
        customers.business_line,
        coalesce(measures.ranked_by, 'revenue') as ranked_by
    from {{ ref('int_customers') }} as customers
    left join {{ ref('int_line_measures') }} as measures
        on
            customers.business_line = measures.business_line
            and measures.day = {{ month_start(as_of_date() ~ ' + 1') }} - 1
),

tier_rules as (
    select * from {{ ref('tier_rules') }}
),

upgrade_rules as (
    select * from {{ ref('upgrade_rules') }}
),

-- the smallest figure that was enough for a tier at the last review
thresholds as (
    select
        lines_reviewed.business_line,
        reviewed.tier,
        tier_rules.rank_order,
        min({{ ranked_figure('lines_reviewed', 'reviewed') }}) as threshold
    from reviewed
    inner join lines_reviewed on reviewed.customer_key = lines_reviewed.customer_key
    inner join tier_rules on reviewed.tier = tier_rules.tier
    group by 1, 2, 3
),

-- the lowest tier above their own whose threshold they have not reached yet; a tier without anybody has none
ahead as (
    select
        customers.*,
        thresholds.tier as next_tier,
        thresholds.threshold,
        row_number() over (partition by customers.customer_key order by thresholds.rank_order desc) as place
    from customers
    left join tier_rules on customers.tier = tier_rules.tier
    inner join thresholds
        on
            customers.business_line = thresholds.business_line
            and customers.figure_12m < thresholds.threshold
            and (tier_rules.rank_order > thresholds.rank_order or tier_rules.rank_order is null)
),

within_reach as (
    select
        ahead.*,
        ahead.threshold - ahead.figure_12m as missing,
        upgrade_rules.min_growth,
        upgrade_rules.source
    from ahead
    inner join upgrade_rules on ahead.policy = upgrade_rules.policy
    where
        ahead.place = 1
        and ahead.threshold - ahead.figure_12m <= upgrade_rules.max_gap_share * ahead.threshold
        and ahead.first_order_on <= {{ as_of_date() }} - 2 * {{ var('growth_days') }}
),

lately as (
    select
        within_reach.customer_key,
        sum(case when customer_days.is_late then customer_days.revenue end) as revenue_lately,
        sum(case when not customer_days.is_late then customer_days.revenue end) as revenue_before
    from within_reach
    inner join customer_days on within_reach.customer_key = customer_days.customer_key
    group by 1
),

final as (
    select
        within_reach.customer_key,
        within_reach.business_line,
        within_reach.tier,
        within_reach.next_tier,
        within_reach.revenue_12m,
        within_reach.ranked_by,
        within_reach.figure_12m,
        within_reach.threshold,
        within_reach.missing,
        lately.revenue_lately / lately.revenue_before - 1 as growth,
        case within_reach.ranked_by when 'margin' then '近 12 个月毛利 ' else '近 12 个月净销售额 ' end
        || {{ plain('within_reach.figure_12m') }}
        || '，距更高等级的门槛 ' || {{ plain('within_reach.threshold') }}
        || ' 还差 ' || {{ plain('within_reach.missing') }}
        || '；近 {{ var('growth_days') }} 天净销售额 ' || {{ plain('lately.revenue_lately') }}
        || '，此前 {{ var('growth_days') }} 天 ' || {{ plain('lately.revenue_before') }} as evidence_zh,
        case within_reach.ranked_by when 'margin' then 'margin' else 'net revenue' end
        || ' of 12 months ' || {{ plain('within_reach.figure_12m') }}
        || ', ' || {{ plain('within_reach.missing') }}
        || ' short of the next tier at ' || {{ plain('within_reach.threshold') }}
        || '; net sales ' || {{ plain('lately.revenue_lately') }} || ' in the last {{ var('growth_days') }} days, '
        || {{ plain('lately.revenue_before') }} || ' in the {{ var('growth_days') }} days before' as evidence_en,
        within_reach.source
    from within_reach
    inner join lately on within_reach.customer_key = lately.customer_key
    where
        lately.revenue_before > 0
        and lately.revenue_lately >= (1 + within_reach.min_growth) * lately.revenue_before
)

select * from final
