"""The stretch of days that one issue of a report is about."""

from dataclasses import dataclass
from datetime import date, timedelta


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
