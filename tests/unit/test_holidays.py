"""Days are workdays, weekends, public holidays, or worked in exchange for one."""

from datetime import date

import pytest

from winback.errors import WinbackError
from winback.holidays import DayKind, Holidays


@pytest.mark.parametrize(
    ("country", "day", "kind"),
    [
        ("CN", date(2026, 2, 17), DayKind.HOLIDAY),  # Spring Festival, a Tuesday
        ("CN", date(2026, 10, 3), DayKind.HOLIDAY),  # a Saturday within National Day
        ("CN", date(2026, 2, 15), DayKind.HOLIDAY),  # the Sunday before Spring Festival
        ("CN", date(2026, 2, 21), DayKind.HOLIDAY),  # the Saturday within
        ("CN", date(2026, 2, 24), DayKind.WORKDAY),
        ("CN", date(2026, 2, 14), DayKind.MAKE_UP_WORKDAY),  # a Saturday
        ("CN", date(2026, 3, 7), DayKind.WEEKEND),
        ("CN", date(2026, 3, 6), DayKind.WORKDAY),
        ("US", date(2017, 11, 23), DayKind.HOLIDAY),
        ("US", date(2017, 11, 25), DayKind.WEEKEND),  # a Saturday; the Friday before is worked
        ("US", date(2017, 12, 24), DayKind.HOLIDAY),  # the Sunday before Christmas
        ("US", date(2017, 11, 22), DayKind.WORKDAY),
        ("SA", date(2026, 3, 6), DayKind.WEEKEND),  # a Friday
        ("none", date(2026, 2, 17), DayKind.WORKDAY),
        ("none", date(2026, 2, 14), DayKind.WEEKEND),
    ],
)
def test_a_day_is_what_its_country_makes_of_it(country, day, kind):
    assert Holidays(country).kind(day) is kind


@pytest.mark.parametrize("day", [date(1900, 1, 1), date(2150, 10, 1), date(2199, 12, 31)])
def test_a_year_that_is_not_known_has_only_weekends(day):
    assert Holidays("CN").kind(day) is DayKind.WORKDAY


@pytest.mark.parametrize(
    ("newest", "until", "workdays"),
    [
        (date(2026, 3, 6), date(2026, 3, 6), 0),
        (date(2026, 3, 6), date(2026, 3, 8), 0),  # Friday to Sunday
        (date(2026, 3, 6), date(2026, 3, 9), 1),
        (date(2026, 2, 13), date(2026, 2, 14), 1),  # the Saturday is worked
        (date(2026, 2, 14), date(2026, 2, 23), 0),  # the whole of Spring Festival
        (date(2026, 2, 14), date(2026, 2, 24), 1),
        (date(2026, 3, 7), date(2026, 3, 6), 0),
    ],
)
def test_age_is_counted_in_days_that_are_worked(newest, until, workdays):
    assert Holidays("CN").workdays_after(newest, until) == workdays


def test_the_special_days_are_the_holidays_with_the_weekends_they_join_and_the_made_up_workdays():
    days = {each.day: each for each in Holidays("CN").special_days(2026) if each.day >= date(2026, 2, 8)}
    february = {day.day: each.is_workday for day, each in days.items() if day.month == 2}
    assert february == {14: True, 28: True} | dict.fromkeys(range(15, 24), False)
    named = days[date(2026, 2, 17)]
    assert (named.name_zh, named.name_en) == ("春节", "Chinese New Year (Spring Festival)")
    assert days[date(2026, 2, 14)].name_zh is days[date(2026, 2, 21)].name_en is None
    assert max(days) < date(2027, 1, 1)


def test_special_days_have_names_in_the_language_of_the_country_where_there_are_no_others():
    (thanksgiving,) = (each for each in Holidays("US").special_days(2017) if each.day == date(2017, 11, 23))
    assert thanksgiving.name_zh == thanksgiving.name_en == "Thanksgiving Day"


@pytest.mark.parametrize(("country", "last_year"), [("none", 2026), ("CN", 1949)])
def test_without_known_holidays_there_are_no_special_days(country, last_year):
    assert Holidays(country).special_days(last_year) == ()


def test_a_year_that_nobody_has_announced_yet_has_its_festivals_only():
    festivals = [each for each in Holidays("CN").special_days(2099) if each.day.year == 2099]
    assert date(2099, 10, 1) in [each.day for each in festivals]
    assert not any(each.is_workday for each in festivals)


def test_a_country_that_is_not_known_is_refused():
    with pytest.raises(WinbackError, match=r"business\.holidays: the holidays of 'XX' are not known"):
        Holidays("XX").kind(date(2026, 3, 2))
