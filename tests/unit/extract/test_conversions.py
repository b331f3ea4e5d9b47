"""Conversions: every way to write a value ends as the one Postgres reads, or as nothing; never as a guess."""

from decimal import Decimal

import duckdb
import pytest

from winback.config import ColumnMapping
from winback.extract.conversions import as_type, half_width, trimmed

ZONE = "Asia/Shanghai"


def run(sql: str, text: str | None) -> str | None:
    with duckdb.connect() as engine:
        engine.execute("set timezone = 'UTC'")
        rows = engine.execute(f"select {sql} from (select $1::varchar as value)", [text]).fetchall()
    return rows[0][0]


def converted(type_name, text, **mapping):
    return run(as_type(type_name, "value", ColumnMapping(column="value", **mapping), ZONE), text)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12.50", "12.50"),
        ("-3", "-3"),
        ("+.5", "0.5"),
        ("1e3", "1000"),
        ("1,234.50", "1234.50"),
        ("-1,234,567", "-1234567"),
        ("￥1,234.50", "1234.50"),
        ("¥ 12", "12"),
        ("-$12.50", "-12.50"),
        ("€-3", "-3"),
        ("cny 8", "8"),
        ("12.50元", "12.50"),
        ("RMB１２３．５", "123.5"),
        ("－１，２３４", "-1234"),
        ("1.2万", "12000"),
        ("3亿", "300000000"),
        ("0.1234567890123456789万", "1234.567890123456789"),
        ("¥1.5万元", "15000"),
        ("(12.50)", "-12.50"),
        ("（￥1,000）", "-1000"),
        ("12.50-", "-12.50"),
        ("123456789012345678901234567890.01", "123456789012345678901234567890.01"),
    ],
)
def test_an_amount_is_read_exactly(text, amount):
    assert Decimal(converted("numeric", text)) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    [
        *("12,5", "12,34", "1,2345", "1,234,5", "1.234,50", "NaN", "inf", "12%", "1 2", "--5", "(-5)", "(5"),
        *("五", "万", "1万2", "元", "-", "", "1e9999", "9" * 301, "12.5.1", "1元2"),
    ],
)
def test_what_is_no_amount_stays_unread(text):
    assert converted("numeric", text) is None


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1.234,50", "1234.50"),
        ("12,5", "12.5"),
        ("1.234", "1234"),
        ("-7", "-7"),
        ("€ 1.000,00", "1000.00"),
        ("1,234.50", None),
        ("12.50", None),
        ("1.2,5", None),
    ],
)
def test_a_stated_decimal_comma_turns_the_separators_around(text, amount):
    assert converted("numeric", text, decimal=",") == amount


@pytest.mark.parametrize(
    ("type_name", "text", "expected"),
    [
        ("integer", "7", "7"),
        ("integer", "１２", "12"),
        ("integer", "1,234", "1234"),
        ("integer", "7.0", None),
        ("integer", "99999999999", None),
        ("integer", "1.2万", None),
        ("boolean", "是", "t"),
        ("boolean", "No", "f"),
        ("boolean", "１", "t"),
        ("boolean", "maybe", None),
        ("jsonb", '{"a": 1}', '{"a": 1}'),
        ("jsonb", "{", None),
        ("text", "任何", "任何"),
    ],
)
def test_other_types_are_read_or_left(type_name, text, expected):
    assert converted(type_name, text) == expected


@pytest.mark.parametrize(
    "type_name", ["numeric", "integer", "boolean", "date", "timestamptz", "jsonb", "text"]
)
def test_nothing_stays_nothing(type_name):
    assert converted(type_name, None) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-02 09:05:06", "2026-03-02 09:05:06"),
        ("2026-03-02T09:05:06.7", "2026-03-02 09:05:06.7"),
        ("2026-03-02 09:05:06.123456789", "2026-03-02 09:05:06.123456"),
        ("2026/3/2 9:05", "2026-03-02 09:05:00"),
        ("2026-03-02", "2026-03-02 00:00:00"),
        ("2026年3月2日", "2026-03-02 00:00:00"),
        ("2026年3月2日 9时05分", "2026-03-02 09:05:00"),
        ("2026年3月2日9时5分6秒", "2026-03-02 09:05:06"),
        ("2026年3月2日 21点", "2026-03-02 21:00:00"),
        ("2026.3.2", "2026-03-02 00:00:00"),
        ("2026.3.2 9:05", "2026-03-02 09:05:00"),
        ("2026/3/2 上午 9:05:06", "2026-03-02 09:05:06"),
        ("2026/3/2 下午9:05", "2026-03-02 21:05:00"),
        ("2026-03-02 12:05 AM", "2026-03-02 00:05:00"),
        ("2026-03-02 12:05pm", "2026-03-02 12:05:00"),
        ("２０２６－０３－０２　０９：０５", "2026-03-02 09:05:00"),
        ("20260302", "2026-03-02 00:00:00"),
        ("20260302 09:05:06", "2026-03-02 09:05:06"),
        ("20260302090506", "2026-03-02 09:05:06"),
        ("1899-12-31 00:00:00", "1899-12-31 00:00:00"),
        ("2999-12-31 23:59:59", "2999-12-31 23:59:59"),
    ],
)
def test_a_moment_without_a_zone_gets_the_systems(text, moment):
    assert converted("timestamptz", text) == f"{moment} {ZONE}"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "昨天",
            "2026-02-30",
            "2026-13-01 00:00:00",
            "0000-00-00 00:00:00",
            "0000-01-01",
            "2026-03-02 25:00:00",
        ),
        # Which is the day and which the month, or the year, is never guessed.
        *(
            "3/4/2026",
            "13/4/2026",
            "4/13/2026 9:05",
            "03/02/20",
            "26-03-02",
            "02.03.2026",
            "2026032",
            "45000",
        ),
        *("2026030209", "2026-03-02 下午 15:05"),
    ],
)
def test_a_moment_that_could_be_another_stays_unread(text):
    assert converted("timestamptz", text) is None
    assert converted("date", text) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-02-29", "2024-02-29"),
        ("2023-02-29", None),
        ("2026/3/2", "2026-03-02"),
        ("2026年3月2日", "2026-03-02"),
        ("2026-03-02 23:59:59", "2026-03-02"),
        ("2026-03-01 20:00:00+00", "2026-03-02"),
        ("1899-12-31", "1899-12-31"),
        ("2999-01-01", "2999-01-01"),
    ],
)
def test_a_day_is_the_one_in_the_systems_zone(text, day):
    assert converted("date", text) == day


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T10:00:00+01:00",
        "2026-03-02 09:00:00Z",
        "2026-03-02 17:00:00 +0800",
        "2026-03-02 09:00:00.000000+00",
    ],
)
def test_an_offset_in_the_text_beats_the_systems_zone(text):
    assert converted("timestamptz", text) == "2026-03-02 09:00:00+00"


def test_stated_formats_are_the_only_ones_tried_in_turn():
    assert converted("date", "03.02.2026", format="%d.%m.%Y") == "2026-02-03"
    assert converted("date", "2026-02-03", format="%d.%m.%Y") is None
    both = ("%d/%m/%Y %H:%M", "%d/%m/%Y")
    assert converted("timestamptz", "03/02/2026", format=both) == f"2026-02-03 00:00:00 {ZONE}"
    assert converted("timestamptz", "03/02/2026 09:05", format=both) == f"2026-02-03 09:05:00 {ZONE}"


def test_full_width_letters_and_digits_become_plain_ones():
    assert run(half_width("value"), "Ｃ１－００７　客户") == "C1-007 客户"
    assert run(half_width("value"), "C1-007") == "C1-007"


@pytest.mark.parametrize("text", [" a b ", "\u3000a b\u3000", "\ta b", "\u00a0a b\u3000 ", "a b"])
def test_no_space_of_any_width_stays_around_a_text(text):
    assert run(trimmed("value"), text) == "a b"


@pytest.mark.parametrize("text", ["", " ", "\u3000", "\t"])
def test_only_spaces_are_nothing(text):
    assert run(trimmed("value"), text) is None
