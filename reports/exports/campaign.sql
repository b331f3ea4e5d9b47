-- Whom approved campaigns treat now: members who are still silent, the most gain first. Who was drawn after the marts
-- were made is known by ops, and who has merged by the marts. Offers go out on the next day. An offer is made once: who
-- has left with this export since the campaign was drawn is not on it again.
with campaigns as (
    select
        campaign_members.campaign_id,
        min(campaign_members.assigned_on) as assigned_on,
        min(campaign_members.starts_on) as starts_on,
        max(campaign_members.window_ends_on) as window_ends_on
    from ops.campaign_members
    group by 1
),

members as (
    select
        winback_candidates.*,
        coalesce(drawn.campaign_id, winback_candidates.campaign_id) as member_of,
        coalesce(drawn.arm, winback_candidates.arm) as member_arm
    from marts.winback_candidates
    left join ops.campaign_members as drawn
        on
            winback_candidates.customer_key = drawn.customer_key
            and drawn.window_ends_on > %(as_of_date)s::date
),

final as (
    select
        members.customer_key,
        campaigns.campaign_id,
        campaigns.starts_on,
        case %(language)s
            when 'zh' then members.action_zh
            else members.action_en
        end as action,
        row_number() over (
            order by members.expected_gain desc nulls last, members.customer_key, campaigns.campaign_id
        ) as place
    from members
    inner join campaigns on members.member_of = campaigns.campaign_id
    where
        members.member_arm in ('treated', 'outside')
        and campaigns.starts_on <= %(as_of_date)s::date + 1
        and campaigns.window_ends_on > %(as_of_date)s::date
        and not exists (
            select from ops.export_batches
            where
                export_batches.export = %(export)s
                and export_batches.as_of_date >= campaigns.assigned_on
                and export_batches.as_of_date < %(as_of_date)s::date
                and export_batches.sent_at is not null
                and members.customer_key = any(export_batches.customer_keys)
        )
)

select * from final
