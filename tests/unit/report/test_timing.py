"""When a report waits, when it goes out with a warning, and when it is about the day after."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from winback.holidays import Holidays
from winback.incidents import Incident
from winback.report.timing import day_of_issue, goes_out, hindrances, is_overdue

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


def test_after_its_deadline_a_late_report_goes_out_but_never_without_any_figures() -> None:
    assert goes_out(day(-1), SUNDAY, [], "hold", overdue=True)
    assert not goes_out(None, SUNDAY, [], "warn", overdue=True)


@pytest.mark.parametrize(
    ("now", "overdue"),
    [
        (datetime(2026, 3, 9, 3, 59, tzinfo=UTC), False),  # 11:59 in Shanghai
        (datetime(2026, 3, 9, 4, 0, tzinfo=UTC), True),
        (datetime(2026, 3, 10, 0, 0, tzinfo=UTC), True),
    ],
)
def test_a_deadline_is_a_time_of_the_business_day_of_issue(now: datetime, overdue: bool) -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    assert is_overdue(day(1), "12:00", now, shanghai) == overdue
    assert not is_overdue(day(1), None, now, shanghai)


@pytest.mark.parametrize(
    ("country", "planned", "waits_for"),
    [
        ("CN", date(2024, 2, 5), date(2024, 2, 5)),
        ("CN", date(2024, 2, 12), date(2024, 2, 18)),  # Spring Festival, until a Sunday that is worked
        ("CN", date(2024, 6, 1), date(2024, 6, 3)),  # a Saturday
        ("none", date(2024, 2, 12), date(2024, 2, 12)),
    ],
)
def test_an_issue_due_on_a_day_off_goes_out_on_it_or_on_the_next_workday(
    country: str, planned: date, waits_for: date
) -> None:
    assert day_of_issue(planned, "wait", Holidays(country)) == waits_for
    assert day_of_issue(planned, "send", Holidays(country)) == planned
