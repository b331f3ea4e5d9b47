-- What came of each segment in the campaigns that ended in the quarter, and, for who sees the whole business line, which
-- chance of a return its next customers have by all trials so far, beside the chance that was assumed without any.
with members as (
    select
        campaign_members.business_line,
        campaign_members.value_tier,
        campaign_members.reason_class,
        campaign_members.time_away,
        count(*) filter (where campaign_members.arm = 'treated') as treated,
        count(*) filter (where campaign_members.arm = 'treated' and campaign_members.has_returned) as treated_returned,
        count(*) filter (where campaign_members.arm = 'control') as control,
        count(*) filter (where campaign_members.arm = 'control' and campaign_members.has_returned) as control_returned
    from marts.campaign_members
    inner join scoped_customers on campaign_members.customer_key = scoped_customers.customer_key
    where
        campaign_members.is_complete
        and campaign_members.window_ends_on between %(starts_on)s and %(ends_on)s
        and campaign_members.arm <> 'outside'
    group by 1, 2, 3, 4
),

final as (
    select
        members.business_line,
        members.value_tier,
        members.reason_class,
        case when %(language)s = 'zh' then known.time_away_zh else known.time_away_en end as time_away,
        members.treated,
        members.treated_returned,
        1.0 * members.treated_returned / nullif(members.treated, 0) as treated_rate,
        members.control,
        members.control_returned,
        1.0 * members.control_returned / nullif(members.control, 0) as control_rate,
        line.prior_treated,
        line.p_treated,
        line.prior_untreated,
        line.p_untreated
    from members
    left join marts.winback_posteriors as known
        on
            members.business_line = known.business_line
            and members.value_tier = known.value_tier
            and members.reason_class = known.reason_class
            and members.time_away = known.time_away
    left join marts.winback_posteriors as line
        on
            members.business_line = line.business_line
            and members.value_tier = line.value_tier
            and members.reason_class = line.reason_class
            and members.time_away = line.time_away
            and (%(scope_kind)s = 'everything' or (%(scope_kind)s = 'business_line' and line.business_line = %(scope_key)s))
)

select * from final
order by treated + control desc, business_line, value_tier, reason_class, time_away
limit %(rows_attached)s
