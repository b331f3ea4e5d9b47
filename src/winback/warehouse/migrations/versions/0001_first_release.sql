-- The tables of the first release. Frozen: later releases change them by migrations of their own.

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

-- What became of each mail: one row per report, period and recipient. The ledger that keeps a mail from going
-- out twice. pending: due, nothing has left; sending: claimed by a sender; sent: the server took it;
-- refused: the server did not, and it may be tried again; unknown: the line broke after the text had gone,
-- so it waits for a person. `recipient` and `error` are personal data.
create table if not exists ops.deliveries (
    report text not null,
    period text not null,
    recipient text not null,
    state text not null check (state in ('pending', 'sending', 'sent', 'refused', 'unknown')),
    message_id text not null,
    attempts integer not null default 0,
    first_attempt_at timestamptz,
    updated_at timestamptz not null default clock_timestamp(),
    error text,
    primary key (report, period, recipient)
);

create table if not exists raw.orders (
    source_id text not null,
    order_id text not null,
    ordered_at timestamptz not null,
    amount numeric not null,
    customer_source_id text not null,
    customer_id text,
    document_type text,
    status text,
    reverses_order_id text,
    channel text,
    store_id text,
    region_id text,
    promised_at timestamptz,
    delivered_at timestamptz,
    currency text,
    updated_at timestamptz,
    load_batch_id bigint not null,
    loaded_at timestamptz not null,
    primary key (source_id, order_id)
);

create table if not exists quarantine.orders (
    quarantine_id bigint generated always as identity primary key,
    source_id text not null,
    load_batch_id bigint not null,
    row_number bigint not null,
    reasons text[] not null,
    typed_values jsonb not null,
    source_text jsonb,
    quarantined_at timestamptz not null
);

create table if not exists raw.order_lines (
    source_id text not null,
    order_id text not null,
    line_no text not null,
    product_id text,
    batch_no text,
    quantity numeric,
    unit_price numeric,
    discount numeric,
    amount numeric,
    load_batch_id bigint not null,
    loaded_at timestamptz not null,
    primary key (source_id, order_id, line_no)
);

create table if not exists quarantine.order_lines (
    quarantine_id bigint generated always as identity primary key,
    source_id text not null,
    load_batch_id bigint not null,
    row_number bigint not null,
    reasons text[] not null,
    typed_values jsonb not null,
    source_text jsonb,
    quarantined_at timestamptz not null
);

create table if not exists raw.complaints (
    source_id text not null,
    complaint_id text not null,
    opened_at timestamptz not null,
    customer_source_id text not null,
    customer_id text,
    order_source_id text not null,
    order_id text,
    product_id text,
    batch_no text,
    channel text,
    category text,
    severity text,
    first_response_at timestamptz,
    resolved_at timestamptz,
    reopened_count integer,
    status text,
    satisfaction numeric,
    compensation numeric,
    updated_at timestamptz,
    load_batch_id bigint not null,
    loaded_at timestamptz not null,
    primary key (source_id, complaint_id)
);

create table if not exists quarantine.complaints (
    quarantine_id bigint generated always as identity primary key,
    source_id text not null,
    load_batch_id bigint not null,
    row_number bigint not null,
    reasons text[] not null,
    typed_values jsonb not null,
    source_text jsonb,
    quarantined_at timestamptz not null
);

create table if not exists raw.customers (
    source_id text not null,
    customer_id text not null,
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
    load_batch_id bigint not null,
    loaded_at timestamptz not null,
    primary key (source_id, customer_id)
);

create table if not exists quarantine.customers (
    quarantine_id bigint generated always as identity primary key,
    source_id text not null,
    load_batch_id bigint not null,
    row_number bigint not null,
    reasons text[] not null,
    typed_values jsonb not null,
    source_text jsonb,
    quarantined_at timestamptz not null
);

create table if not exists raw.products (
    source_id text not null,
    product_id text not null,
    name text,
    category text,
    brand text,
    unit_cost numeric,
    launched_on date,
    discontinued_on date,
    load_batch_id bigint not null,
    loaded_at timestamptz not null,
    primary key (source_id, product_id)
);

create table if not exists quarantine.products (
    quarantine_id bigint generated always as identity primary key,
    source_id text not null,
    load_batch_id bigint not null,
    row_number bigint not null,
    reasons text[] not null,
    typed_values jsonb not null,
    source_text jsonb,
    quarantined_at timestamptz not null
);

create table if not exists raw.regions (
    source_id text not null,
    region_id text not null,
    name text,
    parent_region_id text,
    load_batch_id bigint not null,
    loaded_at timestamptz not null,
    primary key (source_id, region_id)
);

create table if not exists quarantine.regions (
    quarantine_id bigint generated always as identity primary key,
    source_id text not null,
    load_batch_id bigint not null,
    row_number bigint not null,
    reasons text[] not null,
    typed_values jsonb not null,
    source_text jsonb,
    quarantined_at timestamptz not null
);

create table if not exists raw.account_managers (
    source_id text not null,
    account_manager_id text not null,
    name text,
    email text,
    region_id text,
    reports_to text,
    left_on date,
    load_batch_id bigint not null,
    loaded_at timestamptz not null,
    primary key (source_id, account_manager_id)
);

create table if not exists quarantine.account_managers (
    quarantine_id bigint generated always as identity primary key,
    source_id text not null,
    load_batch_id bigint not null,
    row_number bigint not null,
    reasons text[] not null,
    typed_values jsonb not null,
    source_text jsonb,
    quarantined_at timestamptz not null
);

create table if not exists raw.contacts (
    source_id text not null,
    contact_id text not null,
    customer_source_id text not null,
    customer_id text not null,
    contacted_at timestamptz not null,
    account_manager_id text,
    campaign_id text,
    task_id text,
    channel text,
    outcome text,
    reason_code text,
    competitor text,
    note text,
    load_batch_id bigint not null,
    loaded_at timestamptz not null,
    primary key (source_id, contact_id)
);

create table if not exists quarantine.contacts (
    quarantine_id bigint generated always as identity primary key,
    source_id text not null,
    load_batch_id bigint not null,
    row_number bigint not null,
    reasons text[] not null,
    typed_values jsonb not null,
    source_text jsonb,
    quarantined_at timestamptz not null
);

create table if not exists raw.surveys (
    source_id text not null,
    survey_id text not null,
    customer_source_id text not null,
    customer_id text not null,
    asked_at timestamptz not null,
    score numeric,
    expected_score numeric,
    scale_max numeric,
    comment text,
    load_batch_id bigint not null,
    loaded_at timestamptz not null,
    primary key (source_id, survey_id)
);

create table if not exists quarantine.surveys (
    quarantine_id bigint generated always as identity primary key,
    source_id text not null,
    load_batch_id bigint not null,
    row_number bigint not null,
    reasons text[] not null,
    typed_values jsonb not null,
    source_text jsonb,
    quarantined_at timestamptz not null
);

create table if not exists raw.balances (
    source_id text not null,
    customer_source_id text not null,
    customer_id text not null,
    month date not null,
    balance numeric,
    load_batch_id bigint not null,
    loaded_at timestamptz not null,
    primary key (source_id, customer_id, month)
);

create table if not exists quarantine.balances (
    quarantine_id bigint generated always as identity primary key,
    source_id text not null,
    load_batch_id bigint not null,
    row_number bigint not null,
    reasons text[] not null,
    typed_values jsonb not null,
    source_text jsonb,
    quarantined_at timestamptz not null
);

create table if not exists raw.events (
    source_id text not null,
    event_id text not null,
    started_on date not null,
    ended_on date,
    name text,
    product_id text,
    batch_no text,
    region_id text,
    load_batch_id bigint not null,
    loaded_at timestamptz not null,
    primary key (source_id, event_id)
);

create table if not exists quarantine.events (
    quarantine_id bigint generated always as identity primary key,
    source_id text not null,
    load_batch_id bigint not null,
    row_number bigint not null,
    reasons text[] not null,
    typed_values jsonb not null,
    source_text jsonb,
    quarantined_at timestamptz not null
);

create table if not exists raw.exchange_rates (
    source_id text not null,
    currency text not null,
    day date not null,
    rate numeric,
    load_batch_id bigint not null,
    loaded_at timestamptz not null,
    primary key (source_id, currency, day)
);

create table if not exists quarantine.exchange_rates (
    quarantine_id bigint generated always as identity primary key,
    source_id text not null,
    load_batch_id bigint not null,
    row_number bigint not null,
    reasons text[] not null,
    typed_values jsonb not null,
    source_text jsonb,
    quarantined_at timestamptz not null
);
