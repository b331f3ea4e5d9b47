-- One row per figure of the quarter that is known, beside the quarter before and the same quarter last year, and what was
-- sent about the quarter before. The gain of a quarter is known where the scope holds all members of its campaigns.
with quarters as (
    select
        name,
        date_trunc('quarter', ends_on)::date as starts_on,
        ends_on
    from (
        values
        ('this', %(ends_on)s::date),
        ('before', %(before_ends_on)s::date),
        ('year_before', %(year_before_ends_on)s::date)
    ) as quarter (name, ends_on)
),

campaigns as (
    select
        campaign_members.campaign_id,
        campaign_members.window_ends_on,
        count(*) as members,
        count(*) filter (where campaign_members.arm = 'treated') as treated,
        count(*) filter (where campaign_members.arm = 'treated' and campaign_members.has_returned) as treated_returned
    from marts.campaign_members
    inner join scoped_customers on campaign_members.customer_key = scoped_customers.customer_key
    where campaign_members.is_complete
    group by 1, 2
),

trials as (
    select
        quarters.name,
        count(*) as campaigns_ended,
        sum(campaigns.treated) as treated,
        sum(campaigns.treated_returned) as treated_returned,
        case
            when count(*) = count(whole.margin_won) then sum(whole.margin_won - whole.treated_cost)
        end as campaign_gain
    from quarters
    inner join campaigns on campaigns.window_ends_on between quarters.starts_on and quarters.ends_on
    left join marts.campaign_results as whole
        on
            campaigns.campaign_id = whole.campaign_id
            and campaigns.members = whole.treated + whole.control + whole.outside
    group by 1
),

tasks as (
    select
        quarters.name,
        count(*) as tasks_due,
        count(*) filter (where winback_tasks.status = 'done' and not winback_tasks.is_late) as tasks_done_in_time,
        count(*) filter (where winback_tasks.status = 'overdue') as tasks_overdue
    from quarters
    inner join marts.winback_tasks on winback_tasks.due_on between quarters.starts_on and quarters.ends_on
    inner join scoped_customers on winback_tasks.customer_key = scoped_customers.customer_key
    where
        winback_tasks.due_on <= %(as_of_date)s
        and winback_tasks.status <> 'withdrawn'
    group by 1
),

figures as (
    select
        quarters.name as quarter,
        figure.*
    from quarters
    left join trials on quarters.name = trials.name
    left join tasks on quarters.name = tasks.name
    cross join lateral (
        values
        (
            'treated_rate',
            trials.treated_returned / nullif(trials.treated, 0),
            trials.treated_returned,
            trials.treated
        ),
        ('campaign_gain', trials.campaign_gain, null, null),
        (
            'in_time_share',
            tasks.tasks_done_in_time::numeric / tasks.tasks_due,
            tasks.tasks_done_in_time,
            tasks.tasks_due
        ),
        ('tasks_overdue', tasks.tasks_overdue, null, null),
        ('campaigns_ended', trials.campaigns_ended, null, null),
        ('treated', trials.treated, null, null),
        ('treated_returned', trials.treated_returned, null, null),
        ('tasks_due', tasks.tasks_due, null, null)
    ) as figure (name, value, part, whole)
),

final as (
    select
        this_quarter.name,
        this_quarter.value,
        this_quarter.part,
        this_quarter.whole,
        this_quarter.value - last_quarter.value as change,
        this_quarter.value - last_year.value as year_change,
        last_quarter.value as before,
        figures_as_sent.value as before_as_sent,
        figures_as_sent.feeds as changed_feeds
    from figures as this_quarter
    left join figures as last_quarter
        on this_quarter.name = last_quarter.name
        and last_quarter.quarter = 'before'
    left join figures as last_year
        on this_quarter.name = last_year.name
        and last_year.quarter = 'year_before'
    left join figures_as_sent on this_quarter.name = figures_as_sent.name
    where
        this_quarter.quarter = 'this'
        and this_quarter.value is not null
)

select * from final
