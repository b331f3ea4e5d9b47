-- What checks found, what became of rows in quarantine, batches that were stopped, and incidents.

-- A replay takes rows out of quarantine; a batch that a check stopped loaded nothing.
alter table ops.batches add column kind text not null default 'load'
check (kind in ('load', 'backfill', 'replay'));
alter table ops.batches drop constraint batches_status_check;
alter table ops.batches add constraint batches_status_check
check (status in ('running', 'committed', 'failed', 'stopped'));

-- One row per batch and check, also of batches that were stopped. A check of the whole batch is one that fails
-- 1 of 1; `observed` is what it measured, `usual` what its source usually sends, `minimum` and `maximum` what was
-- allowed. Checks that are counted in one scan share its duration.
alter table ops.check_results
add column source_id text,
add column business_day date,
add column level text not null default 'row' check (level in ('row', 'batch')),
add column outcome text not null default 'passed'
check (outcome in ('passed', 'failed', 'accepted', 'cold_start')),
add column observed double precision,
add column usual double precision,
add column minimum double precision,
add column maximum double precision,
add column duration_ms integer;
update ops.check_results as results
set
    source_id = batches.source_id,
    business_day = batches.business_day,
    outcome = case when results.rows_failed > 0 then 'failed' else 'passed' end
from ops.batches
where batches.batch_id = results.batch_id;

-- The checks themselves, as they were when they last ran: what the evidence page and BI call them.
create table ops.expectations (
    feed text not null,
    expectation text not null,
    level text not null check (level in ('row', 'batch')),
    severity text not null check (severity in ('reject', 'warn', 'stop')),
    owner text not null,
    protects_en text not null,
    protects_zh text not null,
    primary key (feed, expectation)
);

-- What each committed batch measured: what later batches of its source are compared with. Values of categories
-- are kept as digests.
create table ops.batch_measures (
    batch_id bigint not null,
    feed text not null,
    source_id text not null,
    business_day date not null,
    measure text not null,
    subject text not null default '',
    value double precision not null,
    primary key (batch_id, measure, subject)
);
create index batch_measures_by_source on ops.batch_measures (feed, source_id, measure, business_day);

-- What went wrong, from the first time until it is right again. Texts hold no row's values.
create table ops.incidents (
    incident_id bigint generated always as identity primary key,
    stage text not null check (stage in ('load', 'build', 'report')),
    subject text not null,
    business_day date not null,
    batch_id bigint,
    problem text not null,
    what_to_do text not null,
    opened_at timestamptz not null default clock_timestamp(),
    closed_at timestamptz
);
create unique index one_open_incident on ops.incidents (stage, subject, business_day) where closed_at is null;

-- How many rows each of the last weeks' days brought, without reading ten years of them.
create index on raw.orders using brin (ordered_at) with (autosummarize = on);
create index on raw.complaints using brin (opened_at) with (autosummarize = on);
create index on raw.contacts using brin (contacted_at) with (autosummarize = on);
create index on raw.surveys using brin (asked_at) with (autosummarize = on);

-- The place of a row in the batch that delivered it (load_batch_id): which of two deliveries is newer.
do $$
declare
    feed record;
begin
    for feed in
        select * from (values
            ('orders', array['order_id']),
            ('order_lines', array['order_id', 'line_no']),
            ('complaints', array['complaint_id']),
            ('customers', array['customer_id']),
            ('products', array['product_id']),
            ('regions', array['region_id']),
            ('account_managers', array['account_manager_id']),
            ('contacts', array['contact_id']),
            ('surveys', array['survey_id']),
            ('balances', array['customer_id', 'month']),
            ('events', array['event_id']),
            ('exchange_rates', array['currency', 'day'])
        ) as feeds (name, key)
    loop
        execute format('alter table raw.%I add column row_number bigint not null default 0', feed.name);
        -- open: waits; replayed: mended or retried, and loaded; resolved: a newer good row of its key came;
        -- discarded: a person let it go. `fingerprint` tells a row that a source sends again and again.
        execute format(
            'alter table quarantine.%I'
            ' add column business_day date,'
            ' add column key text[],'
            ' add column fingerprint text,'
            ' add column state text not null default ''open'''
            ' check (state in (''open'', ''replayed'', ''resolved'', ''discarded'')),'
            ' add column last_batch_id bigint,'
            ' add column is_deleted boolean not null default false,'
            ' add column settled_at timestamptz,'
            ' add column settled_by bigint,'
            ' add column settled_because text', feed.name
        );
        execute format(
            'update quarantine.%I as kept set business_day = coalesce(batches.business_day, kept.quarantined_at::date),'
            ' last_batch_id = kept.load_batch_id, fingerprint = ''release 2, row '' || kept.quarantine_id,'
            ' key = (select case when bool_and(kept.typed_values ->> part is not null)'
            ' then array_agg(kept.typed_values ->> part order by place) end'
            ' from unnest(%L::text[]) with ordinality as parts (part, place))'
            ' from quarantine.%I as same left join ops.batches on batches.batch_id = same.load_batch_id'
            ' where same.quarantine_id = kept.quarantine_id', feed.name, feed.key, feed.name
        );
        execute format(
            'alter table quarantine.%I alter column business_day set not null,'
            ' alter column fingerprint set not null, alter column last_batch_id set not null,'
            ' add constraint %I unique (source_id, fingerprint)', feed.name, feed.name || '_come_once'
        );
        execute format(
            'create index on quarantine.%I (source_id, key) where state = ''open''', feed.name
        );
    end loop;
end
$$;
