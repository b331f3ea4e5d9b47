"""What is noted of each fit in `ops.forecast_fits`, so that a forecast can be traced to what it rests on."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from winback.score.forecast.nbd import Nbd
from winback.score.forecast.pareto_nbd import ParetoNbd


@dataclass(frozen=True, kw_only=True)
class Fit:
    """One attempt at fitting a business line; `reason` says why it was refused, or what it lacks."""

    fit_id: int = 0  # numbered when it is noted
    business_line: str
    as_of_date: date
    data_begin_on: date | None
    customers: int
    repeat_share: float
    status: Literal["used", "refused"]
    reason: str | None = None
    model: Literal["pareto_nbd", "nbd"] | None = None
    r: float | None = None
    alpha: float | None = None
    s: float | None = None
    beta: float | None = None
    log_likelihood: float | None = None
    nbd_r: float | None = None
    nbd_alpha: float | None = None
    nbd_log_likelihood: float | None = None
    likelihood_ratio: float | None = None
    dropout_identified: bool = False
    spend_p: float | None = None
    spend_q: float | None = None
    spend_gamma: float | None = None
    spend_log_likelihood: float | None = None
    holdout_days: int | None = None
    model_auc: float | None = None
    recency_auc: float | None = None
    beats_recency: bool = False

    @property
    def purchases(self) -> ParetoNbd | Nbd:
        """Return the model that forecasts purchase days; of a fit that is used."""
        names = ("r", "alpha", "s", "beta") if self.model == "pareto_nbd" else ("nbd_r", "nbd_alpha")
        parameters = [float(getattr(self, name)) for name in names]
        return ParetoNbd(*parameters) if self.model == "pareto_nbd" else Nbd(*parameters)


_NOTED = [field.name for field in fields(Fit) if field.name != "fit_id"]


def note(connection: psycopg.Connection[Any], fit: Fit) -> None:
    """Add a fit to the notes."""
    names = sql.SQL(", ").join(map(sql.Identifier, _NOTED))
    values = sql.SQL(", ").join(map(sql.Placeholder, _NOTED))
    statement = sql.SQL("insert into ops.forecast_fits ({}) values ({})").format(names, values)
    connection.execute(statement, {name: getattr(fit, name) for name in _NOTED})


def last_attempts(connection: psycopg.Connection[Any]) -> dict[str, Fit]:
    """Return the last fit of each business line, used or refused."""
    return _last(connection, "true")


def fits_in_use(connection: psycopg.Connection[Any]) -> dict[str, Fit]:
    """Return the last fit of each business line that was not refused."""
    return _last(connection, "status = 'used'")


def _last(connection: psycopg.Connection[Any], condition: str) -> dict[str, Fit]:
    names = ", ".join(["fit_id", *_NOTED])
    with connection.cursor(row_factory=class_row(Fit)) as cursor:
        cursor.execute(
            f"select distinct on (business_line) {names} from ops.forecast_fits"
            f" where {condition} order by business_line, fit_id desc"
        )
        return {fit.business_line: fit for fit in cursor}
