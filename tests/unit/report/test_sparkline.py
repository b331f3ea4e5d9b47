"""Bars stand where their day is, as high as their share of the largest."""

from datetime import date, timedelta

import pytest

from winback.report.sparkline import HEIGHT, draw

DAYS = [date(2026, 3, 1) + timedelta(days=place) for place in range(4)]


def test_the_largest_is_as_high_as_the_chart_and_none_is_above_it() -> None:
    line = draw(DAYS, [1.0, 4.0, 2.0, 3.0])
    assert line is not None
    assert [bar.height for bar in line.bars] == [HEIGHT / 4, HEIGHT, HEIGHT / 2, HEIGHT * 3 / 4]
    assert [bar.y + bar.height for bar in line.bars] == [HEIGHT] * 4
    assert [bar.x for bar in line.bars] == sorted({bar.x for bar in line.bars})
    assert line.bars[-1].x + line.bars[-1].width <= line.width
    assert (line.least, line.most) == (1.0, 4.0)


def test_nothing_is_a_line_and_unknown_is_a_gap() -> None:
    line = draw(DAYS, [0.0, None, 2.0, -1.0])
    assert line is not None
    assert [bar.day for bar in line.bars] == [DAYS[0], DAYS[2], DAYS[3]]
    assert [bar.height for bar in line.bars] == [1, HEIGHT, 1]
    assert line.bars[1].x == draw(DAYS, [0.0, 0.0, 2.0, 0.0]).bars[2].x  # type: ignore[union-attr]


@pytest.mark.parametrize("values", [[0.0, 0.0, 0.0, 0.0], [-1.0, -1.0, -1.0, -2.0]])
def test_all_nothing_is_a_row_of_lines(values: list[float | None]) -> None:
    line = draw(DAYS, values)
    assert line is not None
    assert [bar.height for bar in line.bars] == [1, 1, 1, 1]


def test_without_any_value_there_is_no_chart() -> None:
    assert draw(DAYS, [None] * 4) is None
    assert draw([], []) is None
