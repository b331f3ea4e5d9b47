from datetime import date

import pytest

from winback.report.period import Period, PeriodKind, iso_week, last_complete


@pytest.mark.parametrize(
    ("day", "period"),
    [
        (date(2017, 12, 31), Period("2017-W52", date(2017, 12, 25), date(2017, 12, 31))),
        (date(2018, 1, 1), Period("2018-W01", date(2018, 1, 1), date(2018, 1, 7))),
        (date(2021, 1, 3), Period("2020-W53", date(2020, 12, 28), date(2021, 1, 3))),
    ],
)
def test_weeks_run_from_monday_to_sunday_and_know_their_year(day: date, period: Period) -> None:
    assert iso_week(day) == period


@pytest.mark.parametrize(
    ("kind", "as_of", "name"),
    [
        ("day", date(2018, 1, 1), "2018-01-01"),
        ("week", date(2017, 12, 30), "2017-W51"),
        ("week", date(2017, 12, 31), "2017-W52"),
        ("week", date(2018, 1, 1), "2017-W52"),
        ("week", date(2021, 1, 3), "2020-W53"),
        ("month", date(2018, 1, 30), "2017-12"),
        ("month", date(2018, 1, 31), "2018-01"),
        ("month", date(2016, 2, 28), "2016-01"),
        ("month", date(2016, 2, 29), "2016-02"),
    ],
)
def test_a_report_is_about_the_newest_period_that_is_over(kind: PeriodKind, as_of: date, name: str) -> None:
    found = last_complete(kind, as_of)
    assert found.name == name
    assert found.ends_on <= as_of
