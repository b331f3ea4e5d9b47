"""Charts for e-mail: PNG, drawn so that their words are readable on a phone that halves their width.

No scale to read off: what matters is written out. The paper stays light, so that it reads by night as well.
"""

import io
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winback.errors import WinbackError
from winback.report.definition import Arms, Chart, HeatMap, Panel, Pareto, Pyramid, Shares, Trend, Waterfall
from winback.report.language import Formats
from winback.report.query import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FONT = "Noto Sans CJK SC"
WIDTH = 600  # CSS pixels in the mail; the picture has twice as many, for sharp screens
_PIXELS = 2
_COLORS = 256  # with the shades at the edges of letters
_INK, _SOFT, _FAINT, _PAPER = "#334155", "#526075", "#e2e8f0", "#f8fafc"
_TOTAL, _UP, _DOWN = "#64748b", "#15803d", "#b91c1c"
_TITLE: dict[str, Any] = {"loc": "left", "fontfamily": FONT, "fontsize": 14, "color": _INK, "pad": 10}
_TEXT: dict[str, Any] = {"fontfamily": FONT, "fontsize": 14, "color": _INK, "parse_math": False}
_ABOVE: dict[str, Any] = {"xytext": (0, 7), "textcoords": "offset points", "ha": "center"}
_BESIDE: dict[str, Any] = {"xytext": (6, 0), "textcoords": "offset points", "ha": "left", "va": "center"}
_MIDDLE: dict[str, Any] = {"ha": "center", "va": "center"}
_ROW, _HEAD = 38, 60  # CSS pixels
_LONGEST = 22  # Latin letters of a label; Hanzi count twice
_EVENTS = 3
_CAMPAIGNS = 4
_GAP = 0.6  # between campaigns, of a line's height
_ROOM_FOR_A_NUMBER = 0.08  # of a line's length
_DARK = 0.55  # fields of a heat map above this share carry light text

_RATES = ("treated_rate", "treated_high", "control_rate", "control_high", "target_rate")

Gettext = Callable[[str], str]


def draw(
    chart: Chart, blocks: Mapping[str, Sequence[Row]], gettext: Gettext, formats: Formats
) -> bytes | None:
    """Draw a chart and return it as PNG; return None when there is nothing to draw.

    A character that the font lacks is a warning of matplotlib's; tests turn it into an error.
    """
    rows = blocks[chart.block]
    figure: Figure | None
    match chart:
        case Trend():
            figure = _trend(chart, rows, blocks[chart.events] if chart.events else (), gettext, formats)
        case Waterfall():
            figure = _waterfall(chart, rows, gettext, formats)
        case HeatMap():
            figure = _heat_map(chart, rows, gettext, formats)
        case Pyramid():
            figure = _pyramid(chart, rows, gettext, formats)
        case Pareto():
            figure = _pareto(chart, rows, gettext, formats)
        case Arms():
            figure = _arms(chart, rows, gettext, formats)
        case Shares():
            figure = _shares(chart, rows, gettext, formats)
    if figure is None:
        return None
    return _png(figure)


def _png(figure: "Figure") -> bytes:
    """Return a figure as PNG of few colours: a third of the bytes, which nobody can tell from all colours."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 -- see _paper
    from PIL import Image  # noqa: PLC0415

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]  # once; savefig draws twice, first for the layout only
    pixels = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
    drawn = Image.frombuffer("RGBA", canvas.get_width_height(), pixels).convert("RGB")
    picture = io.BytesIO()
    drawn.quantize(_COLORS, Image.Quantize.FASTOCTREE).save(picture, "png", dpi=(figure.dpi, figure.dpi))
    return picture.getvalue()


def _trend(
    chart: Trend, rows: Sequence[Row], events: Sequence[Row], gettext: Gettext, formats: Formats
) -> "Figure | None":
    """Draw panes over the same days, the last events marked in all of them and named in the first."""
    rows = [row for row in rows if any(row[panel.column] is not None for panel in chart.panels)]
    if not rows:
        return None
    days = [row[chart.day] for row in rows]
    figure = _paper(60 + 175 * len(chart.panels))
    panes = figure.subplots(len(chart.panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, panel in zip(panes, chart.panels, strict=True):
        axes.set_facecolor(_PAPER)
        _draw_panel(axes, panel, [row[panel.column] for row in rows], formats)
    _label_days(panes[-1], days, formats)
    for axes, panel in zip(panes, chart.panels, strict=True):
        axes.set_title(gettext(panel.label), **_TITLE)
    shown = [event for event in events if days[0] <= event["started_on"] <= days[-1]][:_EVENTS]
    for line, event in enumerate(shown):
        place = next(place for place, day in enumerate(days) if day >= event["started_on"])
        for axes in panes:
            axes.axvline(place, color=_SOFT, linewidth=1.2, linestyle=(0, (3, 3)), zorder=0)
        side = "left" if place < len(days) / 2 else "right"
        panes[0].annotate(
            _short(event["name"]),
            (place, 1 - 0.15 * line),
            xycoords=("data", "axes fraction"),
            xytext=(4 if side == "left" else -4, -4),
            textcoords="offset points",
            ha=side,
            va="top",
            **{**_TEXT, "fontsize": 12, "color": _SOFT},
        )
    return figure


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
    if known:
        highest, lowest = max(known), min(known)
        for place in {known[0][1], highest[1], len(numbers) - 1}:
            if values[place] is not None:
                text = formats.count(values[place])
                axes.annotate(text, (place, numbers[place]), **_ABOVE, **_TEXT)
        spread = highest[0] - lowest[0] or highest[0]
        floor = 0.0 if panel.kind == "bars" else max(0.0, lowest[0] - 0.35 * spread)
        axes.set_ylim(floor, highest[0] + 0.3 * ((highest[0] - floor) or 1))
    axes.set_xlim(-0.7, len(numbers) - 0.3)
    axes.set_yticks([])
    axes.tick_params(length=0)
    _only_floor(axes)


def _label_days(axes: "Axes", days: Sequence[date], formats: Formats) -> None:
    """Write every third day under the axis, counted back from the last."""
    places = range(len(days) - 1, -1, -3)
    labels = [formats.short_day(days[place]) for place in places]
    axes.set_xticks(list(places), labels, fontfamily=FONT, fontsize=13, color=_INK)


def _waterfall(chart: Waterfall, rows: Sequence[Row], gettext: Gettext, formats: Formats) -> "Figure | None":
    """Draw one line per step, each beginning where the one before ended."""
    if not any(row["amount"] for row in rows):
        return None
    figure, axes = _lines(gettext(chart.label), [gettext(chart.steps[row["name"]]) for row in rows])
    level, reach = 0.0, [0.0]
    for place, row in enumerate(rows):
        amount = float(row["amount"])
        is_total = row["name"] in chart.totals
        begin = 0.0 if is_total else level
        level = begin + amount
        reach += [begin, level]
        color = _TOTAL if is_total else _UP if amount > 0 else _DOWN
        axes.barh(place, amount, left=begin, color=color, height=0.6)
        text = formats.money(row["amount"]) if is_total else formats.change(row["amount"], "money")
        axes.annotate(text, (max(begin, level), place), **_BESIDE, **_TEXT)
    low, high = min(reach), max(reach)
    axes.set_xlim(low, high + 0.32 * (high - low))
    return figure


def _pareto(chart: Pareto, rows: Sequence[Row], gettext: Gettext, formats: Formats) -> "Figure | None":
    """Draw one line per name, most first, with its count and the share that all down to it have together."""
    total = sum(row["count"] for row in rows)
    if not total:
        return None
    shown = rows[:8]
    names = [row["name"] if row["name"] is not None else gettext(chart.unnamed) for row in shown]
    figure, axes = _lines(gettext(chart.label), names)
    so_far = 0
    for place, row in enumerate(shown):
        so_far += row["count"]
        axes.barh(place, row["count"], color=chart.color, height=0.6, alpha=1 if place == 0 else 0.55)
        text = f"{formats.count(row['count'])} · {formats.whole_rate(Decimal(so_far) / total)}"
        axes.annotate(text, (row["count"], place), **_BESIDE, **_TEXT)
    axes.set_xlim(0, 1.35 * max(row["count"] for row in shown))
    return figure


def _pyramid(chart: Pyramid, rows: Sequence[Row], gettext: Gettext, formats: Formats) -> "Figure | None":
    """Draw one line per tier from the top down, and who rose or fell into it."""
    most = max((row["customers"] for row in rows), default=0)
    if not most:
        return None
    figure, axes = _lines(gettext(chart.label), [gettext(chart.tiers[row["tier"]]) for row in rows])
    for place, row in enumerate(rows):
        axes.barh(
            place, row["customers"], left=-row["customers"] / 2, color="#0f766e", height=0.7, alpha=0.55
        )
        axes.annotate(formats.count(row["customers"]), (0, place), **_MIDDLE, **_TEXT)
        for x, sign, number, color in (
            (0.78, gettext(chart.risen), row["risen"], _UP),
            (1.06, gettext(chart.fallen), row["fallen"], _DOWN),
        ):
            style = {**_TEXT, "color": color if number else _SOFT}
            axes.annotate(f"{sign} {formats.count(number)}", (x * most, place), **_MIDDLE, **style)
    axes.set_xlim(-0.55 * most, 1.22 * most)
    return figure


def _arms(chart: Arms, rows: Sequence[Row], gettext: Gettext, formats: Formats) -> "Figure | None":
    """Draw two lines per campaign, the treated and those left alone, with intervals and the target."""
    shown = [row for row in rows if row["treated_rate"] is not None][:_CAMPAIGNS]
    if not shown:
        return None
    lines = [
        (row, arm, label, color)
        for row in shown
        for arm, label, color in (
            ("treated", row["name"], "#0f766e"),
            ("control", gettext(chart.control), _TOTAL),
        )
        if row[f"{arm}_rate"] is not None
    ]
    labels = [_short(label) for _, _, label, _ in lines]
    figure, axes = _lines(gettext(chart.label), labels, extra=20 * len(shown))
    places = [place + _GAP * shown.index(row) for place, (row, *_) in enumerate(lines)]
    axes.set_yticks(places, labels, **_TEXT)
    axes.set_ylim(places[-1] + 0.6, -0.95)
    for place, (row, arm, _, color) in zip(places, lines, strict=True):
        rate, low, high = (row[f"{arm}_{part}"] for part in ("rate", "low", "high"))
        axes.barh(place, float(rate), color=color, height=0.5, alpha=0.55)
        if low is not None:
            axes.plot([float(low), float(high)], [place] * 2, color=_INK, linewidth=1.6, marker="|")
        end = float(rate if high is None else high)
        axes.annotate(formats.short_rate(rate), (end, place), **_BESIDE, **_TEXT)
    for place, (row, arm, *_) in zip(places, lines, strict=True):
        if arm == "treated" and row["target_rate"] is not None:
            target = float(row["target_rate"])
            axes.plot([target] * 2, [place - 0.42, place + 0.42], color=_DOWN, linewidth=2.2)
            said = f"{gettext(chart.target)} {formats.short_rate(row['target_rate'])}"
            style = {**_TEXT, "fontsize": 12, "color": _DOWN}
            axes.annotate(said, (target, place - 0.42), xytext=(0, 1), textcoords="offset points",
                          ha="center", va="bottom", **style)  # fmt: skip
    known = [row[name] for row in shown for name in _RATES if row[name] is not None]
    axes.set_xlim(0, 1.22 * float(max(known)) or 1)
    return figure


def _shares(chart: Shares, rows: Sequence[Row], gettext: Gettext, formats: Formats) -> "Figure | None":
    """Draw one line per month, as long as its count, divided into its parts."""
    counts = [[row[name] for name in chart.parts] for row in rows]
    most = max((sum(line) for line in counts), default=0)
    if not most:
        return None
    figure, axes = _lines(gettext(chart.label), [formats.month(row["month"]) for row in rows], extra=34)
    for number, part in enumerate(chart.parts.values()):
        begins = [sum(line[:number]) for line in counts]
        lengths = [line[number] for line in counts]
        axes.barh(
            range(len(rows)), lengths, left=begins, color=part.color, height=0.6, label=gettext(part.label)
        )
        for place, (begin, length) in enumerate(zip(begins, lengths, strict=True)):
            if length > _ROOM_FOR_A_NUMBER * most:
                style = {**_TEXT, "color": "#ffffff"}
                axes.annotate(formats.count(length), (begin + length / 2, place), **_MIDDLE, **style)
    axes.set_xlim(0, 1.02 * most)
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(0, 0),
        ncols=len(chart.parts),
        handlelength=1.0,
        columnspacing=1.4,
        frameon=False,
        borderaxespad=0.2,
        labelcolor=_INK,
        prop={"family": FONT, "size": 13},
    )
    return figure


def _heat_map(chart: HeatMap, rows: Sequence[Row], gettext: Gettext, formats: Formats) -> "Figure | None":
    """Draw one line per month in which customers came first, and in it how many of them ordered again."""
    known = [row for row in rows if row["share"] is not None]
    if not known:
        return None
    months = sorted({row["month"] for row in known})
    numbers = sorted({row["number"] for row in known})
    figure, axes = _lines(gettext(chart.label), [formats.month(month) for month in months], extra=24)
    top = max(float(row["share"]) for row in known) or 1.0
    for row in known:
        x, y, share = numbers.index(row["number"]), months.index(row["month"]), float(row["share"]) / top
        axes.barh(y, 0.94, left=x - 0.47, color="#0f766e", alpha=0.08 + 0.92 * share, height=0.9)
        style = {**_TEXT, "fontsize": 13, "color": "#ffffff" if share > _DARK else _INK}
        text = formats.whole_rate(row["share"])
        axes.annotate(text, (x, y), **_MIDDLE, **style)
    axes.set_xlim(-0.55, len(numbers) - 0.45)
    labels = [formats.count(number) for number in numbers]
    axes.set_xticks(range(len(numbers)), labels, fontfamily=FONT, fontsize=13, color=_INK)
    return figure


def _lines(title: str, labels: Sequence[str], extra: int = 0) -> "tuple[Figure, Axes]":
    """Return a picture with one labelled line for each row, the first on top."""
    figure = _paper(_HEAD + extra + _ROW * len(labels))
    axes = figure.subplots()
    axes.set_facecolor(_PAPER)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xticks([])
    axes.set_yticks(range(len(labels)), [_short(label) for label in labels], **_TEXT)
    axes.tick_params(length=0)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    figure.suptitle(title, x=0.025, ha="left", **_TEXT)
    return figure, axes


def _paper(height: int) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415 -- takes half a second, and a DAG file imports us

    _make_font_known()
    figure = Figure(
        figsize=(WIDTH / 100, height / 100), dpi=100 * _PIXELS, facecolor=_PAPER, layout="constrained"
    )
    figure.get_layout_engine().set(w_pad=0.14, h_pad=0.12)  # type: ignore[union-attr, call-arg]
    return figure


def _only_floor(axes: "Axes") -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)


def _short(text: Any) -> str:
    """Return a label that leaves room for the chart; Hanzi are twice as wide as Latin letters."""
    width, kept = 0, ""
    for letter in str(text):
        width += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if width > _LONGEST:
            return kept.rstrip() + "…"
        kept += letter
    return kept


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
