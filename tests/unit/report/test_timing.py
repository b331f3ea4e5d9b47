"""When a report waits, when it goes out with a warning, and when it is about the day after."""

from datetime import date, timedelta
from typing import Any

import pytest

from winback.incidents import Incident
from winback.report.timing import goes_out, hindrances

SUNDAY = date(2026, 3, 8)


def day(offset: int) -> date:
    return SUNDAY + timedelta(days=offset)


def incident(offset: int, stage: Any = "load", subject: str = "orders from erp") -> Incident:
    return Incident(1, stage, subject, day(offset))


@pytest.mark.parametrize(
    ("published", "is_hindered", "hold", "warn"),
    [
        (None, True, False, False),
        (day(-1), False, False, False),
        (day(-1), True, False, True),
        (day(0), False, True, True),
        (day(0), True, True, True),
        (day(1), False, True, True),
    ],
)
def test_a_report_goes_out_complete_or_where_so_configured_with_a_warning(
    published: date | None, is_hindered: bool, hold: bool, warn: bool
) -> None:
    hindered_by = [incident(0)] if is_hindered else []
    assert goes_out(published, SUNDAY, hindered_by, "hold") == hold
    assert goes_out(published, SUNDAY, hindered_by, "warn") == warn


@pytest.mark.parametrize(
    ("published", "offset", "is_hindrance"),
    [
        (day(-2), -2, False),  # of a day that is published
        (day(-2), -1, True),
        (day(-2), 0, True),
        (day(-2), 1, False),  # of the next week
        (None, -9, True),
    ],
)
def test_what_hinders_lies_between_the_published_day_and_the_weeks_end(
    published: date | None, offset: int, is_hindrance: bool
) -> None:
    found = incident(offset)
    assert hindrances([found], published, SUNDAY) == ((found,) if is_hindrance else ())


def test_each_place_is_named_once_with_its_first_day() -> None:
    first, later = incident(-3), incident(-1)
    build, report = incident(-2, "build", "warehouse"), incident(-2, "report", "weekly_retention")
    assert hindrances([later, report, build, first], day(-4), SUNDAY) == (first, build)
