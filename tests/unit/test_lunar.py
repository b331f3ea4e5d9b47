import logging
from datetime import date

import pytest

from winback.lunar import LunarDay, lunar_days


def the(year: int, month: int, day: int) -> LunarDay:
    (found,) = lunar_days(date(year, month, day), date(year, month, day))
    return found


@pytest.mark.parametrize(
    ("day", "lunar"),
    [
        ((2025, 1, 28), (12, 29, False, True)),  # the eve of a year whose last month had 29 days
        ((2025, 1, 29), (1, 1, False, False)),
        ((2024, 2, 9), (12, 30, False, True)),
        ((2025, 7, 24), (6, 30, False, True)),
        ((2025, 7, 25), (6, 1, True, False)),  # a leap month
        ((2025, 8, 22), (6, 29, True, True)),
        ((2025, 10, 6), (8, 15, False, False)),  # Mid-Autumn
        ((2033, 12, 22), (11, 1, True, False)),  # which the calendars of many programs had wrong
    ],
)
def test_days_that_are_well_known(day, lunar):
    found = the(*day)
    assert (found.lunar_month, found.lunar_day, found.is_leap_month, found.is_last_of_month) == lunar


def test_years_that_nobody_has_computed_are_left_out_and_said_so(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        found = lunar_days(date(2100, 12, 30), date(2101, 1, 31))
    assert [each.day for each in found] == [date(2100, 12, 30), date(2100, 12, 31)]
    assert "known for 1901 to 2100 only" in caplog.text
    assert "What to do" in caplog.text
    assert lunar_days(date(1899, 1, 1), date(1899, 1, 2)) == ()
