-- Every accepted row knows the business day that it was loaded for, and whether its source still has it.
do $$
declare
    feed text;
begin
    foreach feed in array array[
        'orders', 'order_lines', 'complaints', 'customers', 'products', 'regions', 'account_managers',
        'contacts', 'surveys', 'balances', 'events', 'exchange_rates'
    ]
    loop
        execute format('alter table raw.%I add column business_day date, add column deleted_on date', feed);
        execute format(
            'update raw.%I as stored set business_day = batches.business_day'
            ' from ops.batches where batches.batch_id = stored.load_batch_id', feed
        );
        execute format('update raw.%I set business_day = loaded_at::date where business_day is null', feed);
        execute format('alter table raw.%I alter column business_day set not null', feed);
    end loop;
end
$$;

-- Master data as they were: a version holds from its day until the next one of the same key. The first holds
-- from the beginning.
create table raw.customers_versions (
    source_id text not null,
    customer_id text not null,
    valid_from date not null,
    name text,
    kind text,
    business_line text,
    region_id text,
    account_manager_id text,
    registered_on date,
    gender text,
    birthday date,
    birthday_calendar text,
    phone text,
    email text,
    im_account text,
    preferred_channel text,
    do_not_contact boolean,
    merged_into text,
    closed_on date,
    closed_reason text,
    attributes jsonb,
    updated_at timestamptz,
    deleted_on date,
    load_batch_id bigint not null,
    loaded_at timestamptz not null,
    primary key (source_id, customer_id, valid_from)
);

insert into raw.customers_versions
select
    source_id, customer_id, '-infinity', name, kind, business_line, region_id, account_manager_id, registered_on,
    gender, birthday, birthday_calendar, phone, email, im_account, preferred_channel, do_not_contact, merged_into,
    closed_on, closed_reason, attributes, updated_at, deleted_on, load_batch_id, loaded_at
from raw.customers;

create table raw.account_managers_versions (
    source_id text not null,
    account_manager_id text not null,
    valid_from date not null,
    name text,
    email text,
    region_id text,
    reports_to text,
    left_on date,
    deleted_on date,
    load_batch_id bigint not null,
    loaded_at timestamptz not null,
    primary key (source_id, account_manager_id, valid_from)
);

insert into raw.account_managers_versions
select
    source_id, account_manager_id, '-infinity', name, email, region_id, reports_to, left_on, deleted_on,
    load_batch_id, loaded_at
from raw.account_managers;

alter table ops.batches add column rows_deleted bigint not null default 0;
-- Whether the landing table of a batch that never committed may still be there.
alter table ops.batches add column landing_is_kept boolean not null default true;
update ops.batches set landing_is_kept = false where status = 'committed';

-- The columns that each source showed with its last batch: what schema drift is measured by.
create table ops.source_columns (
    source_id text not null,
    feed text not null,
    column_name text not null,
    column_type text not null,
    batch_id bigint not null,
    primary key (source_id, feed, column_name)
);

-- The pieces of history that `winback backfill` has loaded; a backfill that was interrupted goes on after them.
create table ops.backfilled_days (
    source_id text not null,
    feed text not null,
    from_day date not null,
    to_day date not null,
    batch_id bigint not null,
    loaded_at timestamptz not null default clock_timestamp(),
    primary key (source_id, feed, from_day, to_day)
);

drop table ops.schema_version;
