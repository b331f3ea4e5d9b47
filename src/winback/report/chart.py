"""Charts for e-mail: PNG, drawn so that their words are readable on a phone that halves their width."""

import io
from collections.abc import Callable, Sequence
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from winback.errors import WinbackError
from winback.report.definition import Chart, Panel
from winback.report.language import Formats
from winback.report.query import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FONT = "Noto Sans CJK SC"
WIDTH = 600  # CSS pixels in the mail; the picture has twice as many, for sharp screens
_PIXELS = 2
_INK, _FAINT, _PAPER = "#334155", "#e2e8f0", "#f8fafc"


def draw(chart: Chart, rows: Sequence[Row], gettext: Callable[[str], str], formats: Formats) -> bytes | None:
    """Draw a chart and return it as PNG; return None when there is nothing to draw.

    A character that the font lacks is a warning of matplotlib's; tests turn it into an error.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 -- takes half a second, and a DAG file imports us

    rows = [row for row in rows if any(row[panel.column] is not None for panel in chart.panels)]
    if not rows:
        return None
    _make_font_known()
    height = 60 + 175 * len(chart.panels)
    figure = Figure(
        figsize=(WIDTH / 100, height / 100), dpi=100 * _PIXELS, facecolor=_PAPER, layout="constrained"
    )
    figure.get_layout_engine().set(w_pad=0.14, h_pad=0.12)  # type: ignore[union-attr, call-arg]
    panes = figure.subplots(len(chart.panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, panel in zip(panes, chart.panels, strict=True):
        axes.set_facecolor(_PAPER)
        _draw_panel(axes, panel, [row[panel.column] for row in rows], formats)
    _label_days(panes[-1], [row[chart.day] for row in rows], formats)
    for axes, panel in zip(panes, chart.panels, strict=True):
        axes.set_title(gettext(panel.label), loc="left", fontfamily=FONT, fontsize=14, color=_INK, pad=10)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()


def _draw_panel(axes: "Axes", panel: Panel, values: Sequence[int | None], formats: Formats) -> None:
    """Draw one pane: no scale to read off, but the first, the last and the highest value written out."""
    numbers = [float("nan") if value is None else float(value) for value in values]
    places = range(len(numbers))
    if panel.kind == "bars":
        axes.bar(places, numbers, color=panel.color, width=0.62, alpha=0.45)
        axes.bar([len(numbers) - 1], numbers[-1:], color=panel.color, width=0.62)
    else:
        axes.plot(places, numbers, color=panel.color, linewidth=2.5, marker="o", markersize=4.5)
        axes.plot([len(numbers) - 1], numbers[-1:], color=panel.color, marker="o", markersize=9)
    known = [(float(value), place) for place, value in enumerate(values) if value is not None]
    highest, lowest = max(known), min(known)
    for place in {known[0][1], highest[1], len(numbers) - 1}:
        if values[place] is not None:
            axes.annotate(
                formats.count(values[place]),
                (place, numbers[place]),
                xytext=(0, 7),
                textcoords="offset points",
                ha="center",
                fontfamily=FONT,
                fontsize=14,
                color=_INK,
            )
    floor = (
        0.0 if panel.kind == "bars" else max(0.0, lowest[0] - 0.35 * (highest[0] - lowest[0] or highest[0]))
    )
    axes.set_ylim(floor, highest[0] + 0.3 * ((highest[0] - floor) or 1))
    axes.set_xlim(-0.7, len(numbers) - 0.3)
    axes.set_yticks([])
    axes.tick_params(length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)


def _label_days(axes: "Axes", days: Sequence[date], formats: Formats) -> None:
    """Write every third day under the axis, counted back from the last."""
    places = range(len(days) - 1, -1, -3)
    labels = [formats.short_day(days[place]) for place in places]
    axes.set_xticks(list(places), labels, fontfamily=FONT, fontsize=13, color=_INK)


def _make_font_known() -> None:
    """See that a font with Chinese characters is there: the system's Noto CJK, or the package's."""
    from matplotlib.font_manager import fontManager  # noqa: PLC0415 -- see draw

    if any(font.name == FONT for font in fontManager.ttflist):
        return
    package = find_spec("mplfonts")  # found, not imported: it would change matplotlib's settings
    path = (
        Path(package.origin).parent / "fonts" / "NotoSansCJKsc-Regular.otf"
        if package and package.origin
        else None
    )
    if path is None or not path.is_file():
        raise WinbackError(
            f"No font with Chinese characters ({FONT}) is installed, so charts cannot be drawn.",
            "pip install mplfonts, or install the system's Noto CJK fonts (Debian: fonts-noto-cjk)",
        )
    fontManager.addfont(path)
