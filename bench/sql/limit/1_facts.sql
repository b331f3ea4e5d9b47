-- The same marts by hand, as one would write them for DuckDB and for this company alone: rules that this company does
-- not use are left out, customers are numbers until the last join. Schema `raw` holds the rows, `rules` the seeds.
-- Variables: as_of, the last business day; lines, the business lines with their policies.

create schema marts;

create temp macro business_day(moment) as (moment at time zone 'Asia/Shanghai')::date;
create temp macro month_number(day) as (year(day) * 12 + month(day))::int;
create temp macro month_of(number) as make_date((number - 1) // 12, (number - 1) % 12 + 1, 1);
create temp macro month_end_of(number) as month_of(number + 1) - 1;
create temp macro trailing_year() as to_months(12) - to_days(1);

create temp table lines as
select
    unnest(map_keys(getvariable('lines'))) as business_line,
    unnest(map_values(getvariable('lines'))) as policy;

-- merged customers, followed to the one that is left
create temp table survivors as
with recursive merged as (
    select source_id || ':' || customer_id as customer_key, source_id || ':' || merged_into as into_key
    from raw.customers
    where deleted_on is null and merged_into <> '' and merged_into <> customer_id
),

walk as (
    select customer_key, into_key, [customer_key] as steps from merged
    union all
    select walk.customer_key, merged.into_key, list_append(walk.steps, merged.customer_key)
    from walk
    inner join merged on walk.into_key = merged.customer_key
    where not list_contains(walk.steps, merged.customer_key)
)
select customer_key, into_key as survivor_key
from walk
where into_key not in (select customer_key from merged);

create temp table documents as
with classed as (
    select
        orders.source_id || ':' || order_id as order_key,
        source_id,
        order_id,
        coalesce(survivor_key, customer_source_id || ':' || nullif(customer_id, ''), '-1') as customer_key,
        coalesce(source_id || ':' || nullif(region_id, ''), '-1') as region_key,
        store_id,
        channel,
        ordered_at,
        business_day(ordered_at) as ordered_on,
        case
            when order_class is null then null
            when lower(trim(document_type)) not in ('order', 'return', '') then 'void'
            when order_class = 'void' then 'void'
            when order_class = 'return' or lower(trim(document_type)) = 'return' or amount < 0 then 'return'
            else 'sale'
        end as order_class,
        if(order_class = 'return' or lower(trim(document_type)) = 'return', -abs(amount), amount) as amount,
        document_type,
        orders.status,
        source_id || ':' || nullif(reverses_order_id, '') as reverses_order_key
    from raw.orders
    left join rules.order_statuses as statuses
        on coalesce(nullif(lower(trim(orders.status)), ''), '(blank)') = statuses.status
    left join survivors
        on customer_source_id || ':' || customer_id = survivors.customer_key
    where deleted_on is null and business_day(ordered_at) <= getvariable('as_of')
)
select * from classed;

create temp table void as
with reversals as (
    select
        documents.order_key,
        takebacks.order_key as reversal_key,
        -sum(takebacks.amount) over (partition by documents.order_key) >= documents.amount as is_whole
    from documents
    inner join (select * from documents where order_class = 'return' and reverses_order_key is not null) as takebacks
        on documents.order_key = takebacks.reverses_order_key
    where documents.order_class = 'sale' and takebacks.ordered_on - documents.ordered_on between 0 and 7
)
select unnest([order_key, reversal_key]) as order_key from reversals
where is_whole;

create table marts.fct_orders as
select * exclude (reverses_order_key) from documents
where order_class <> 'void' and order_key not in (select order_key from void);

create temp table handled as
with handling as (
    select
        *,
        business_day(first_response_at) <= getvariable('as_of') as is_answered,
        business_day(resolved_at) <= getvariable('as_of') as is_resolved,
        bool_or(status is not null or resolved_at is not null) over (partition by source_id) as has_handling,
        bool_or(first_response_at is not null) over (partition by source_id) as has_responses
    from raw.complaints
    where deleted_on is null and business_day(opened_at) <= getvariable('as_of')
)
select
    source_id || ':' || complaint_id as complaint_key,
    complaint_id,
    coalesce(survivor_key, customer_source_id || ':' || nullif(customer_id, ''), '-1') as customer_key,
    coalesce(order_source_id || ':' || nullif(order_id, ''), '-1') as order_key,
    opened_at,
    business_day(opened_at) as opened_on,
    category,
    severity,
    channel,
    handling.status,
    case
        when not has_handling then null
        when is_resolved is not true then true
        else coalesce(is_open, resolved_at is null)
    end as is_open,
    if(is_answered, epoch(first_response_at - opened_at) / 3600, null) as first_response_hours,
    if(is_resolved, business_day(resolved_at), null) as resolved_on,
    if(is_resolved, epoch(resolved_at - opened_at) / 3600, null) as resolution_hours,
    satisfaction,
    compensation,
    has_responses,
    if(is_answered, first_response_at, null) as first_response_at,
    if(is_resolved, resolved_at, null) as resolved_at,
    reopened_count > 0 as is_reopened
from handling
left join rules.complaint_statuses as statuses on lower(trim(handling.status)) = statuses.status
left join survivors on customer_source_id || ':' || customer_id = survivors.customer_key;

-- everybody who is known, has ordered, returned or complained; number 0 is the unknown member
create temp table people as
with known as (
    select
        source_id || ':' || customer_id as customer_key,
        * exclude (source_id, customer_id),
        coalesce(source_id || ':' || nullif(region_id, ''), '-1') as region_key,
        coalesce(source_id || ':' || nullif(account_manager_id, ''), '-1') as account_manager_key
    from raw.customers
    where deleted_on is null
),

seen as (
    select customer_key, min(ordered_on) as seen_on, false as do_not_contact from documents
    group by 1
    union all
    select customer_key, min(opened_on), false from handled
    group by 1
    union all
    select coalesce(survivor_key, customer_key), registered_on, coalesce(do_not_contact, false) from known
    left join survivors using (customer_key)
    union all
    select '-1', null, false
),

members as (
    select
        customer_key,
        least(min(seen_on), getvariable('as_of')) as first_seen_on,
        bool_or(do_not_contact) as do_not_contact
    from seen
    group by 1
)
select
    if(customer_key = '-1', 0, row_number() over ())::int as id,
    customer_key,
    if(customer_key = '-1', null, split_part(customer_key, ':', 1)) as source_id,
    if(customer_key = '-1', null, substr(customer_key, instr(customer_key, ':') + 1)) as customer_id,
    kind,
    coalesce(nullif(known.business_line, ''), 'retail') as business_line,
    policy,
    coalesce(region_key, '-1') as region_key,
    coalesce(account_manager_key, '-1') as account_manager_key,
    registered_on,
    members.do_not_contact,
    first_seen_on,
    closed_on,
    if(closed_on is null, null, coalesce(closing_class, 'other')) as closing_class,
    coalesce(try_cast(attributes ->> 'monthly_minimum' as decimal(18, 2)), policies.monthly_minimum::decimal(18, 2)) as monthly_minimum
from members
left join known using (customer_key)
left join rules.closed_reasons as reasons on lower(trim(closed_reason)) = reasons.reason
left join lines on coalesce(nullif(known.business_line, ''), 'retail') = lines.business_line
left join rules.policies as policies using (policy);

create table marts.dim_customer_contact as
select
    customer_key,
    name,
    phone,
    email,
    im_account,
    preferred_channel,
    gender,
    birthday,
    birthday_calendar
from people
inner join raw.customers as told using (source_id, customer_id)
where deleted_on is null;

-- who looked after a customer, from when to when
create temp table versions as
with told as (
    select
        id,
        valid_from,
        coalesce(versions.source_id || ':' || nullif(region_id, ''), '-1') as region_key,
        coalesce(versions.source_id || ':' || nullif(account_manager_id, ''), '-1') as account_manager_key,
        deleted_on is not null as is_deleted
    from raw.customers_versions as versions
    inner join people on versions.source_id || ':' || versions.customer_id = people.customer_key
)
select
    * exclude (is_deleted),
    coalesce(lead(valid_from) over (partition by id order by valid_from), date 'infinity') as valid_to
from told
qualify not is_deleted;
