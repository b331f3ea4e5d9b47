"""The stretch of days that one issue of a report is about."""

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

PeriodKind = Literal["day", "week", "month", "quarter"]


@dataclass(frozen=True)
class Period:
    """A named stretch of days, both ends included; the name goes into the ledger and the Message-ID."""

    name: str
    starts_on: date
    ends_on: date

    @property
    def year_before(self) -> date:
        """Return the last day of the same period a year before: of an ISO week that of 52 weeks before."""
        if self.ends_on - self.starts_on == timedelta(days=6):
            return self.ends_on - timedelta(weeks=52)
        last = calendar.monthrange(self.ends_on.year - 1, self.ends_on.month)[1]
        return self.ends_on.replace(year=self.ends_on.year - 1, day=min(self.ends_on.day, last))


def one_day(day: date) -> Period:
    """Return a day by itself; named like `2017-12-31`."""
    return Period(day.isoformat(), day, day)


def calendar_month(day: date) -> Period:
    """Return the month that a day belongs to; named like `2017-12`."""
    last = calendar.monthrange(day.year, day.month)[1]
    return Period(f"{day:%Y-%m}", day.replace(day=1), day.replace(day=last))


def calendar_quarter(day: date) -> Period:
    """Return the quarter that a day belongs to; named like `2017-Q4`."""
    number = (day.month + 2) // 3
    last = calendar.monthrange(day.year, 3 * number)[1]
    return Period(
        f"{day.year}-Q{number}", date(day.year, 3 * number - 2, 1), date(day.year, 3 * number, last)
    )


def iso_week(day: date) -> Period:
    """Return the ISO week, Monday to Sunday, that a day belongs to; named like `2017-W52`."""
    year, week, weekday = day.isocalendar()
    starts_on = day - timedelta(days=weekday - 1)
    return Period(f"{year}-W{week:02}", starts_on, starts_on + timedelta(days=6))


_OF: Mapping[PeriodKind, Callable[[date], Period]] = {
    "day": one_day,
    "week": iso_week,
    "month": calendar_month,
    "quarter": calendar_quarter,
}


def last_complete(kind: PeriodKind, as_of: date) -> Period:
    """Return the newest period that is over at the end of a day."""
    found = _OF[kind](as_of)
    return found if found.ends_on <= as_of else _OF[kind](found.starts_on - timedelta(days=1))
