from datetime import date

import pytest

from winback.report.period import Period, iso_week


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
