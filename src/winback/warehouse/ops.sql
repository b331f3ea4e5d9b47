-- What the loader, the builds and the reports note down about themselves.
create schema if not exists landing;
create schema if not exists raw;
create schema if not exists quarantine;
create schema if not exists ops;

create table if not exists ops.schema_version (version integer not null);

-- One row per attempt to load one batch. Every row that came in has exactly one fate.
create table if not exists ops.batches (
    batch_id bigint generated always as identity primary key,
    feed text not null,
    source_id text not null,
    business_day date not null,
    status text not null check (status in ('running', 'committed', 'failed')),
    file text,
    rows_in bigint,
    rows_inserted bigint,
    rows_updated bigint,
    rows_unchanged bigint,
    rows_superseded bigint,
    rows_quarantined bigint,
    started_at timestamptz not null default clock_timestamp(),
    committed_at timestamptz,
    error text,
    constraint every_row_has_one_fate check (
        status <> 'committed'
        or rows_in
        = rows_inserted + rows_updated + rows_unchanged + rows_superseded + rows_quarantined
    )
);
create index if not exists batches_by_feed on ops.batches (feed, source_id, business_day);

-- How far each source of each feed has been read; moved in the transaction that loads the rows.
create table if not exists ops.watermarks (
    source_id text not null,
    feed text not null,
    cursor_value timestamptz,
    primary key (source_id, feed)
);

-- The business days whose load committed, empty or not; stale: the build went ahead without the data.
create table if not exists ops.feed_days (
    source_id text not null,
    feed text not null,
    business_day date not null,
    is_stale boolean not null,
    loaded_at timestamptz not null default clock_timestamp(),
    primary key (source_id, feed, business_day)
);

-- Files are loaded once, known by their content.
create table if not exists ops.files (
    source_id text not null,
    feed text not null,
    content_sha256 text not null,
    file text not null,
    batch_id bigint not null,
    primary key (source_id, feed, content_sha256)
);

create table if not exists ops.check_results (
    batch_id bigint not null,
    feed text not null,
    expectation text not null,
    severity text not null,
    rows_failed bigint not null,
    rows_total bigint not null,
    checked_at timestamptz not null default clock_timestamp(),
    primary key (batch_id, expectation)
);

create table if not exists ops.builds (
    build_id bigint generated always as identity primary key,
    as_of_date date not null,
    status text not null check (status in ('running', 'published', 'failed')),
    stale_feeds text[] not null default '{}',
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz
);
