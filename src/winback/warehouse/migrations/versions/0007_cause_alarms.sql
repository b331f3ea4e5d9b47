-- What Python works out of the intermediate tables, for the marts to read.

create schema if not exists scores;

create table scores.cause_alarms (
    kind text not null, -- product, batch, region or channel
    cause_key text not null,
    window_days integer not null, -- the days under test that chance explains least
    complaints bigint not null, -- in these days
    expected double precision not null,
    dispersion double precision not null, -- how many times more counts vary than by chance alone
    p_value double precision not null,
    q_value double precision not null,
    is_alarm boolean not null,
    primary key (kind, cause_key)
);
