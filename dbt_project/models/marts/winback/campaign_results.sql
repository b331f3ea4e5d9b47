with members as (
    select * from {{ ref('int_campaign_members') }}
),

campaigns as (
    select * from {{ ref('campaigns') }}
),

business_lines as (
    select * from {{ ref('int_business_lines') }}
),

decisions as (
    select * from {{ source('campaigns', 'campaign_decisions') }}
    where state = 'approved'
),

surveys as (
    select * from {{ ref('fct_surveys') }}
),

arms as (
    select
        campaign_id,
        business_line,
        assigned_on,
        window_ends_on,
        is_complete,
        count(*) filter (where arm = 'treated') as treated,
        count(*) filter (where arm = 'treated' and has_returned) as treated_returned,
        sum(revenue) filter (where arm = 'treated') as treated_revenue,
        count(*) filter (where arm = 'control') as control,
        count(*) filter (where arm = 'control' and has_returned) as control_returned,
        sum(revenue) filter (where arm = 'control') as control_revenue,
        count(*) filter (where arm = 'outside') as outside,
        count(*) filter (where arm = 'outside' and has_returned) as outside_returned
    from members
    group by 1, 2, 3, 4, 5
),

satisfaction as (
    select
        members.campaign_id,
        avg(surveys.satisfaction) filter (where members.arm = 'treated') as treated_satisfaction,
        avg(surveys.satisfaction) filter (where members.arm = 'control') as control_satisfaction
    from members
    inner join surveys
        on
            members.customer_key = surveys.customer_key
            and members.assigned_on < surveys.asked_on
            and members.window_ends_on >= surveys.asked_on
    where members.is_complete
    group by 1
),

rates as (
    select
        *,
        1.0 * treated_returned / nullif(treated, 0) as treated_rate,
        1.0 * control_returned / nullif(control, 0) as control_rate
    from arms
    where is_complete
),

-- a control group is what tells a campaign's work from what would have happened anyway; at 0 and 1 a bound is the rate
-- itself but for rounding
bounds as (
    select
        *,
        least(treated_rate, {{ wilson_bound('treated_rate', 'treated', '-') }}) as treated_low,
        greatest(treated_rate, {{ wilson_bound('treated_rate', 'treated', '+') }}) as treated_high,
        least(control_rate, {{ wilson_bound('control_rate', 'control', '-') }}) as control_low,
        greatest(control_rate, {{ wilson_bound('control_rate', 'control', '+') }}) as control_high,
        treated_revenue - control_revenue * treated / control as revenue_won
    from rates
    where
        treated > 0
        and control > 0
),

results as (
    select
        arms.campaign_id,
        arms.business_line,
        campaigns.name_zh,
        campaigns.name_en,
        campaigns.offer_zh,
        campaigns.offer_en,
        campaigns.starts_on,
        arms.assigned_on,
        arms.window_ends_on,
        arms.is_complete,
        arms.treated,
        arms.control,
        arms.outside,
        case when arms.is_complete then arms.treated_returned end as treated_returned,
        case when arms.is_complete then arms.control_returned end as control_returned,
        case when arms.is_complete then arms.outside_returned end as outside_returned,
        rates.treated_rate,
        bounds.treated_low,
        bounds.treated_high,
        rates.control_rate,
        bounds.control_low,
        bounds.control_high,
        campaigns.target_rate,
        rates.treated_rate >= campaigns.target_rate as is_target_reached,
        bounds.treated_rate - bounds.control_rate as uplift,
        {{ newcombe_low(
            'bounds.treated_rate', 'bounds.treated_low', 'bounds.control_rate', 'bounds.control_high'
        ) }} as uplift_low,
        {{ newcombe_high(
            'bounds.treated_rate', 'bounds.treated_high', 'bounds.control_rate', 'bounds.control_low'
        ) }} as uplift_high,
        decisions.expected_uplift,
        decisions.smallest_detectable,
        coalesce(decisions.smallest_detectable > decisions.expected_uplift, true) as is_too_small,
        arms.treated_revenue,
        bounds.revenue_won,
        bounds.revenue_won * business_lines.margin_share as margin_won,
        decisions.cost,
        decisions.cost * arms.treated / nullif(arms.treated + arms.outside, 0) as treated_cost,
        satisfaction.treated_satisfaction,
        satisfaction.control_satisfaction
    from arms
    inner join campaigns on arms.campaign_id = campaigns.campaign_id
    inner join business_lines on arms.business_line = business_lines.business_line
    left join decisions on arms.campaign_id = decisions.campaign_id
    left join rates on arms.campaign_id = rates.campaign_id
    left join bounds on arms.campaign_id = bounds.campaign_id
    left join satisfaction on arms.campaign_id = satisfaction.campaign_id
),

final as (
    select
        *,
        case when uplift > 0 then treated_cost / (uplift * treated) end as cost_per_customer_won,
        case
            when not is_complete then null
            when uplift is null then 'cannot_tell'
            when uplift_low > 0 and margin_won > treated_cost then 'worked'
            when uplift_low > 0 then 'cost_too_much'
            when uplift_high < 0 then 'did_harm'
            when is_too_small then 'too_small'
            else 'no_effect'
        end as finding
    from results
)

select * from final
