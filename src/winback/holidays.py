"""Public holidays, and the days that people work in exchange for them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from winback.errors import WinbackError

_FIRST_YEAR = 1970


class DayKind(StrEnum):
    """What a day is: days are only compared with days of their kind."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "public holiday"
    MAKE_UP_WORKDAY = "make-up workday"


@dataclass(frozen=True)
class SpecialDay:
    """A public holiday, or a day that is worked in exchange for one.

    Only a day that is a holiday by itself has names; where the library has none in a language, they are in
    the country's own.
    """

    day: date
    is_workday: bool
    name_zh: str | None
    name_en: str | None


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

    def special_days(self, last_year: int) -> tuple["SpecialDay", ...]:
        """Return the public holidays and make-up workdays from 1970 to the end of a year, in their order."""
        return _special_days(self.country, last_year)

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
def _special_days(country: str, last_year: int) -> tuple[SpecialDay, ...]:
    years = range(_FIRST_YEAR, last_year + 1)
    in_zh, in_en = (_days_of(country, years, language) for language in ("zh_CN", "en_US"))
    off = {day for named in list(in_en) for day in _days_off_around(named, in_en)}
    made_up = {day for day in in_en.weekend_workdays if day.year in years}
    return tuple(
        SpecialDay(day, day in made_up, in_zh.get(day), in_en.get(day)) for day in sorted(off | made_up)
    )


@cache
def _days_of(country: str, years: Iterable[int] | None = None, language: str | None = None) -> Any:
    # Half a second with its first country: only whoever checks pays for it.
    import holidays  # noqa: PLC0415

    if country == "none":
        return holidays.HolidayBase()
    try:
        return holidays.country_holidays(country, years=years, language=language)
    except NotImplementedError:
        raise WinbackError(
            f"business.holidays: the holidays of {country!r} are not known.",
            "give the two letters of another country, such as CN, or none",
        ) from None
