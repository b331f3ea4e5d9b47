-- Forecasts of what customers will buy: how their parameters were found, and what they say.

create schema if not exists scores;

-- One row per business line and attempt. The newest that is used makes the forecasts; a refused one changes nothing.
create table ops.forecast_fits (
    fit_id bigint generated always as identity primary key,
    business_line text not null,
    as_of_date date not null, -- the data end here
    data_begin_on date, -- the first order of the line
    fitted_at timestamptz not null default clock_timestamp(),
    customers integer not null,
    repeat_share double precision not null, -- of the customers, those with a second purchase day
    status text not null check (status in ('used', 'refused')),
    reason text, -- why it was refused, or what it lacks
    -- purchases: the Pareto/NBD, and the NBD without dropout; rates in weeks
    model text check (model in ('pareto_nbd', 'nbd')), -- which of the two forecasts
    r double precision,
    alpha double precision,
    s double precision,
    beta double precision,
    log_likelihood double precision,
    nbd_r double precision,
    nbd_alpha double precision,
    nbd_log_likelihood double precision,
    likelihood_ratio double precision,
    dropout_identified boolean not null,
    -- spend on a purchase day: the Gamma-Gamma
    spend_p double precision,
    spend_q double precision,
    spend_gamma double precision,
    spend_log_likelihood double precision,
    -- the last days held back: how well the model ranks who came again, and how well days since the last order do
    holdout_days integer,
    model_auc double precision,
    recency_auc double precision,
    beats_recency boolean not null,
    check (status = 'refused' or model is not null)
);

-- One row per fit in use and purchase history that a customer has; made anew by each build.
create table scores.forecasts (
    fit_id bigint not null,
    frequency integer not null, -- purchase days after the first
    recency_days integer not null, -- from the first purchase day to the last
    age_days integer not null, -- from the first purchase day to the end of the data
    expected_orders_12m double precision not null,
    discounted_orders double precision not null, -- from now on for ever, each discounted to today
    p_alive double precision not null, -- 1 where the model knows of no dropout
    primary key (fit_id, frequency, recency_days, age_days)
);
