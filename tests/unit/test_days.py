"""Business days begin at midnight of the business time zone, also when clocks change."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from winback.days import day_end, day_start, deadline, last_sunday

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")


def test_a_shanghai_day_begins_on_the_previous_day_in_utc():
    assert day_start(date(2026, 3, 2), SHANGHAI) == datetime(2026, 3, 1, 16, tzinfo=UTC)
    assert day_end(date(2026, 3, 2), SHANGHAI) == datetime(2026, 3, 2, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2017, 3, 12), 23), (date(2017, 11, 5), 25), (date(2017, 12, 25), 24)]
)
def test_the_days_on_which_clocks_change_have_their_real_length(day, hours):
    length = day_end(day, NEW_YORK) - day_start(day, NEW_YORK)
    assert length.total_seconds() == hours * 3600


def test_the_deadline_falls_on_the_next_morning():
    assert deadline(date(2026, 2, 28), "07:30", SHANGHAI) == datetime(2026, 2, 28, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("issued_on", "week_ends_on"),
    [
        (date(2018, 1, 1), date(2017, 12, 31)),  # Monday
        (date(2018, 1, 6), date(2017, 12, 31)),  # Saturday
        (date(2018, 1, 7), date(2017, 12, 31)),  # Sunday: its own week is not over yet
        (date(2018, 1, 8), date(2018, 1, 7)),
    ],
)
def test_a_report_is_about_the_last_whole_week(issued_on, week_ends_on):
    assert last_sunday(issued_on) == week_ends_on
