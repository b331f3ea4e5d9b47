-- Lists that leave for other tools: each goes once for a day. Nothing in here tells who somebody is.
create table ops.exports (
    export text not null,
    as_of_date date not null,
    digest text not null, -- of the list as it was when it was drawn up
    idempotency_key text not null,
    rows integer not null,
    state text not null check (state in ('sending', 'sent', 'refused', 'unknown')),
    started_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    error text, -- why it was refused, or nobody can tell
    primary key (export, as_of_date)
);

-- What goes in which request, settled before the first one leaves, so that a later try repeats the same ones.
create table ops.export_batches (
    export text not null,
    as_of_date date not null,
    batch_no integer not null,
    customer_keys text[] not null,
    rows_sent integer, -- fewer than planned where somebody asked meanwhile not to be contacted
    sent_at timestamptz,
    primary key (export, as_of_date, batch_no),
    foreign key (export, as_of_date) references ops.exports
);
