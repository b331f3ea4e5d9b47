-- Each customer's months and weeks, and what they add up to.

create temp table activity as
select 'month' as grain, id, month_of(month) as starts_on, orders, revenue, complaints from monthly
union all
select
    'week',
    id,
    date_trunc('week', day)::date,
    sum(orders)::int,
    sum(revenue),
    sum(complaints)::int
from days
where date_trunc('week', day)::date in (select starts_on from periods where grain = 'week')
group by 1, 2, 3;

create temp table data_begins as
select business_line, min(day) as data_begin_on
from days
inner join people using (id)
where orders > 0
group by 1;

-- the version that held on each evening
create temp table owners as
select
    id,
    unnest(range(coalesce(begins.place, 1), coalesce(ends.place, last_place() + 1))) as place,
    region_key,
    account_manager_key
from versions
left join places as begins on valid_from = begins.day
left join places as ends on valid_to = ends.day
where valid_from <= getvariable('as_of') and valid_to > (select min(day) from places);

create temp view customer_periods as
with places as (
    select periods.*, ends.place as end_place, starts.place as start_place
    from periods
    inner join evenings as ends on period_ends_on = ends.day
    inner join evenings as starts on evening_before = starts.day
),

both_ends as (
    select
        people.id,
        customer_key,
        places.*,
        business_line,
        coalesce(end_owners.region_key, '-1') as region_key,
        coalesce(end_owners.account_manager_key, '-1') as account_manager_key,
        coalesce(start_owners.region_key, '-1') as start_region_key,
        coalesce(start_owners.account_manager_key, '-1') as start_account_manager_key,
        coalesce(orders, 0) as orders,
        coalesce(revenue, 0) as revenue,
        coalesce(complaints, 0) as complaints,
        at_end.stage,
        coalesce(at_end.tier, 'none') as tier,
        coalesce(at_end.value_tier, 'none') as value_tier,
        coalesce(at_end.value_12m, 0) as value_12m,
        at_end.first_order_on,
        if(people.id > 0, coalesce(at_start.stage, 'prospect'), null) as start_stage,
        coalesce(at_end.revenue_12m, 0) as revenue_12m,
        at_start.tier as start_tier,
        coalesce(at_start.value_tier, 'none') as start_value_tier,
        coalesce(at_end.stage not in ('closed', 'prospect', 'churned'), false) as is_live,
        coalesce(at_start.stage not in ('closed', 'prospect', 'churned'), false) as was_live,
        coalesce(is_complete and data_begin_on <= evening_before - churn_days::int + 1, false) as is_churn_rate_defined
    from people
    inner join places on first_seen_on <= period_ends_on
    left join activity using (grain, id, starts_on)
    left join known as at_end on people.id = at_end.id and end_place = at_end.place
    left join known as at_start on people.id = at_start.id and start_place = at_start.place
    left join owners as end_owners on people.id = end_owners.id and end_place = end_owners.place
    left join owners as start_owners on people.id = start_owners.id and start_place = start_owners.place
    left join rules.policies as policies using (policy)
    left join data_begins using (business_line)
    where people.id > 0 or activity.id is not null
)
select
    *,
    was_live and stage = 'closed' as is_closed,
    was_live and stage = 'churned' as is_churned
from both_ends;

create temp macro of_grain(wanted) as table
select
    customer_key, starts_on, ends_on, period_ends_on, is_complete, business_line, region_key, account_manager_key,
    orders, revenue, complaints, stage, tier, value_tier, value_12m, revenue_12m,
    start_stage, start_tier, start_value_tier, start_region_key, start_account_manager_key, is_churn_rate_defined,
    was_live::int as customers_start,
    coalesce(is_closed, false)::int as customers_closed,
    coalesce(is_churned, false)::int as customers_churned,
    (is_live and first_order_on > evening_before)::int as customers_new,
    (is_live and not was_live and first_order_on <= evening_before)::int as customers_reactivated,
    is_live::int as customers_end,
    (is_churn_rate_defined and was_live and not is_closed)::int as churn_base,
    (is_churn_rate_defined and is_churned)::int as churn_members,
    case when not is_churn_rate_defined then null when is_churned then value_12m else 0 end as lost_revenue,
    if(stage = 'at_risk', value_12m, 0) as revenue_at_risk
from customer_periods
where grain = wanted;

create table marts.customer_months as
select starts_on as month, * exclude (starts_on, ends_on) from of_grain('month');

create table marts.customer_weeks as
select starts_on as week_starts_on, ends_on as week_ends_on, * exclude (starts_on, ends_on) from of_grain('week');

create table marts.retention_months as
with totals as (
    select
        month, period_ends_on, is_complete, business_line,
        start_region_key as region_key, start_value_tier as value_tier,
        sum(customers_start) as customers_start,
        sum(customers_closed) as customers_closed,
        sum(churn_base) as churn_base,
        sum(customers_churned) as customers_churned,
        sum(customers_new) as customers_new,
        sum(customers_reactivated) as customers_reactivated,
        sum(customers_end) as customers_end,
        sum(churn_members) as churn_members,
        sum(orders) as orders,
        sum(revenue) as revenue,
        sum(revenue_at_risk) as revenue_at_risk,
        sum(lost_revenue) as lost_revenue,
        sum(complaints) as complaints
    from marts.customer_months
    group by all
)
select
    *,
    churn_members / nullif(churn_base, 0) as churn_rate,
    1 - churn_members / nullif(churn_base, 0) as retention_rate
from totals;

create table marts.dim_account_manager as
with known as (
    select
        source_id || ':' || account_manager_id as account_manager_key,
        account_manager_id,
        name,
        email,
        coalesce(source_id || ':' || nullif(region_id, ''), '-1') as region_key,
        coalesce(source_id || ':' || nullif(reports_to, ''), '-1') as reports_to_key,
        left_on
    from raw.account_managers
    where deleted_on is null
),

referred as (
    select distinct account_manager_key from versions
    union
    select reports_to_key from known
    union
    select '-1'
)
select * from known
union all
select
    account_manager_key,
    if(account_manager_key = '-1', null, split_part(account_manager_key, ':', 2)),
    if(account_manager_key = '-1', null, split_part(account_manager_key, ':', 2)),
    null,
    '-1',
    if(account_manager_key = '-1', null, '-1'),
    null
from referred
where account_manager_key not in (select account_manager_key from known);

create table marts.dim_region as
with recursive told as (
    select
        source_id || ':' || region_id as region_key,
        region_id,
        name,
        coalesce(source_id || ':' || nullif(parent_region_id, ''), '-1') as parent_region_key
    from raw.regions
    where deleted_on is null
),

referred as (
    select region_key from versions
    union
    select region_key from marts.fct_orders
    union
    select parent_region_key from told
    union
    select '-1'
),

known as (
    select * from told
    union all
    select
        region_key,
        if(region_key = '-1', null, split_part(region_key, ':', 2)),
        if(region_key = '-1', null, split_part(region_key, ':', 2)),
        if(region_key = '-1', null, '-1')
    from referred
    where region_key not in (select region_key from told)
),

tree as (
    select region_key, [region_key] as region_path from known
    where parent_region_key = '-1' or region_key = '-1'
    union all
    select known.region_key, list_append(region_path, known.region_key)
    from tree
    inner join known on tree.region_key = known.parent_region_key
    where tree.region_key <> '-1'
)
select
    known.*,
    coalesce(len(region_path), 1) as depth,
    '{' || array_to_string(coalesce(region_path, [known.region_key]), ',') || '}' as region_path
from known
left join tree using (region_key);

create table marts.dim_date as
select
    day::date as date_day,
    isoyear(day) as iso_year,
    week(day) as iso_week,
    date_trunc('week', day)::date as week_starts_on,
    date_trunc('week', day)::date + 6 as week_ends_on,
    date_trunc('month', day)::date as month,
    date_trunc('quarter', day)::date as quarter,
    isodow(day) >= 6 as is_weekend
from range(
    (select date_trunc('year', min(starts_on))::timestamp from periods),
    (select date_trunc('year', max(period_ends_on)) + interval 1 year from periods),
    interval 1 day
) as calendar (day);
