-- Stage, value and tier on the evenings that a period begins or ends with.

create temp table periods as
with bounds as (
    select min(day) as first_day, date_trunc('week', getvariable('as_of') + 1)::date - 7 as last_week from days
),

starts as (
    select 'month' as grain, starts::date as starts_on, (starts + interval 1 month)::date - 1 as ends_on
    from bounds, range(date_trunc('month', first_day)::timestamp, getvariable('as_of') + interval 1 day, interval 1 month) as months (starts)
    union all
    select 'week', starts::date, starts::date + 6
    from bounds, range(last_week - 7 * 12, getvariable('as_of') + interval 1 day, interval 7 days) as weeks (starts)
    where starts::date + 6 >= first_day
    union
    select 'week', last_week - 364, last_week - 358
    from bounds
    where last_week - 364 >= first_day
)
select
    *,
    starts_on - 1 as evening_before,
    least(ends_on, getvariable('as_of')) as period_ends_on,
    ends_on <= getvariable('as_of') as is_complete
from starts;

create temp table evenings as
select
    day,
    row_number() over (order by day)::int as place,
    (day + 1 - to_months(12))::date - 1 as year_before
from (select period_ends_on as day from periods union select evening_before from periods);

-- the first evening on or after each day, and the first whose trailing year begins after it
create temp table places as
select
    day::date as day,
    (select count(*) + 1 from evenings where evenings.day < calendar.day)::int as place,
    (select count(*) + 1 from evenings where year_before < calendar.day)::int as gone
from range(
    (select min(day) - 400 from days), getvariable('as_of') + interval 1 day, interval 1 day
) as calendar (day);

create temp macro last_place() as (select max(place) from evenings);

create temp table states as
with valued as (
    select
        *,
        max(if(orders > 0, revenue_12m - revenue_to_date, null)) over (partition by id, last_order_on)
            + revenue_to_date as value_12m
    from days
    where id > 0
),

happened as (
    select
        id,
        unnest(range(places.place, coalesce(nexts.place, last_place() + 1))) as place,
        first_order_on,
        last_order_on,
        orders_to_date,
        revenue_to_date,
        coalesce(value_12m, 0) as value_12m
    from valued
    inner join places on valued.day = places.day
    left join places as nexts on valued.next_day = nexts.day
    where coalesce(nexts.place, last_place() + 1) > places.place
),

earlier as (
    select
        id,
        unnest(range(places.gone, coalesce(nexts.gone, last_place() + 1))) as place,
        orders_to_date,
        revenue_to_date
    from days
    inner join places on days.day = places.day
    left join places as nexts on days.next_day = nexts.day
    where id > 0 and coalesce(nexts.gone, last_place() + 1) > places.gone
),

waiting as (
    select
        people.id,
        unnest(range(places.place, coalesce(min(firsts.place), last_place() + 1))) as place
    from people
    inner join places on greatest(first_seen_on, (select min(day) from places)) = places.day
    left join (select id, min(day) as day from days group by 1) as begun on people.id = begun.id
    left join places as firsts on begun.day = firsts.day
    where people.id > 0
    group by people.id, places.place
)
select
    id,
    place,
    first_order_on,
    last_order_on,
    (happened.orders_to_date - coalesce(earlier.orders_to_date, 0))::int as orders_12m,
    happened.revenue_to_date - coalesce(earlier.revenue_to_date, 0) as revenue_12m,
    value_12m
from happened
left join earlier using (id, place)
union all
select id, place, null, null, 0, 0, 0 from waiting;

-- What holds from a day until another, in the order in which it decides the stage.
create temp table stages as
with policies as (
    select id, new_days::int as new_days, won_back_days::int as won_back_days
    from people
    inner join rules.policies as policies using (policy)
),

firsts as (
    select id, min(day) as day from purchases
    group by 1
),

closed as (
    select
        people.id,
        if(closing_class = 'natural', 1, 3) as rank,
        people.closed_on as opened_on,
        min(day) as closed_on
    from people
    left join purchases on people.id = purchases.id and day > people.closed_on
    where people.closed_on is not null
    group by 1, 2, 3
),

spells as (
    select * from closed
    union all
    select id, if(outcome = 'churned', 3, 4), opened_on, flags.closed_on
    from flags
    inner join thresholds using (policy, rule_id)
    where outcome in ('churned', 'at_risk')
    union all
    select id, 6, day, day + new_days
    from firsts
    inner join policies using (id)
),

-- only an order ends a silence and reopens an account
reactivations as (
    select distinct purchases.id, purchases.day
    from spells
    inner join purchases on spells.id = purchases.id and spells.closed_on = purchases.day
    inner join firsts on purchases.id = firsts.id and purchases.day > firsts.day
    left join closed
        on
            closed.rank = 1
            and purchases.id = closed.id
            and purchases.day > closed.opened_on
            and purchases.day <= coalesce(closed.closed_on, date 'infinity')
    where spells.rank = 3 and closed.id is null
),

all_spells as (
    select * from spells
    union all
    select id, 5, day, day + won_back_days
    from reactivations
    inner join policies using (id)
),

held as (
    select
        id,
        rank,
        unnest(range(begins.place, coalesce(ends.place, last_place() + 1))) as place
    from all_spells
    inner join places as begins on greatest(opened_on, (select min(day) from places)) = begins.day
    left join places as ends on closed_on = ends.day
    where opened_on <= getvariable('as_of')
)
select id, place, min(rank) as rank from held
group by 1, 2;

create temp table tiers as
with shares as (
    select tier, upper_share, lag(upper_share, 1, 0) over (order by rank_order) as lower_share
    from rules.tier_rules
),

ranked as (
    select
        id,
        place,
        revenue_12m,
        rank() over best_first - 1 as above,
        count(*) over (partition by business_line, place) as ranked
    from states
    inner join evenings using (place)
    inner join people using (id)
    where revenue_12m > 0 and (closed_on is null or closed_on > day or closed_on < last_order_on)
    window best_first as (partition by business_line, place order by revenue_12m desc)
)
select id, place, tier, above, revenue_12m
from ranked
inner join shares on 100 * above >= lower_share * ranked and 100 * above < upper_share * ranked;

-- Everybody on every evening.
create temp table known as
with last_month_ends as (
    select evenings.place, ends.place as review_place
    from evenings
    inner join evenings as ends on date_trunc('month', evenings.day + 1)::date - 1 = ends.day
),

reviews as (
    select last_day(day) as month_end, place as evening, place as review_place from evenings
    union
    select ends.day, evenings.place, ends.place
    from evenings
    inner join evenings as ends on ends.day = last_day(ends.day) and ends.day <= evenings.day
)
select
    states.id,
    states.place,
    case rank
        when 1 then 'closed'
        else if(first_order_on is null, 'prospect', case rank
            when 3 then 'churned'
            when 4 then 'at_risk'
            when 5 then 'won_back'
            when 6 then 'new'
            else 'active'
        end)
    end as stage,
    first_order_on,
    last_order_on,
    states.orders_12m,
    states.revenue_12m,
    value_12m,
    coalesce(own.tier, 'none') as tier,
    coalesce(valued.tier, 'none') as value_tier
from states
left join stages using (id, place)
left join last_month_ends on states.place = last_month_ends.place
left join tiers as own on states.id = own.id and last_month_ends.review_place = own.place
left join reviews on states.place = reviews.evening and last_day(last_order_on) = reviews.month_end
left join tiers as valued on states.id = valued.id and reviews.review_place = valued.place;

-- who bought in the trailing year; those who are not closed are scored inside their line
create temp table buyers as
with recent as (
    select id, sum(orders) as orders_12m from days
    where day >= getvariable('as_of') + 1 - to_months(12) and orders > 0 and id > 0
    group by 1
),

open as (
    select id, business_line, last_order_on, recent.orders_12m, known.revenue_12m
    from recent
    inner join people using (id)
    inner join known using (id)
    where
        place = last_place()
        and (closed_on is null or closed_on > getvariable('as_of') or closed_on < last_order_on)
),

scored as (
    select
        id,
        (1 + 5 * (rank() over (partition by business_line order by last_order_on) - 1) // count(*) over line)::int
            as rfm_recency,
        (1 + 5 * (rank() over (partition by business_line order by orders_12m) - 1) // count(*) over line)::int
            as rfm_frequency,
        (1 + 5 * (rank() over (partition by business_line order by revenue_12m) - 1) // count(*) over line)::int
            as rfm_money,
        if(revenue_12m > quantile_cont(revenue_12m, 0.5) over line, 'high', 'low') || '_spend_'
            || if(orders_12m > quantile_cont(orders_12m, 0.5) over line, 'high', 'low') || '_frequency' as segment
    from open
    window line as (partition by business_line)
)
select * from recent
left join scored using (id);

create table marts.dim_customer as
select
    customer_key, source_id, customer_id, kind, business_line, policy, region_key, account_manager_key, registered_on,
    do_not_contact, first_order_on, last_order_on,
    getvariable('as_of') - last_order_on as days_since_last_order,
    if(known.id is null, null, coalesce(buyers.orders_12m, 0)) as orders_12m,
    revenue_12m,
    rfm_recency,
    rfm_frequency,
    rfm_money,
    segment,
    coalesce(tier, 'none') as tier,
    'revenue' as ranked_by,
    revenue_12m as figure_12m,
    coalesce(value_tier, 'none') as value_tier,
    coalesce(value_tier in ('vip', 'major'), false) as is_key_customer,
    coalesce(value_12m, 0) as value_12m,
    stage,
    closed_on
from people
left join known on people.id = known.id and known.place = last_place()
left join buyers on people.id = buyers.id;
