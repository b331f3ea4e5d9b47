-- Campaigns that had begun when the quarter ended and whose window had not, or not by the data's last day; by the day
-- after which their result is known.
with members as (
    select
        campaign_members.campaign_id,
        campaign_members.window_ends_on,
        count(*) filter (where campaign_members.arm = 'treated') as treated,
        count(*) filter (where campaign_members.arm = 'control') as control
    from marts.campaign_members
    inner join scoped_customers on campaign_members.customer_key = scoped_customers.customer_key
    where
        campaign_members.assigned_on <= %(ends_on)s
        and (campaign_members.window_ends_on > %(ends_on)s or not campaign_members.is_complete)
    group by 1, 2
),

final as (
    select
        members.campaign_id,
        case when %(language)s = 'zh' then campaign_results.name_zh else campaign_results.name_en end as name,
        campaign_results.starts_on,
        members.window_ends_on,
        members.treated,
        members.control
    from members
    inner join marts.campaign_results on members.campaign_id = campaign_results.campaign_id
)

select * from final
order by window_ends_on, campaign_id
limit %(rows_attached)s
