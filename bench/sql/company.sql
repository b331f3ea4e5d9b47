-- A company that never was, the same for the same seed. Variables: seed, customers, orders, days, first_day. Each table
-- keeps when it was known what, so that `known_*(day)` gives the rows as the loader would have left them that evening.

create macro chance(id, what) as (hash(id, what, getvariable('seed')) >> 11) / 9007199254740992.0;
create macro moment(day) as
    getvariable('first_day')::timestamp at time zone 'Asia/Shanghai' + to_seconds(floor(day * 86400)::bigint);
create macro date_of(moment) as (moment at time zone 'Asia/Shanghai')::date;

create table lines as
select * from (values
    ('retail', 0.00, 0.60, 1.0, 80, 'consumer'),
    ('telecom', 0.60, 0.75, 1.5, 60, 'consumer'),
    ('distribution', 0.75, 0.85, 1.5, 900, 'dealer'),
    ('auto_service', 0.85, 0.95, 0.3, 400, 'consumer'),
    ('restaurant', 0.95, 1.00, 3.0, 120, 'consumer')
) as lines (business_line, from_share, to_share, frequency, typical_amount, kind);

-- Rates are gamma distributed (shape 1); most come in the course of time, and stay for a while.
create table people as
with drawn as (
    select
        n,
        greatest(0, chance(n, 'start') * 1.5 - 0.5) * getvariable('days') as started,
        -ln(1 - chance(n, 'stay')) * 0.8 * getvariable('days') as stay,
        -ln(1 - chance(n, 'rate')) as rate,
        chance(n, 'line') as line
    from range(getvariable('customers')) as numbers (n)
)
select
    n,
    'C' || lpad(n::text, 7, '0') as customer_id,
    business_line,
    kind,
    typical_amount,
    started,
    least(started + stay, getvariable('days')) as ended,
    rate * frequency * (least(started + stay, getvariable('days')) - started) as weight,
    business_line = 'distribution' and chance(n, 'seasonal') < 0.1 as is_seasonal,
    floor(chance(n, 'season') * 345) as season,
    floor(chance(n, 'region') * 60)::int as region,
    case when chance(n, 'moves') < 0.2 then floor(chance(n, 'new region') * 60)::int end as new_region,
    getvariable('first_day') + floor(chance(n, 'moved') * getvariable('days'))::int as moved_on,
    case
        when business_line = 'distribution' then 'M' || floor(chance(n, 'manager') * (10 + getvariable('customers') / 2000))::int
    end as account_manager_id,
    getvariable('first_day') + floor(started)::int as registered_on,
    case
        when chance(n, 'closes') < 0.04 and started + stay < getvariable('days')
            then getvariable('first_day') + floor(started + stay * if(chance(n, 'reopens') < 0.2, 0.7, 1))::int
    end as closed_on,
    case when chance(n, 'reason') < 0.5 then 'bankrupt' else 'price' end as closed_reason,
    case when n > 0 and chance(n, 'merges') < 0.002 then 'C' || lpad((n - 1)::text, 7, '0') end as merged_into,
    case
        when business_line = 'distribution' and chance(n, 'agrees') < 0.3
            then round(typical_amount * (0.5 + chance(n, 'minimum')), 0)
    end as monthly_minimum
from drawn
inner join lines on line >= from_share and line < to_share;

create table orders as
with shares as (
    select
        *,
        floor(0.92 * getvariable('orders') * weight / sum(weight) over () + chance(n, 'orders'))::int as orders
    from people
    where not is_seasonal
),

bought as (
    select
        people.customer_id,
        people.region,
        people.typical_amount,
        hash(people.n, number) as id,
        started + chance(hash(people.n, number), 'moment') * (ended - started) as day
    from shares as people, range(people.orders) as numbers (number)

    union all

    select
        people.customer_id,
        people.region,
        people.typical_amount,
        hash(people.n, year, 'season') as id,
        365 * year + season + 20 * chance(hash(people.n, year), 'moment') as day
    from people, range(ceil(getvariable('days') / 365)::int) as years (year)
    where people.is_seasonal and chance(hash(people.n, year), 'misses') < 0.9

    union all

    select
        null as customer_id,
        floor(chance(n, 'shop') * 60)::int as region,
        60 as typical_amount,
        hash(n, 'walk-in') as id,
        chance(n, 'walks in') * getvariable('days') as day
    from range((0.05 * getvariable('orders'))::bigint) as numbers (n)
),

numbered as (
    select
        *,
        round(typical_amount * exp(1.2 * (chance(id, 'amount') + chance(id, 'more') - 1)), 2)::decimal(18, 2) as amount,
        row_number() over (order by day, id) as number
    from bought
    where day < getvariable('days')
),

takebacks as (
    select
        customer_id,
        region,
        hash(id, 'back') as id,
        day + 20 * chance(id, 'back after') as day,
        case when chance(id, 'all') < 0.5 then -amount else round(-amount / 3, 2)::decimal(18, 2) end as amount,
        'R' || lpad(number::text, 9, '0') as order_id,
        'A' || lpad(number::text, 9, '0') as reverses_order_id
    from numbered
    where customer_id is not null and chance(id, 'returns') < 0.033
),

documents as (
    select customer_id, region, id, day, amount, 'A' || lpad(number::text, 9, '0') as order_id, null as reverses_order_id
    from numbered

    union all by name

    select * from takebacks
    where day < getvariable('days')
)
select
    order_id,
    moment(day) as ordered_at,
    amount,
    customer_id,
    case when reverses_order_id is null then 'order' else 'return' end as document_type,
    reverses_order_id,
    case when chance(id, 'web') < 0.4 then 'web' else 'store' end as channel,
    'S' || region as store_id,
    'R' || region as region_id,
    date_of(moment(day)) + case when chance(id, 'late') < 0.01 then 1 + floor(3 * chance(id, 'by'))::int else 0 end
        as known_on,
    case
        when reverses_order_id is null and chance(id, 'cancels') < 0.01
            then date_of(moment(day)) + 4 + floor(5 * chance(id, 'cancelled'))::int
    end as cancelled_on
from documents
order by known_on, order_id;

create table complaints as
with drawn as (
    select
        *,
        hash(order_id) as id,
        ordered_at + to_seconds(floor(864000 * chance(hash(order_id), 'opens'))::bigint) as opened_at
    from orders
    where document_type = 'order' and chance(hash(order_id), 'complains') < 0.005 / 0.97
)
select
    'Q' || order_id as complaint_id,
    opened_at,
    customer_id,
    order_id,
    case when chance(id, 'by phone') < 0.5 then 'phone' else 'web' end as channel,
    ['quality', 'delivery', 'service', 'price'][1 + floor(4 * chance(id, 'category'))::int] as category,
    ['low', 'middle', 'high'][1 + floor(3 * chance(id, 'severity'))::int] as severity,
    opened_at + to_seconds(floor(86400 * chance(id, 'answers'))::bigint) as first_response_at,
    case
        when chance(id, 'resolves') < 0.9
            then opened_at + to_seconds(floor(86400 * (1 + 12 * chance(id, 'resolved')))::bigint)
    end as resolved_at,
    case when chance(id, 'rates') < 0.7 then 1 + floor(5 * chance(id, 'rating'))::int end as satisfaction,
    date_of(opened_at) as opened_on,
    date_of(first_response_at) as answered_on,
    date_of(resolved_at) as resolved_on
from drawn
order by opened_at;

-- A row as it was on the evening of a day, and when it last changed before that.
create macro known_orders(day) as table
select
    order_id, ordered_at, amount, customer_id, document_type,
    case when cancelled_on <= day then 'cancelled' else 'completed' end as status,
    reverses_order_id, channel, store_id, region_id, ordered_at as updated_at,
    greatest(known_on, case when cancelled_on <= day then cancelled_on end) as business_day
from orders
where known_on <= day;

create macro known_complaints(day) as table
select
    complaint_id, opened_at, customer_id, order_id, channel, category, severity,
    case when answered_on <= day then first_response_at end as first_response_at,
    case when resolved_on <= day then resolved_at end as resolved_at,
    case when resolved_on <= day then 'resolved' else 'open' end as status,
    case when resolved_on <= day then satisfaction end as satisfaction,
    greatest(
        opened_on,
        case when answered_on <= day then answered_on end,
        case when resolved_on <= day then resolved_on end
    ) as business_day
from complaints
where opened_on <= day;

create table customer_versions as
with changes as (
    select n, registered_on as changed_on from people
    union
    select n, moved_on from people where new_region is not null and moved_on > registered_on
    union
    select n, closed_on from people where closed_on > registered_on
    union
    select n, registered_on + 30 from people where merged_into is not null
)
select
    customer_id,
    '客户' || n as name,
    kind,
    business_line,
    'R' || if(moved_on <= changed_on, coalesce(new_region, region), region) as region_id,
    account_manager_id,
    registered_on,
    if(n % 2 = 0, 'f', 'm') as gender,
    '1' || lpad((n * 7919 % 10000000000)::text, 10, '0') as phone,
    customer_id || '@example.com' as email,
    if(registered_on + 30 <= changed_on, merged_into, null) as merged_into,
    if(closed_on <= changed_on, closed_on, null) as closed_on,
    if(closed_on <= changed_on, closed_reason, null) as closed_reason,
    if(monthly_minimum is null, null, '{"monthly_minimum": ' || monthly_minimum::int || '}') as attributes,
    changed_on as business_day
from people
inner join changes using (n)
order by changed_on, n;

create macro known_customers(day) as table
select * from customer_versions
where business_day <= day
qualify row_number() over (partition by customer_id order by business_day desc) = 1;

create macro known_customers_versions(day) as table
select *, if(business_day = registered_on, date '-infinity', business_day) as valid_from from customer_versions
where business_day <= day;

create macro known_regions(day) as table
select
    'R' || n as region_id,
    '大区 ' || n as name,
    case when n < 60 then 'R' || 60 + n // 10 end as parent_region_id,
    getvariable('first_day') as business_day
from range(66) as numbers (n);

-- when they leave is known from the first day on
create macro known_account_managers(day) as table
select
    'M' || n as account_manager_id,
    '经理 ' || n as name,
    'M' || n || '@example.com' as email,
    if(
        chance(n, 'leaves') < 0.1,
        getvariable('first_day') + floor(chance(n, 'left') * getvariable('days'))::int,
        null
    ) as left_on,
    getvariable('first_day') as business_day
from range((10 + getvariable('customers') / 2000)::bigint) as numbers (n);

create macro known_account_managers_versions(day) as table
select *, date '-infinity' as valid_from from known_account_managers(day);
