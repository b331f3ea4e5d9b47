-- What is made of the months, tiers and regions.

create table marts.tier_movements as
with ranks as (
    select tier, rank_order from rules.tier_rules
    union all
    select 'none', max(rank_order) + 1 from rules.tier_rules
)
select
    customer_key,
    month,
    business_line,
    start_region_key as region_key,
    start_account_manager_key as account_manager_key,
    start_tier as from_tier,
    months.tier as to_tier,
    if(to_ranks.rank_order < from_ranks.rank_order, 'up', 'down') as direction,
    revenue_12m,
    'revenue' as ranked_by
from marts.customer_months as months
inner join ranks as from_ranks on start_tier = from_ranks.tier
inner join ranks as to_ranks on months.tier = to_ranks.tier
where is_complete and months.tier <> start_tier and month > (select min(month) from marts.customer_months);

create table marts.stage_transitions as
select
    month, period_ends_on, is_complete, business_line, start_stage, stage,
    count(*) as customers,
    sum(value_12m) as value_12m
from marts.customer_months
where customer_key <> '-1'
group by all;

create table marts.revenue_concentration as
with biggest as (
    select
        month,
        period_ends_on,
        is_complete,
        business_line,
        revenue_12m::double as revenue,
        row_number() over (partition by business_line, month order by revenue_12m desc) as number
    from marts.customer_months
    where revenue_12m > 0
)
select
    month, period_ends_on, is_complete, business_line,
    count(*) as customers,
    sum(revenue)::decimal(18, 2) as revenue_12m,
    sum(revenue * revenue) / (sum(revenue) * sum(revenue)) as herfindahl,
    sum(revenue) filter (where number <= 1) / sum(revenue) as top_1_share,
    sum(revenue) filter (where number <= 10) / sum(revenue) as top_10_share,
    sum(revenue) filter (where number <= 100) / sum(revenue) as top_100_share
from biggest
group by all;

create table marts.dim_region_rollup as
with paths as (
    select region_key, depth, string_split(region_path[2:-2], ',') as path from marts.dim_region
)
select unnest(path) as ancestor_region_key, region_key, depth - unnest(range(1, len(path) + 1)) as distance from paths
union all
select 'all', region_key, depth from paths;

-- a bridge or a base is summed over lines that all have one, and bridges of one length
create temp table rollup_totals as
with line_months as (
    select
        month,
        business_line,
        any_value(bridge_months) as bridge_months,
        count(revenue_start) > 0 as has_bridge,
        count(base_revenue) > 0 as has_base
    from marts.retention_months
    left join lines using (business_line)
    left join rules.policies as policies using (policy)
    group by 1, 2
),

told as (
    select
        months.month,
        ancestor_region_key,
        coalesce(bool_and(has_bridge), true) and count(distinct bridge_months) <= 1 as has_bridge,
        coalesce(bool_and(has_base), true) as has_base
    from marts.retention_months as months
    inner join marts.dim_region_rollup using (region_key)
    left join line_months
        on
            months.month = line_months.month
            and months.business_line = line_months.business_line
            and revenue_12m <> 0
    group by 1, 2
)
select
    months.month, period_ends_on, is_complete,
    regions.ancestor_region_key as region_key,
    coalesce(months.business_line, 'all') as business_line,
    coalesce(value_tier, 'all') as value_tier,
    sum(customers_registered) as customers_registered,
    sum(customers_active) as customers_active,
    sum(customers_zero_use) as customers_zero_use,
    sum(customer_orders) as customer_orders,
    sum(contact_base) as contact_base,
    sum(customers_contacted) as customers_contacted,
    sum(customers_start) as customers_start,
    sum(customers_closed) as customers_closed,
    sum(churn_base) as churn_base,
    sum(customers_churned) as customers_churned,
    sum(customers_new) as customers_new,
    sum(customers_reactivated) as customers_reactivated,
    sum(customers_end) as customers_end,
    sum(churn_members) as churn_members,
    sum(orders) as orders,
    sum(orders_promised) as orders_promised,
    sum(orders_on_time) as orders_on_time,
    sum(complaints) as complaints,
    sum(customers_12m) as customers_12m,
    sum(customers_repeat_12m) as customers_repeat_12m,
    sum(revenue) as revenue,
    sum(customer_revenue) as customer_revenue,
    sum(revenue_at_risk) as revenue_at_risk,
    sum(lost_revenue) as lost_revenue,
    sum(revenue_12m) as revenue_12m,
    null::decimal(18, 2) as margin_12m,
    if(grouping(months.business_line) = 0 or has_bridge, sum(revenue_start), null) as revenue_start,
    if(grouping(months.business_line) = 0 or has_bridge, sum(revenue_new), null) as revenue_new,
    if(grouping(months.business_line) = 0 or has_bridge, sum(revenue_reactivated), null) as revenue_reactivated,
    if(grouping(months.business_line) = 0 or has_bridge, sum(revenue_expansion), null) as revenue_expansion,
    if(grouping(months.business_line) = 0 or has_bridge, sum(revenue_contraction), null) as revenue_contraction,
    if(grouping(months.business_line) = 0 or has_bridge, sum(revenue_lapsed), null) as revenue_lapsed,
    if(grouping(months.business_line) = 0 or has_bridge, sum(revenue_end), null) as revenue_end,
    if(grouping(months.business_line) = 0 or has_base, sum(base_revenue), null) as base_revenue,
    if(grouping(months.business_line) = 0 or has_base, sum(base_revenue_kept), null) as base_revenue_kept,
    if(grouping(months.business_line) = 0 or has_base, sum(base_revenue_now), null) as base_revenue_now,
    if(grouping(months.business_line) = 0 or has_base, sum(established_revenue), null) as established_revenue,
    if(grouping(months.business_line) = 0 or has_base, sum(established_revenue_kept), null) as established_revenue_kept,
    if(grouping(months.business_line) = 0 or has_base, sum(established_revenue_now), null) as established_revenue_now
from marts.retention_months as months
inner join marts.dim_region_rollup as regions using (region_key)
inner join told on months.month = told.month and regions.ancestor_region_key = told.ancestor_region_key
group by
    months.month, period_ends_on, is_complete, regions.ancestor_region_key, has_bridge, has_base,
    cube (months.business_line, value_tier);

create table marts.retention_months_rollup as from rated('rollup_totals');

create table marts.account_manager_risk as
with gone as (
    select account_manager_key, left_on from marts.dim_account_manager
    where left_on <= getvariable('as_of')
),

-- who has left stands for those who have not ordered from other hands since
looked_after as (
    select
        dim_customer.* exclude (account_manager_key),
        coalesce(gone.account_manager_key, dim_customer.account_manager_key) as account_manager_key,
        coalesce(gone.account_manager_key <> dim_customer.account_manager_key, false) as is_handed_over
    from marts.dim_customer
    inner join people using (customer_key)
    left join versions on people.id = versions.id and last_order_on >= valid_from and last_order_on < valid_to
    left join gone on versions.account_manager_key = gone.account_manager_key
    where stage not in ('closed', 'prospect', 'churned')
),

totals as (
    select
        account_manager_key, business_line,
        count(*) as customers,
        count_if(is_handed_over) as customers_handed_over,
        count_if(value_tier in ('vip', 'major')) as key_customers,
        count_if(stage = 'at_risk') as customers_at_risk,
        sum(revenue_12m) as revenue_12m,
        sum(value_12m) as value_12m
    from looked_after
    group by 1, 2
)
select
    totals.*,
    gone.left_on is not null as has_left,
    gone.left_on,
    getvariable('as_of') - gone.left_on as days_since_left,
    value_12m / nullif(sum(value_12m) over (partition by business_line), 0) as share_of_line,
    case
        when account_manager_key = '-1' then 'assign'
        when gone.left_on is not null and customers_handed_over < customers then 'hand_over'
        when gone.left_on is not null then 'introduce'
        when customers_at_risk > 0 then 'call'
    end as next_step
from totals
left join gone using (account_manager_key);
