"""Fit the forecasts of each business line when they are due, and forecast for every purchase history."""

import logging
import math
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import psycopg
from psycopg import sql

from winback.config import Forecasts
from winback.errors import WinbackError
from winback.score.columns import Columns, read_columns, write_columns
from winback.score.forecast.fit import Degenerate, compare, fit_purchases, fit_spend
from winback.score.forecast.histories import DAYS_PER_WEEK, Histories, collapse
from winback.score.forecast.notes import Fit, fits_in_use, last_attempts, note

log = logging.getLogger(__name__)

_DAYS_PER_YEAR = 365
_FORECASTS = {
    "fit_id": "i8",
    "frequency": "i4",
    "recency_days": "i4",
    "age_days": "i4",
    "expected_orders_12m": "f8",
    "discounted_orders": "f8",
    "p_alive": "f8",
}


@dataclass(frozen=True)
class _Line:
    """A business line: what a year takes off a forecast's worth, and the day of its first order, if any."""

    name: str
    discount_rate: float
    data_begin_on: date | None

    @property
    def weekly_discount(self) -> float:
        """Return the discount as a rate per week, continuously compounded."""
        return math.log1p(self.discount_rate) * DAYS_PER_WEEK / _DAYS_PER_YEAR


def score_forecasts(connection: psycopg.Connection[Any], settings: Forecasts, as_of_date: date) -> None:
    """Fill `scores.forecasts` as of a day, after fitting the business lines that are due."""
    lines = _lines(connection)
    last = last_attempts(connection)
    due = [
        line
        for line in lines
        if line.name not in last or as_of_date - last[line.name].as_of_date >= settings.refit_after
    ]
    _fit(connection, settings, as_of_date, due)
    fits = fits_in_use(connection)
    with connection.transaction():
        connection.execute("truncate scores.forecasts")
        for line in lines:
            if line.name in fits:
                _forecast(connection, line, fits[line.name], as_of_date)


def fit_now(connection: psycopg.Connection[Any], settings: Forecasts) -> None:
    """Fit every business line, due or not, as of the last build's day; the next build forecasts by it.

    Raises:
        WinbackError: there is no last build, or it did not end well.
    """
    row = connection.execute(
        "select status, as_of_date from ops.builds order by build_id desc limit 1"
    ).fetchone()
    if row is None or row[0] not in ("published", "rolled_back"):
        raise WinbackError(
            f"The last build is {row[0] if row else 'still to come'}, so there is nothing whole to fit on.",
            "winback build --day YYYY-MM-DD, then fit again",
        )
    _fit(connection, settings, row[1], _lines(connection))


def _lines(connection: psycopg.Connection[Any]) -> list[_Line]:
    rows = connection.execute(
        """
        select
            lines.business_line,
            lines.discount_rate,
            (
                select min(histories.first_order_on)
                from intermediate.int_purchase_histories as histories
                where histories.business_line = lines.business_line
            )
        from intermediate.int_business_lines as lines
        order by lines.business_line
        """
    )
    return [_Line(name, float(discount_rate), begins) for name, discount_rate, begins in rows]


def _fit(
    connection: psycopg.Connection[Any], settings: Forecasts, as_of_date: date, lines: list[_Line]
) -> None:
    in_use = fits_in_use(connection)
    for line in lines:
        fit = _fitted(connection, settings, line, as_of_date)
        note(connection, fit)
        if fit.status == "refused" and (kept := in_use.get(line.name)):
            log.warning(
                "Forecasts of %s: the fit of %s is refused, that of %s stays in use: %s.",
                *(line.name, as_of_date, kept.as_of_date, fit.reason),
            )


def _fitted(connection: psycopg.Connection[Any], settings: Forecasts, line: _Line, as_of_date: date) -> Fit:
    customers = _read_customers(connection, line, as_of_date)
    histories, _ = collapse(customers["frequency"], customers["recency_days"], customers["age_days"])
    fit = Fit(
        business_line=line.name,
        as_of_date=as_of_date,
        data_begin_on=line.data_begin_on,
        customers=int(histories.population),
        repeat_share=histories.repeat_share,
        status="refused",
    )
    try:
        found = fit_purchases(histories, settings)
    except Degenerate as degenerate:
        return replace(fit, reason=str(degenerate))
    r, alpha, s, beta = map(float, found.pareto_nbd.parameters)
    nbd_r, nbd_alpha = map(float, found.nbd.parameters)
    fit = replace(
        fit,
        status="used",
        model="pareto_nbd" if found.has_dropout else "nbd",
        r=r,
        alpha=alpha,
        s=s,
        beta=beta,
        nbd_r=nbd_r,
        nbd_alpha=nbd_alpha,
        log_likelihood=found.pareto_nbd.value * found.customers,
        nbd_log_likelihood=found.nbd.value * found.customers,
        likelihood_ratio=found.likelihood_ratio,
        dropout_identified=found.dropout_identified,
    )
    fit = _with_spend(fit, customers)
    return _with_comparison(connection, settings, line, fit)


def _with_spend(fit: Fit, customers: Columns) -> Fit:
    try:
        spend, log_likelihood = fit_spend(customers["frequency"], customers["mean_spend"])
    except Degenerate as degenerate:
        return replace(fit, reason=f"no forecast of money: {degenerate}")
    return replace(
        fit,
        spend_p=spend.p,
        spend_q=spend.q,
        spend_gamma=spend.gamma,
        spend_log_likelihood=log_likelihood,
    )


def _with_comparison(connection: psycopg.Connection[Any], settings: Forecasts, line: _Line, fit: Fit) -> Fit:
    days = settings.holdout.days
    held_back = _read_held_back(connection, line, fit.as_of_date - settings.holdout)
    histories, place = collapse(*(held_back[name] for name in ("frequency", "recency_days", "age_days")))
    try:
        found = compare(histories, place, held_back["came"], settings)
    except Degenerate as degenerate:
        reason = f"not compared with the rule of recency, which therefore ranks: {degenerate}"
        return replace(fit, holdout_days=days, reason="; ".join(filter(None, [fit.reason, reason])))
    return replace(
        fit,
        holdout_days=days,
        model_auc=found.model_auc,
        recency_auc=found.recency_auc,
        beats_recency=found.model_auc > found.recency_auc,
    )


def _read_customers(connection: psycopg.Connection[Any], line: _Line, as_of_date: date) -> Columns:
    """Return every customer of a line with an order, in an order that the rows themselves decide."""
    return read_columns(
        connection,
        """
        select
            frequency,
            last_order_on - first_order_on as recency_days,
            cast(%(day)s as date) - first_order_on as age_days,
            cast(coalesce(mean_spend, 0) as double precision) as mean_spend
        from intermediate.int_purchase_histories
        where business_line = %(line)s
        order by 1, 2, 3, 4
        """,
        {"frequency": "i4", "recency_days": "i4", "age_days": "i4", "mean_spend": "f8"},
        {"day": as_of_date, "line": line.name},
    )


def _read_held_back(connection: psycopg.Connection[Any], line: _Line, day: date) -> Columns:
    """Return the customers of a line as they were at the end of a day, and whether they came after it."""
    return read_columns(
        connection,
        """
        select
            cast(count(*) filter (where days.day <= %(day)s) - 1 as integer) as frequency,
            max(days.day) filter (where days.day <= %(day)s) - min(days.day) as recency_days,
            cast(%(day)s as date) - min(days.day) as age_days,
            cast(max(days.day) > %(day)s as integer) as came
        from intermediate.int_purchase_days as days
        inner join intermediate.int_purchase_histories as histories
            on days.customer_key = histories.customer_key
        where histories.business_line = %(line)s and histories.first_order_on <= %(day)s
        group by days.customer_key
        """,
        {"frequency": "i4", "recency_days": "i4", "age_days": "i4", "came": "i4"},
        {"day": day, "line": line.name},
    )


def _forecast(connection: psycopg.Connection[Any], line: _Line, fit: Fit, as_of_date: date) -> None:
    """Write what a fit says of each purchase history that a customer of the line has."""
    found = read_columns(
        connection,
        """
        select distinct
            frequency,
            last_order_on - first_order_on as recency_days,
            cast(%(day)s as date) - first_order_on as age_days
        from intermediate.int_purchase_histories
        where business_line = %(line)s
        order by 1, 2, 3
        """,
        {"frequency": "i4", "recency_days": "i4", "age_days": "i4"},
        {"day": as_of_date, "line": line.name},
    )
    histories = Histories.of_days(**found, customers=np.ones(len(found["frequency"]), np.int64))
    model = fit.purchases
    scored = {
        "fit_id": np.full(len(histories), fit.fit_id),
        **found,
        "expected_orders_12m": model.expected_orders(histories, _DAYS_PER_YEAR / DAYS_PER_WEEK),
        "discounted_orders": model.discounted_orders(histories, line.weekly_discount),
        "p_alive": model.p_alive(histories),
    }
    write_columns(connection, sql.Identifier("scores", "forecasts"), _FORECASTS, scored)
