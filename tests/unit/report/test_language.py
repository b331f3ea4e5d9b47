from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from winback.report.language import Formats, plain

ZH, EN = Formats("zh", "CNY"), Formats("en", "USD")


@pytest.mark.parametrize(
    ("value", "chinese", "english"),
    [
        (None, "–", "–"),
        ("0", "¥0", "$0"),
        ("9999.49", "¥9,999", "$9,999"),
        ("10000", "¥1万", "$10,000"),
        ("123456.78", "¥12.35万", "$123,457"),
        ("-56000", "-¥5.6万", "-$56,000"),
        ("1000000", "¥100万", "$1M"),
        ("123456789", "¥1.23亿", "$123.46M"),
    ],
)
def test_money_is_written_as_the_reader_writes_it(value: str | None, chinese: str, english: str) -> None:
    amount = None if value is None else Decimal(value)
    assert ZH.money(amount) == chinese
    assert EN.money(amount) == english


def test_changes_carry_their_sign() -> None:
    assert EN.change(Decimal(3), "count") == "+3"
    assert EN.change(Decimal(-1200), "count") == "−1,200"
    assert EN.change(Decimal(0), "count") == "±0"
    assert EN.change(Decimal("-0.0012"), "rate") == "−0.12"
    assert ZH.change(Decimal(31200), "money") == "+¥3.12万"
    assert ZH.change(None, "money") == "–"


def test_rates_show_two_digits() -> None:
    assert EN.rate(Decimal("0.00489")) == "0.49%"
    assert EN.rate(None) == "–"


def test_days_are_written_as_the_reader_writes_them() -> None:
    day = date(2017, 12, 31)
    assert (ZH.day(day), EN.day(day)) == ("2017年12月31日", "Dec 31, 2017")
    assert (ZH.weekday(day), EN.weekday(day)) == ("2017年12月31日周日", "Sun, Dec 31, 2017")
    assert (ZH.short_day(day), EN.short_day(day)) == ("12/31", "Dec 31")
    assert EN.days(date(2017, 12, 25), day).replace("\u2009", " ") == "Dec 25 – 31, 2017"
    assert ZH.day(None) == "–"


def test_text_from_the_data_becomes_one_short_line() -> None:
    assert plain("Li\r\n  Lei\x00\u202e") == "Li Lei"
    assert plain("x" * 10_000) == "x" * 79 + "…"
    assert plain({"name": "a\nb", "evidence": "x" * 200, "open": 3, "other": ["c\td", None]}) == {
        "name": "a b",
        "evidence": "x" * 200,
        "open": 3,
        "other": ["c d", None],
    }


@pytest.mark.parametrize(
    ("change", "unit", "is_flat"),
    [
        (0, "count", True),
        (1, "count", False),
        (Decimal("0.00004"), "rate", True),
        (Decimal("-0.00006"), "rate", False),
        (Decimal("0.4"), "money", True),
        (Decimal("-0.6"), "money", False),
    ],
)
def test_a_change_that_would_be_written_as_nothing_is_none(change: Any, unit: str, is_flat: bool) -> None:
    assert Formats("zh", "USD").is_flat(change, unit) is is_flat
