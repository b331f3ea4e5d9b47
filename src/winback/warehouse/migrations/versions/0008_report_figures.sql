-- What each recipient was told: the figures of an issue as they were when its mail was made, so that a later mail
-- can say which of them have changed since. Sums over a scope only, no customer's own.
create table ops.report_figures (
    report text not null,
    recipient text not null,
    ends_on date not null, -- the last day that the issue was about
    figure text not null,
    value numeric,
    noted_at timestamptz not null default clock_timestamp(),
    primary key (report, recipient, ends_on, figure)
);
