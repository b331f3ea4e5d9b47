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
        at_end.last_order_on,
        at_start.last_order_on as start_last_order_on,
        if(people.id > 0, coalesce(at_start.stage, 'prospect'), null) as start_stage,
        coalesce(at_end.orders_12m, 0) as orders_12m,
        coalesce(at_end.revenue_12m, 0) as revenue_12m,
        coalesce(at_start.revenue_12m, 0) as start_revenue_12m,
        at_start.tier as start_tier,
        coalesce(at_start.value_tier, 'none') as start_value_tier,
        coalesce(at_end.stage not in ('closed', 'prospect', 'churned'), false) as is_live,
        coalesce(at_start.stage not in ('closed', 'prospect', 'churned'), false) as was_live,
        bridge_months,
        data_begin_on,
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
),

counted as (
    select
        *,
        was_live and stage = 'closed' as is_closed,
        was_live and stage = 'churned' as is_churned
    from both_ends
)
select
    *,
    0 as orders_promised,
    0 as orders_on_time,
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
from counted;

-- the last order of each month in which there was one
create temp table last_orders as
select
    id,
    max(ordered_on) as ordered_on,
    min({'later': -epoch_us(ordered_at), 'order_key': order_key, 'channel': channel}) as last_order
from marts.fct_orders
inner join people using (customer_key)
where order_class = 'sale' and id > 0
group by id, month_number(ordered_on);

-- A customer's months follow each other without a gap: a look back at rows takes the place of joins.
create table marts.customer_months as
with looked_back as (
    select
        *,
        is_complete and data_begin_on <= starts_on - to_months(bridge_months::int) and id > 0 as is_bridge_defined,
        is_complete and data_begin_on <= ends_on + 1 - to_months(12) and id > 0 as has_trailing_year,
        is_complete and data_begin_on <= ends_on + 1 - to_months(24) and id > 0 as has_base_year,
        if(bridge_months = 12, revenue_12m, revenue) as bridge_revenue,
        if(bridge_months = 12, start_revenue_12m, lag(revenue, 1, 0) over own_months) as start_bridge_revenue,
        coalesce(max(if(bridge_months = 12, revenue_12m, revenue)) over before > 0, false) as has_paid_before,
        lag(revenue_12m, 12) over own_months as revenue_a_year_ago,
        lag(value_tier, 12) over own_months as value_tier_a_year_ago,
        lag(region_key, 12) over own_months as region_key_a_year_ago
    from customer_periods
    where grain = 'month'
    window
        own_months as (partition by id order by starts_on),
        before as (partition by id order by starts_on rows between unbounded preceding and 1 preceding)
),

based as (
    select
        * replace (coalesce(is_bridge_defined, false) as is_bridge_defined),
        if(has_base_year and revenue_a_year_ago > 0, revenue_a_year_ago, null) as base_revenue
    from looked_back
)
select
    starts_on as month,
    customer_key, period_ends_on, is_complete, business_line, region_key, account_manager_key,
    orders, orders_promised, orders_on_time, revenue, complaints, stage, tier, value_tier, value_12m,
    revenue_12m, start_stage, start_tier, start_value_tier, start_region_key, start_account_manager_key, is_churn_rate_defined,
    customers_start, customers_closed, customers_churned, customers_new, customers_reactivated, customers_end,
    churn_base, churn_members, lost_revenue, revenue_at_risk,
    orders_12m,
    null::decimal(18, 2) as cost_12m,
    last_order.order_key as start_order_key,
    last_order.channel as start_channel,
    date_trunc('month', first_order_on)::date as cohort_month,
    last_order_on,
    coalesce(has_trailing_year and orders_12m > 0, false)::int as customers_12m,
    coalesce(has_trailing_year and orders_12m > 1, false)::int as customers_repeat_12m,
    case
        when not is_bridge_defined then null
        when start_bridge_revenue <= 0 and bridge_revenue > 0 then if(has_paid_before, 'reactivated', 'new')
        when start_bridge_revenue > 0 and bridge_revenue <= 0 then 'lapsed'
        when bridge_revenue > start_bridge_revenue then 'expansion'
        when bridge_revenue < start_bridge_revenue then 'contraction'
        else 'flat'
    end as bridge_class,
    if(is_bridge_defined, start_bridge_revenue, null) as revenue_start,
    if(is_bridge_defined, bridge_revenue, null) as revenue_end,
    if(is_bridge_defined, bridge_revenue - start_bridge_revenue, null) as bridge_amount,
    base_revenue,
    if(base_revenue is null, null, value_tier_a_year_ago) as base_value_tier,
    if(base_revenue is null, null, region_key_a_year_ago) as base_region_key,
    if(base_revenue is null, null, first_order_on < ends_on + 1 - to_months(24)) as is_established
from based
left join last_orders
    on based.id = last_orders.id and start_last_order_on = ordered_on and churn_base = 1;

create table marts.customer_weeks as
select
    starts_on as week_starts_on, ends_on as week_ends_on,
    customer_key, period_ends_on, is_complete, business_line, region_key, account_manager_key,
    orders, orders_promised, orders_on_time, revenue, complaints, stage, tier, value_tier, value_12m,
    start_stage, start_value_tier, start_region_key, start_account_manager_key, is_churn_rate_defined,
    customers_start, customers_closed, customers_churned, customers_new, customers_reactivated, customers_end,
    churn_base, churn_members, lost_revenue, revenue_at_risk
from customer_periods
where grain = 'week';

create temp macro rated(totals) as table
select
    *,
    if(is_complete, churn_members / nullif(churn_base, 0), null) as churn_rate,
    if(is_complete, (churn_base - churn_members) / nullif(churn_base, 0), null) as retention_rate,
    if(is_complete, customer_revenue / nullif(customer_orders, 0), null) as average_order_value,
    if(is_complete, customer_orders / nullif(customers_active, 0), null) as orders_per_active,
    if(is_complete, customer_revenue / nullif(customers_active, 0), null) as revenue_per_active,
    if(is_complete, orders_on_time / nullif(orders_promised, 0), null) as on_time_share,
    if(is_complete, customers_repeat_12m / nullif(customers_12m, 0), null) as repeat_rate,
    if(is_complete, customers_contacted / nullif(contact_base, 0), null) as contact_coverage,
    if(is_complete, base_revenue_kept / nullif(base_revenue, 0), null) as gross_revenue_retention,
    if(is_complete, base_revenue_now / nullif(base_revenue, 0), null) as net_revenue_retention,
    if(is_complete, established_revenue_kept / nullif(established_revenue, 0), null) as established_gross_retention,
    if(is_complete, established_revenue_now / nullif(established_revenue, 0), null) as established_net_retention,
    if(is_complete, customers_end / nullif(all_tiers_customers, 0), null) as share_of_customers,
    if(is_complete, revenue_12m / nullif(all_tiers_revenue_12m, 0), null) as share_of_revenue,
    if(is_complete, margin_12m / nullif(all_tiers_margin_12m, 0), null) as share_of_margin
from (
    select
        *,
        sum(customers_end) filter (value_tier <> 'all') over tiers as all_tiers_customers,
        sum(revenue_12m) filter (value_tier <> 'all') over tiers as all_tiers_revenue_12m,
        sum(margin_12m) filter (value_tier <> 'all') over tiers as all_tiers_margin_12m
    from query_table(totals)
    window tiers as (partition by month, business_line, region_key)
);

create temp table retention_totals as
with started as (
    select
        month, period_ends_on, is_complete, business_line,
        start_region_key as region_key, start_value_tier as value_tier,
        count_if(customer_key <> '-1') as customers_registered,
        count_if(customer_key <> '-1' and orders > 0) as customers_active,
        sum(if(orders = 0, customers_end, 0)) as customers_zero_use,
        sum(if(customer_key <> '-1', orders, 0)) as customer_orders,
        0 as contact_base,
        0 as customers_contacted,
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
        sum(if(customer_key <> '-1', revenue, 0)) as customer_revenue,
        null::decimal(18, 2) as margin_12m,
        sum(revenue) as revenue,
        sum(revenue_at_risk) as revenue_at_risk,
        sum(lost_revenue) as lost_revenue,
        sum(revenue_12m) as revenue_12m,
        sum(revenue_start) as revenue_start,
        sum(revenue_end) as revenue_end,
        sum(case when bridge_class = 'new' then bridge_amount when bridge_class is not null then 0 end) as revenue_new,
        sum(case when bridge_class = 'reactivated' then bridge_amount when bridge_class is not null then 0 end) as revenue_reactivated,
        sum(case when bridge_class = 'expansion' then bridge_amount when bridge_class is not null then 0 end) as revenue_expansion,
        sum(case when bridge_class = 'contraction' then bridge_amount when bridge_class is not null then 0 end) as revenue_contraction,
        sum(case when bridge_class = 'lapsed' then bridge_amount when bridge_class is not null then 0 end) as revenue_lapsed
    from marts.customer_months
    group by all
),

-- by where they stood a year ago
based as (
    select
        month, period_ends_on, is_complete, business_line,
        base_region_key as region_key, base_value_tier as value_tier,
        sum(base_revenue) as base_revenue,
        sum(greatest(0, least(revenue_12m, base_revenue))) as base_revenue_kept,
        sum(revenue_12m) as base_revenue_now,
        sum(base_revenue) filter (is_established) as established_revenue,
        sum(greatest(0, least(revenue_12m, base_revenue))) filter (is_established) as established_revenue_kept,
        sum(revenue_12m) filter (is_established) as established_revenue_now
    from marts.customer_months
    where base_revenue is not null
    group by all
)
select
    * replace (
        coalesce(customers_registered, 0) as customers_registered,
        coalesce(customers_active, 0) as customers_active,
        coalesce(customers_zero_use, 0) as customers_zero_use,
        coalesce(customer_orders, 0) as customer_orders,
        coalesce(contact_base, 0) as contact_base,
        coalesce(customers_contacted, 0) as customers_contacted,
        coalesce(customers_start, 0) as customers_start,
        coalesce(customers_closed, 0) as customers_closed,
        coalesce(churn_base, 0) as churn_base,
        coalesce(customers_churned, 0) as customers_churned,
        coalesce(customers_new, 0) as customers_new,
        coalesce(customers_reactivated, 0) as customers_reactivated,
        coalesce(customers_end, 0) as customers_end,
        coalesce(churn_members, 0) as churn_members,
        coalesce(orders, 0) as orders,
        coalesce(orders_promised, 0) as orders_promised,
        coalesce(orders_on_time, 0) as orders_on_time,
        coalesce(complaints, 0) as complaints,
        coalesce(customers_12m, 0) as customers_12m,
        coalesce(customers_repeat_12m, 0) as customers_repeat_12m,
        coalesce(revenue, 0) as revenue,
        coalesce(customer_revenue, 0) as customer_revenue,
        coalesce(revenue_at_risk, 0) as revenue_at_risk,
        coalesce(revenue_12m, 0) as revenue_12m
    )
from started
full join based using (month, period_ends_on, is_complete, business_line, region_key, value_tier);

create table marts.retention_months as from rated('retention_totals');

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
    calendar.day::date as date_day,
    isoyear(calendar.day) as iso_year,
    week(calendar.day) as iso_week,
    date_trunc('week', calendar.day)::date as week_starts_on,
    date_trunc('week', calendar.day)::date + 6 as week_ends_on,
    date_trunc('month', calendar.day)::date as month,
    date_trunc('quarter', calendar.day)::date as quarter,
    isodow(calendar.day) >= 6 as is_weekend,
    coalesce(not is_workday::boolean, false) as is_holiday,
    name_zh as holiday_name_zh,
    name_en as holiday_name_en,
    coalesce(is_workday::boolean, isodow(calendar.day) < 6) as is_workday
from range(
    (select date_trunc('year', min(starts_on))::timestamp from periods),
    (select date_trunc('year', max(period_ends_on)) + interval 1 year from periods),
    interval 1 day
) as calendar (day)
left join rules.holidays on calendar.day::date = holidays.day::date;
