-- What happened to each customer, day by day, and the flags that follow from it.

create temp table days as
with happened as (
    select id, ordered_on as day, (order_class = 'sale')::int as orders, amount, 0 as complaints
    from marts.fct_orders
    inner join people using (customer_key)
    union all
    select id, opened_on, 0, 0, 1
    from handled
    inner join people using (customer_key)
),

daily as (
    select
        id,
        day,
        sum(orders)::int as orders,
        sum(amount)::decimal(18, 2) as revenue,
        sum(complaints)::int as complaints
    from happened
    group by 1, 2
)
select
    *,
    lead(day) over own_days as next_day,
    sum(orders) over to_date as orders_to_date,
    sum(revenue) over to_date as revenue_to_date,
    sum(revenue) over (
        partition by id order by day + 1 range between trailing_year() preceding and current row
    ) as revenue_12m,
    min(if(orders > 0, day, null)) over to_date as first_order_on,
    max(if(orders > 0, day, null)) over to_date as last_order_on
from daily
window
    own_days as (partition by id order by day),
    to_date as (partition by id order by day rows unbounded preceding);

create temp table purchases as
select
    days.id,
    policy,
    day,
    lead(day) over own_days as next_on,
    row_number() over own_days as number,
    day - lag(day) over own_days as gap,
    first_order_on,
    if(closing_class = 'natural', closed_on, null) as closed_on
from days
inner join people using (id)
where orders > 0 and id > 0
window own_days as (partition by id order by day);

-- from a natural closing until an order after it, no flag is up
create temp table closings as
select people.id, any_value(people.closed_on) as closed_on, min(day) as reopened_on
from people
left join purchases on people.id = purchases.id and day > people.closed_on
where closing_class = 'natural'
group by 1;

create temp macro plain(number) as rtrim(rtrim(printf('%.2f', number::double), '0'), '.');
create temp macro counted(number, noun) as number || ' ' || noun || if(number::varchar = '1', '', 's');
create temp macro last_order_en(day) as 'last order ' || day;
create temp macro last_order_zh(day) as '最近一次下单 ' || day;

create temp table thresholds as
select * from rules.churn_rules
where enabled and valid_from <= getvariable('as_of');

-- Silences: up from some day after an order until the next order, or until the account is closed.
create temp table silences as
with crossed as (
    select
        purchases.*,
        rule_id,
        signal,
        null::double as usual_gap,
        if(
            signal = 'days_since_last_order',
            day + threshold::int,
            month_end_of(month_number(day) + threshold::int)
        ) as opened_on
    from purchases
    inner join thresholds using (policy)
    where signal in ('days_since_last_order', 'months_without_orders')

    union all

    select
        * exclude (threshold),
        day + greatest(30, ceil(round(threshold * usual_gap, 6))::int) as opened_on
    from (
        select purchases.*, rule_id, signal, quantile_cont(gap, 0.5) over to_date as usual_gap, threshold
        from purchases
        inner join thresholds using (policy)
        where signal = 'interval_ratio'
        window to_date as (partition by id order by day rows unbounded preceding)
        qualify number > 5 and (next_on is null or next_on - day > 30)
    )
)
select
    *,
    if(closed_on >= day and (closed_on <= next_on or next_on is null), closed_on, null) as shut_on,
    coalesce(shut_on, next_on) as closed_flag_on
from crossed
where opened_on <= getvariable('as_of') and opened_on < coalesce(closed_flag_on, date 'infinity');

create temp macro silence(signal, opened_on, day, usual_gap) as case signal
    when 'days_since_last_order' then opened_on - day
    when 'months_without_orders' then month_number(opened_on + 1) - month_number(day) - 1
    else (opened_on - day) / usual_gap
end;
create temp macro silence_en(signal, on_day, day, usual_gap) as last_order_en(day) || case signal
    when 'days_since_last_order' then ', ' || counted(on_day - day, 'day') || ' ago'
    when 'months_without_orders'
        then ', then ' || counted(month_number(on_day + 1) - month_number(day) - 1, 'whole month') || ' without an order'
    else ', ' || (on_day - day) || ' days ago, usual gap ' || counted(plain(usual_gap), 'day')
end;
create temp macro silence_zh(signal, on_day, day, usual_gap) as last_order_zh(day) || case signal
    when 'days_since_last_order' then '，距今 ' || (on_day - day) || ' 天'
    when 'months_without_orders'
        then '，此后连续 ' || (month_number(on_day + 1) - month_number(day) - 1) || ' 个整月没有下单'
    else '，距今 ' || (on_day - day) || ' 天，平时间隔约 ' || plain(usual_gap) || ' 天'
end;

create temp table monthly as
select
    id,
    month_number(day) as month,
    sum(orders)::int as orders,
    sum(revenue)::decimal(18, 2) as revenue,
    sum(complaints)::int as complaints,
    max(day) as last_day
from days
group by 1, 2;

-- Signals that hold for spans of days, cut where they were raised: `value` on the first of them, `about` for the
-- evidence.
create temp table raised as
with firsts as (
    select id, policy, min(day) as first_order_on, month_number(min(day)) as first_month from purchases
    group by 1, 2
),

-- an order counts for 30 days, and then for 30 days as one before
visit_steps as (
    select id, unnest([day, day + 30, day + 60]) as day, unnest([orders, -orders, 0]) as recent,
        unnest([0, orders, -orders]) as before
    from days
    inner join people using (id)
    where orders > 0 and policy in (select policy from thresholds where signal = 'orders_last_30d_regulars')
),

visits as (
    select
        id,
        day,
        lead(day) over own_days as until,
        sum(sum(recent)) over own_days as recent,
        sum(sum(before)) over own_days as before
    from visit_steps
    group by 1, 2
    window own_days as (partition by id order by day)
),

line_months as (
    select business_line, month, sum(revenue)::double as revenue
    from monthly
    inner join people using (id)
    group by 1, 2
),

-- whose line's share is looked at, until two months after the last sign of life: 0 after 0 ends a run
month_rows as (
    select
        firsts.id,
        unnest(range(
            first_month + 1, least(max(monthly.month) + 3, month_number(getvariable('as_of') + 1))
        )) as month
    from firsts
    inner join monthly using (id)
    where policy in (select policy from thresholds where signal = 'months_declining')
    group by 1, first_month
),

shares as (
    select
        id,
        month_rows.month,
        policy,
        if(line_months.revenue > 0, coalesce(monthly.revenue, 0) / line_months.revenue, null) as share
    from month_rows
    inner join people using (id)
    left join monthly using (id, month)
    left join line_months using (business_line, month)
),

declines as (
    select *, month - max(if(is_lower, null, month)) over (partition by id order by month) as value
    from (
        select *, coalesce(share < lag(share) over (partition by id order by month), false) as is_lower from shares
    )
),

-- months that reached the minimum end a run below it, as a purchase ends a silence
reached as (
    select firsts.id, policy, monthly_minimum, first_month as month
    from firsts
    inner join people using (id, policy)
    where monthly_minimum is not null

    union all

    select firsts.id, policy, monthly_minimum, month
    from firsts
    inner join people using (id, policy)
    inner join monthly using (id)
    where revenue >= monthly_minimum and month > first_month and month_end_of(month) <= getvariable('as_of')
),

below as (
    select *, lead(month) over (partition by id order by month) as next_month from reached
),

order_months as (
    select id, policy, month_number(day) as month, min(day) as first_day
    from purchases
    where policy in (select policy from thresholds where signal = 'seasonal_order_missed')
    group by 1, 2, 3
),

due as (
    select
        last_year.id,
        last_year.policy,
        last_year.month + 12 as month,
        greatest(day(last_year.first_day), day(year_before.first_day)) as day_of_month
    from order_months as last_year
    inner join order_months as year_before
        on last_year.id = year_before.id and last_year.month - 12 = year_before.month
),

seasons as (
    select
        due.*,
        least(month_of(due.month) + (day_of_month - 1)::int, month_end_of(due.month)) + 7 as due_on
    from due
    inner join order_months on due.id = order_months.id and order_months.month between due.month - 24 and due.month - 1
    group by all
    having count(*) < 12
),

missed as (
    select
        seasons.id,
        seasons.policy,
        due_on,
        max(day) filter (where day < month_of(month) - 7) as last_on,
        least(min(day) filter (where day >= month_of(month) - 7), month_end_of(month + 2) + 1) as until
    from seasons
    inner join purchases using (id)
    group by seasons.id, seasons.policy, due_on, month
),

left_managers as (
    select
        purchases.id,
        policy,
        greatest(day, left_on) as opened_on,
        next_on as until,
        left_on
    from purchases
    inner join versions on purchases.id = versions.id and day >= valid_from and day < valid_to
    inner join raw.account_managers as managers
        on versions.account_manager_key = managers.source_id || ':' || managers.account_manager_id
    where
        policy in (select policy from thresholds where signal = 'account_manager_left_days')
        and left_on is not null
        and managers.deleted_on is null
),

spans as (
    select id, policy, rule_id, signal, day as opened_on, until, recent as value, before::varchar as about
    from visits
    inner join people using (id)
    inner join thresholds using (policy)
    where signal = 'orders_last_30d_regulars' and before >= 4 and recent <= threshold

    union all

    select
        id, policy, rule_id, signal, month_end_of(month),
        if(month_end_of(month + 1) > getvariable('as_of'), null, month_end_of(month + 1)), value, null
    from declines
    inner join thresholds using (policy)
    where signal = 'months_declining' and value >= threshold

    union all

    select
        id, policy, rule_id, signal, month_end_of(month + threshold::int), month_end_of(next_month),
        threshold, plain(monthly_minimum) || ' ' || month
    from below
    inner join thresholds using (policy)
    where signal = 'months_below_minimum' and (next_month is null or month + threshold < next_month)

    union all

    select id, policy, rule_id, signal, due_on + 1, until, 1, due_on || ' ' || last_on
    from missed
    inner join thresholds using (policy)
    where signal = 'seasonal_order_missed' and due_on + 1 < until

    union all

    select id, policy, rule_id, signal, greatest(opened_on, left_on + threshold::int), until, 0, left_on::varchar
    from left_managers
    inner join thresholds using (policy)
    where
        signal = 'account_manager_left_days'
        and greatest(opened_on, left_on + threshold::int) < coalesce(until, date 'infinity')
),

-- what a natural closing leaves of a span: the days before it, and those after it opened again
cut as (
    select spans.* replace (value::int as value), closed_on, reopened_on
    from spans
    left join closings using (id)
)
select * exclude (closed_on, reopened_on)
    replace (if(closed_on < coalesce(until, date 'infinity'), closed_on, until) as until)
from cut
where opened_on <= getvariable('as_of') and (closed_on is null or opened_on < closed_on)

union all

select * exclude (closed_on, reopened_on) replace (greatest(opened_on, reopened_on) as opened_on)
from cut
where opened_on <= getvariable('as_of') and reopened_on < coalesce(until, date 'infinity');

create temp macro span_value(signal, on_day, value, about) as case signal
    when 'months_below_minimum' then month_number(on_day + 1) - 1 - try_cast(split_part(about, ' ', 2) as int)
    when 'account_manager_left_days' then on_day - try_cast(about as date)
    else value
end;
create temp macro span_en(signal, on_day, value, about) as case signal
    when 'orders_last_30d_regulars'
        then counted(value, 'order') || ' in the last 30 days, ' || about || ' in the 30 days before'
    when 'months_declining' then 'share of the line''s sales down ' || counted(value, 'month') || ' in a row'
    when 'months_below_minimum'
        then counted(span_value(signal, on_day, value, about), 'month')
            || ' in a row below the monthly minimum of ' || split_part(about, ' ', 1)
    when 'seasonal_order_missed'
        then 'order expected by ' || about[:10] || ', as in the two years before, has not come; '
            || last_order_en(about[12:])
    else 'the account manager left on ' || about
end;
create temp macro span_zh(signal, on_day, value, about) as case signal
    when 'orders_last_30d_regulars' then '近 30 天下单 ' || value || ' 次，此前 30 天 ' || about || ' 次'
    when 'months_declining' then '占本业务线销售额的份额连续 ' || value || ' 个月下降'
    when 'months_below_minimum'
        then '连续 ' || span_value(signal, on_day, value, about) || ' 个月低于每月最低额 ' || split_part(about, ' ', 1)
    when 'seasonal_order_missed'
        then '按往年规律应于 ' || about[:10] || ' 前下单，至今未下；' || last_order_zh(about[12:])
    else '客户经理已于 ' || about || ' 离职'
end;

-- Spans that touch are one flag.
create temp table flags as
with islands as (
    select *, sum(begins) over (partition by id, rule_id order by opened_on, until) as island
    from (
        select
            *,
            (opened_on > coalesce(max(coalesce(until, date 'infinity')) over (
                partition by id, rule_id order by opened_on, until rows between unbounded preceding and 1 preceding
            ), date '-infinity'))::int as begins
        from raised
    )
),

joined as (
    select
        id,
        policy,
        rule_id,
        any_value(signal) as signal,
        min(opened_on) as opened_on,
        nullif(max(coalesce(until, date 'infinity')), date 'infinity') as closed_flag_on,
        arg_min({value: value, about: about}, (opened_on, about)) as first,
        arg_max({value: value, about: about}, (opened_on, about)) as last
    from islands
    group by id, policy, rule_id, island
),

seen as (
    select
        * replace (if(closed_flag_on <= getvariable('as_of'), closed_flag_on, null) as closed_flag_on),
        closed_flag_on >= closed_on and closed_flag_on < coalesce(reopened_on, date 'infinity') as is_shut
    from joined
    left join closings using (id)
)
select
    id, policy, rule_id, opened_on, closed_flag_on as closed_on,
    case
        when closed_flag_on is null then null
        when is_shut then 'account_closed'
        else 'condition_ended'
    end as closed_because,
    span_value(signal, opened_on, first.value, first.about)::double as observed,
    span_zh(signal, opened_on, first.value, first.about) as evidence_zh,
    span_en(signal, opened_on, first.value, first.about) as evidence_en,
    if(closed_flag_on is null, span_value(signal, getvariable('as_of'), last.value, last.about)::double, null)
        as observed_now,
    if(closed_flag_on is null, span_zh(signal, getvariable('as_of'), last.value, last.about), null) as evidence_now_zh,
    if(closed_flag_on is null, span_en(signal, getvariable('as_of'), last.value, last.about), null) as evidence_now_en
from seen

union all

select
    id, policy, rule_id, opened_on, closed_flag_on,
    case
        when closed_flag_on is null then null
        when shut_on is not null then 'account_closed'
        else 'condition_ended'
    end,
    silence(signal, opened_on, day, usual_gap)::double,
    silence_zh(signal, opened_on, day, usual_gap),
    silence_en(signal, opened_on, day, usual_gap),
    if(closed_flag_on is null, silence(signal, getvariable('as_of'), day, usual_gap)::double, null),
    if(closed_flag_on is null, silence_zh(signal, getvariable('as_of'), day, usual_gap), null),
    if(closed_flag_on is null, silence_en(signal, getvariable('as_of'), day, usual_gap), null)
from silences;

create table marts.customer_flag_history as
select
    customer_key, flags.rule_id, opened_on, flags.closed_on, closed_because, flags.policy,
    valid_from as rule_valid_from, outcome, signal, comparator, observed, threshold, evidence_zh, evidence_en
from flags
inner join people using (id)
inner join thresholds on flags.policy = thresholds.policy and flags.rule_id = thresholds.rule_id;

create table marts.customer_flags as
select
    customer_key, flags.rule_id, flags.policy, outcome, signal, comparator, observed_now as observed, threshold,
    action, label_zh, label_en, evidence_now_zh as evidence_zh, evidence_now_en as evidence_en, source, opened_on
from flags
inner join people using (id)
inner join thresholds on flags.policy = thresholds.policy and flags.rule_id = thresholds.rule_id
where flags.closed_on is null;
