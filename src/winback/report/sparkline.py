"""A small chart of one row of values, as bars that a template draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

HEIGHT = 28
_STEP, _WIDTH, _LEAST = 6, 4, 1


@dataclass(frozen=True)
class Bar:
    """One day: where its bar stands, and what it stands for."""

    day: date
    value: float
    x: int
    y: float
    height: float
    width: int = _WIDTH


@dataclass(frozen=True)
class Sparkline:
    """Bars from the oldest day to the newest; a day without a value leaves its place empty."""

    width: int
    bars: tuple[Bar, ...]
    height: int = HEIGHT

    @property
    def least(self) -> float:
        """Return the smallest value."""
        return min(bar.value for bar in self.bars)

    @property
    def most(self) -> float:
        """Return the largest value."""
        return max(bar.value for bar in self.bars)


def draw(days: Sequence[date], values: Sequence[float | None]) -> Sparkline | None:
    """Return the bars of values on days, the largest as high as the chart; None where nothing is known.

    A value of nothing is a line at the bottom, so that it can be told from a day without one.
    """
    known = [value for value in values if value is not None]
    if not known:
        return None
    top = max(*known, 0.0)
    bars = []
    for place, (day, value) in enumerate(zip(days, values, strict=True)):
        if value is None:
            continue
        height = max(_LEAST, round(HEIGHT * max(value, 0.0) / top, 1)) if top else _LEAST
        bars.append(Bar(day, value, place * _STEP, round(HEIGHT - height, 1), height))
    return Sparkline(len(days) * _STEP, tuple(bars))
