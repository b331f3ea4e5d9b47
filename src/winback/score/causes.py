"""Score the causes of complaints: read their daily counts, test them, fill `scores.cause_alarms`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import numpy as np
import psycopg

from winback.model_vars import model_vars
from winback.score.alarm import Array, Limits, count, due_orders, judge

# How a delivery went explains complaints, but is known too late to warn of anything.
KINDS = ("product", "batch", "region", "channel")
# A warehouse may have 100,000 batches, of which a year of days does not fit into little memory.
_CAUSES_AT_ONCE = 1_000
_ROWS_AT_ONCE = 20_000
_COLUMNS = (
    *("kind", "cause_key", "window_days", "complaints", "expected", "dispersion", "p_value", "q_value"),
    "is_alarm",
)
# months before days, as dbt_project/macros/causes.sql has it: a leap day in between makes a difference
_FIRST_DAY = """
select (%(as_of)s::date - %(longest)s + 1 - make_interval(months => %(months)s))::date - %(skipped)s
"""
_DELAYS = """
select opened_on - ordered_on as delay, count(*)
from intermediate.int_attributed_complaints
where opened_on >= %(first)s and opened_on - ordered_on between 0 and %(most)s
group by 1
"""
_COUNTS = """
select cause_key, product_key, day - %(first)s::date, orders, complaints_opened
from intermediate.int_cause_days
where kind = %(kind)s and day between %(first)s and %(as_of)s
order by cause_key, day
"""


@dataclass(frozen=True)
class Days:
    """The days that are read; the first `skipped` of them only say which complaints are due later."""

    first: date
    last: date
    skipped: int

    @property
    def count(self) -> int:
        """Return how many days are read."""
        return (self.last - self.first).days + 1


def score_causes(connection: psycopg.Connection[Any], as_of_date: date) -> None:
    """Test every cause as of a day, and put the findings in the place of the last ones."""
    limits = read_limits()
    with connection.transaction(), connection.cursor() as cursor:
        days = read_days(connection, as_of_date, limits)
        delays = _read_delays(connection, days)
        rows = [row for kind in KINDS for row in _score_kind(connection, kind, days, delays, limits)]
        cursor.execute("truncate scores.cause_alarms")
        with cursor.copy(f"copy scores.cause_alarms ({', '.join(_COLUMNS)}) from stdin") as copy:
            for row in rows:
                copy.write_row(row)


def read_limits() -> Limits:
    """Return when an excess of complaints is an alarm, as the dbt project says."""
    return Limits(
        windows=tuple(model_vars()["alarm_windows"]),
        false_share=model_vars()["alarm_false_share"],
        min_complaints=model_vars()["alarm_min_complaints"],
    )


def read_days(connection: psycopg.Connection[Any], as_of_date: date, limits: Limits) -> Days:
    """Return the days that an alarm needs to know, which are those of `int_cause_days`."""
    months, skipped = model_vars()["trailing_months"], model_vars()["complaint_delay_days"]
    found = connection.execute(
        _FIRST_DAY,
        {"as_of": as_of_date, "longest": max(limits.windows), "months": months, "skipped": skipped},
    ).fetchone()
    assert found is not None
    return Days(found[0], as_of_date, skipped)


def _read_delays(connection: psycopg.Connection[Any], days: Days) -> Array:
    """Return the share of complaints by how many days after the order they came; unknown is the same day."""
    counts = np.zeros(days.skipped + 1)
    for delay, complaints in connection.execute(_DELAYS, {"first": days.first, "most": days.skipped}):
        counts[delay] = complaints
    return counts / counts.sum() if counts.any() else np.ones(1)


def _score_kind(
    connection: psycopg.Connection[Any], kind: str, days: Days, delays: Array, limits: Limits
) -> Iterator[tuple[Any, ...]]:
    keys: list[str] = []
    groups: dict[str, int] = {}
    group_of: list[int] = []
    parts = []
    with connection.cursor(f"counts_of_{kind}") as rows:
        rows.itersize = _ROWS_AT_ONCE
        rows.execute(_COUNTS, {"kind": kind, "first": days.first, "as_of": days.last})
        for causes, orders, complaints in _some_causes(rows, days.count):
            keys += [key for key, _ in causes]
            group_of += [groups.setdefault(product, len(groups)) for _, product in causes]
            due = due_orders(orders, delays)[:, days.skipped :]
            parts.append(count(complaints[:, days.skipped :], due, limits))
    if not parts:
        return
    found = judge(parts, np.array(group_of) if kind == "batch" else None, limits)
    for place in np.flatnonzero(~np.isnan(found.p_value)):
        yield (
            kind,
            keys[place],
            int(found.window_days[place]),
            int(found.complaints[place]),
            *(float(of[place]) for of in (found.expected, found.dispersion, found.p_value, found.q_value)),
            bool(found.is_alarm[place]),
        )


def _some_causes(
    rows: Iterable[tuple[Any, ...]], days: int
) -> Iterator[tuple[list[tuple[str, str]], Array, Array]]:
    """Yield some causes at a time, each with its product, and their daily orders and complaints."""
    by_cause = groupby(rows, key=itemgetter(0, 1))
    while True:
        causes = []
        orders, complaints = np.zeros((2, _CAUSES_AT_ONCE, days))
        for place, (cause, its_days) in enumerate(islice(by_cause, _CAUSES_AT_ONCE)):
            causes.append(cause)
            for *_, day, ordered, complained in its_days:
                orders[place, day], complaints[place, day] = ordered, complained
        if not causes:
            return
        yield causes, orders[: len(causes)], complaints[: len(causes)]
