with months as (
    select * from {{ ref('customer_months') }}
),

first_month as (
    select min(month) as month from months
),

-- before the first month nobody was reviewed
moved as (
    select months.*
    from months
    inner join first_month on months.month > first_month.month
    where
        months.is_complete
        and months.tier <> months.start_tier
),

measures as (
    select * from {{ ref('int_line_measures') }}
),

ranks as (
    select
        tier,
        rank_order
    from {{ ref('tier_rules') }}

    union all

    -- below all others
    select
        'none' as tier,
        max(rank_order) + 1 as rank_order
    from {{ ref('tier_rules') }}
),

final as (
    select
        moved.customer_key,
        moved.month,
        moved.business_line,
        moved.start_region_key as region_key,
        moved.start_account_manager_key as account_manager_key,
        moved.start_tier as from_tier,
        moved.tier as to_tier,
        case when to_ranks.rank_order < from_ranks.rank_order then 'up' else 'down' end as direction,
        moved.revenue_12m,
        coalesce(measures.ranked_by, 'revenue') as ranked_by
    from moved
    inner join ranks as from_ranks on moved.start_tier = from_ranks.tier
    inner join ranks as to_ranks on moved.tier = to_ranks.tier
    left join measures
        on
            moved.business_line = measures.business_line
            and {{ month_end('moved.month') }} = measures.day
)

select * from final
