"""The stretch of days that one issue of a report is about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

PeriodKind = Literal["day", "week", "month"]


@dataclass(frozen=True)
class Period:
    """A named stretch of days, both ends included; the name goes into the ledger and the Message-ID."""

    name: str
    starts_on: date
    ends_on: date


def iso_week(day: date) -> Period:
    """Return the ISO week, Monday to Sunday, that a day belongs to; named like `2017-W52`."""
    year, week, weekday = day.isocalendar()
    starts_on = day - timedelta(days=weekday - 1)
    return Period(f"{year}-W{week:02}", starts_on, starts_on + timedelta(days=6))


def month(day: date) -> Period:
    """Return the calendar month that a day belongs to; named like `2017-12`."""
    starts_on = day.replace(day=1)
    next_month = (starts_on + timedelta(days=31)).replace(day=1)
    return Period(f"{day:%Y-%m}", starts_on, next_month - timedelta(days=1))


def single_day(day: date) -> Period:
    """Return a period of one day, named like `2017-12-31`."""
    return Period(day.isoformat(), day, day)


_OF: Mapping[PeriodKind, Callable[[date], Period]] = {"day": single_day, "week": iso_week, "month": month}


def last_complete(kind: PeriodKind, as_of: date) -> Period:
    """Return the newest period that is over at the end of a day."""
    found = _OF[kind](as_of)
    return found if found.ends_on <= as_of else _OF[kind](found.starts_on - timedelta(days=1))
