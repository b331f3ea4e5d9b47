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
