from datetime import date

import pytest

from winback.report.period import Period, PeriodKind, calendar_quarter, iso_week, last_complete


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
        ("quarter", date(2017, 12, 30), "2017-Q3"),
        ("quarter", date(2017, 12, 31), "2017-Q4"),
        ("quarter", date(2018, 1, 1), "2017-Q4"),
        ("quarter", date(2018, 3, 30), "2017-Q4"),
        ("quarter", date(2018, 3, 31), "2018-Q1"),
    ],
)
def test_a_report_is_about_the_newest_period_that_is_over(kind: PeriodKind, as_of: date, name: str) -> None:
    found = last_complete(kind, as_of)
    assert found.name == name
    assert found.ends_on <= as_of


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2016, 2, 29), date(2016, 1, 1), date(2016, 3, 31)),
        (date(2016, 4, 1), date(2016, 4, 1), date(2016, 6, 30)),
        (date(2016, 9, 30), date(2016, 7, 1), date(2016, 9, 30)),
        (date(2016, 11, 15), date(2016, 10, 1), date(2016, 12, 31)),
    ],
)
def test_a_quarter_has_three_whole_months_and_ends_as_it_did_a_year_before(
    day: date, first: date, last: date
) -> None:
    found = calendar_quarter(day)
    assert (found.starts_on, found.ends_on) == (first, last)
    assert found.year_before == calendar_quarter(date(2015, day.month, 1)).ends_on
