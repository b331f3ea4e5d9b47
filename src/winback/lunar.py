"""The Chinese lunar calendar, by which many people keep their birthdays."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LunarDay:
    """A day as the lunar calendar has it; a leap month has the number of the month before it."""

    day: date
    lunar_month: int
    lunar_day: int
    is_leap_month: bool
    is_last_of_month: bool


def lunar_days(first: date, last: date) -> tuple[LunarDay, ...]:
    """Return the lunar days from one day to another, both included.

    The tables behind it reach from 1900 to 2100; days beyond are left out, with a warning.
    """
    from borax.calendars.lunardate import MAX_LUNAR_YEAR, MIN_LUNAR_YEAR, LunarDate  # noqa: PLC0415 -- seldom needed

    # A lunar year begins in January or February, so that of the first and last solar year are not whole.
    known = [day for day in _days(first, last) if MIN_LUNAR_YEAR < day.year <= MAX_LUNAR_YEAR]
    if len(known) < (last - first).days + 1:
        log.warning(
            "The lunar calendar is known for %s to %s only, and not for all days from %s to %s: lunar"
            " birthdays and festivals beyond are missing from the care calendar."
            " What to do: upgrade the package borax.",
            MIN_LUNAR_YEAR + 1,
            MAX_LUNAR_YEAR,
            first,
            last,
        )
    found = [(day, LunarDate.from_solar_date(day.year, day.month, day.day)) for day in known]
    return tuple(
        LunarDay(day, lunar.month, lunar.day, bool(lunar.leap), lunar.after(1).day == 1)
        for day, lunar in found
    )


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(passed) for passed in range((last - first).days + 1))
