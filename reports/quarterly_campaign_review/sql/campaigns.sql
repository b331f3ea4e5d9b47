-- Campaigns whose window ended in the quarter, the largest first. Members are counted in the scope; what compares the
-- arms, and money, is told only where the scope holds every member, as a part of a campaign is not a trial.
with arms as (
    select
        campaign_members.campaign_id,
        count(*) as members,
        count(*) filter (where campaign_members.arm = 'treated') as treated,
        count(*) filter (where campaign_members.arm = 'treated' and campaign_members.has_returned) as treated_returned,
        count(*) filter (where campaign_members.arm = 'control') as control,
        count(*) filter (where campaign_members.arm = 'control' and campaign_members.has_returned) as control_returned
    from marts.campaign_members
    inner join scoped_customers on campaign_members.customer_key = scoped_customers.customer_key
    where
        campaign_members.is_complete
        and campaign_members.window_ends_on between %(starts_on)s and %(ends_on)s
    group by 1
),

final as (
    select
        arms.campaign_id,
        case when %(language)s = 'zh' then campaigns.name_zh else campaigns.name_en end as name,
        case when %(language)s = 'zh' then campaigns.offer_zh else campaigns.offer_en end as offer,
        campaigns.starts_on,
        campaigns.window_ends_on,
        arms.treated,
        arms.treated_returned,
        1.0 * arms.treated_returned / nullif(arms.treated, 0) as treated_rate,
        whole.treated_low,
        whole.treated_high,
        arms.control,
        arms.control_returned,
        1.0 * arms.control_returned / nullif(arms.control, 0) as control_rate,
        whole.control_low,
        whole.control_high,
        campaigns.target_rate,
        whole.uplift,
        whole.uplift_low,
        whole.uplift_high,
        whole.revenue_won,
        whole.margin_won,
        whole.treated_cost,
        whole.margin_won - whole.treated_cost as gain,
        case when whole.uplift_low > 0 then whole.cost_per_customer_won end as cost_per_customer_won,
        whole.treated_satisfaction,
        whole.control_satisfaction,
        coalesce(whole.finding, 'part') as finding
    from arms
    inner join marts.campaign_results as campaigns on arms.campaign_id = campaigns.campaign_id
    left join marts.campaign_results as whole
        on
            arms.campaign_id = whole.campaign_id
            and arms.members = whole.treated + whole.control + whole.outside
)

select * from final
order by treated desc, campaign_id
limit %(rows_attached)s
