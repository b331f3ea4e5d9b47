"""Public holidays, and the days that people work in exchange for them."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from winback.errors import WinbackError


class DayKind(StrEnum):
    """What a day is: days are only compared with days of their kind."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "public holiday"
    MAKE_UP_WORKDAY = "make-up workday"


@dataclass(frozen=True)
class Holidays:
    """The holidays of a country (its ISO code, as in `winback.yml`), or of none.

    For years that are not published yet, only what the law says of every year is known.
    """

    country: str

    def kind(self, day: date) -> DayKind:
        """Tell what a day is; a weekend that joins a public holiday belongs to it."""
        days = _days_of(self.country)
        if any(other in days for other in _days_off_around(day, days)):
            return DayKind.HOLIDAY
        if day in days.weekend_workdays:
            return DayKind.MAKE_UP_WORKDAY
        return DayKind.WORKDAY if days.is_working_day(day) else DayKind.WEEKEND

    def workdays_after(self, day: date, until: date) -> int:
        """Count the days that are worked after a day, up to and including another."""
        days = _days_of(self.country)
        return sum(
            days.is_working_day(day + timedelta(passed)) for passed in range(1, (until - day).days + 1)
        )


def _days_off_around(day: date, days: Any) -> list[date]:
    """Return the unbroken days off that a day belongs to; none for a day that is worked."""
    off = []
    for step in (timedelta(days=-1), timedelta(days=1)):
        other = day
        while not days.is_working_day(other):
            off.append(other)
            other += step
    return off


@cache
def _days_of(country: str) -> Any:
    # Half a second with its first country: only whoever checks pays for it.
    import holidays  # noqa: PLC0415

    if country == "none":
        return holidays.HolidayBase()
    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        raise WinbackError(
            f"business.holidays: the holidays of {country!r} are not known.",
            "give the two letters of another country, such as CN, or none",
        ) from None
