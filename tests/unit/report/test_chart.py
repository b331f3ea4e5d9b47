import struct
import subprocess
import sys
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.report import review_samples, samples
from winback.report import chart
from winback.report.definition import Chart, Panel, Report, Trend, load_report
from winback.report.language import Formats, read_words

TREND = samples.REPORT.file.charts["trend"]


def draw(
    rows: list[dict[str, object]], language: str = "zh", kind: Chart = TREND, events: Any = ()
) -> bytes | None:
    words = read_words(samples.REPORT.folder, language)
    return chart.draw(kind, {kind.block: rows, "events": events}, words.gettext, Formats(language, "CNY"))


@pytest.mark.filterwarnings("error")
def test_every_character_of_the_labels_is_in_the_font(language: str) -> None:
    assert draw(samples.trend(), language)


@pytest.mark.filterwarnings("error:Glyph")
def test_a_character_that_the_font_lacks_fails() -> None:
    label = "有流失风险 \N{PILE OF POO}"
    panel = Panel(column="customers_at_risk", kind="line", label=label, color="#000000")
    with pytest.raises(UserWarning, match="Glyph 128169"):
        draw(samples.trend(), kind=Trend(kind="trend", block="trend", day="week_ends_on", panels=(panel,)))


def test_the_picture_is_twice_as_wide_as_it_is_shown() -> None:
    picture = draw(samples.trend())
    assert picture is not None
    width, height = struct.unpack(">II", picture[16:24])
    assert width == 2 * chart.WIDTH
    assert 0.5 < height / width < 0.9
    assert len(picture) < 30_000


@pytest.mark.filterwarnings("error")
def test_short_and_patchy_histories_can_be_drawn() -> None:
    rows = samples.trend()
    assert draw(rows[:1])
    assert draw([{**row, "customers_churned": 0, "customers_at_risk": 0} for row in rows])
    assert draw([{**rows[0], "customers_churned": None}, *rows[1:3], {**rows[3], "customers_at_risk": None}])


def test_without_history_there_is_no_picture() -> None:
    assert draw([]) is None
    assert (
        draw([{**row, "customers_churned": None, "customers_at_risk": None} for row in samples.trend()])
        is None
    )


def test_drawing_touches_no_global_state() -> None:
    program = """
import sys
from tests.unit.report.test_chart import draw, samples
assert "matplotlib" not in sys.modules, "importing a report must stay cheap: DAG files do it"
draw(samples.trend())
assert "matplotlib.figure" in sys.modules
assert not {"matplotlib.pyplot", "mplfonts"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


MONTHLY = load_report("monthly_tier_review")
PYRAMID = [
    {"tier": tier, "customers": customers, "risen": 3, "fallen": 0}
    for tier, customers in (("vip", 25), ("major", 469), ("ordinary", 741), ("small", 1234))
]
COHORTS = [
    {"month": date(2017, month, 1), "number": number, "share": Decimal(9 - number) / 10}
    for month in range(4, 12)
    for number in range(1, 13 - month)
]
KINDS = [
    ("causes", samples.REPORT, samples.complaint_categories()),
    ("bridge", samples.REPORT, samples.bridge()),
    ("pyramid", MONTHLY, PYRAMID),
    ("cohorts", MONTHLY, COHORTS),
    ("arms", review_samples.REPORT, review_samples.campaigns("zh")),
    ("answers", review_samples.REPORT, review_samples.answers()),
]


def draw_kind(name: str, report: Report, rows: Any, language: str) -> bytes | None:
    kind = report.file.charts[name]
    words = read_words(report.folder, language)
    return chart.draw(kind, {kind.block: rows}, words.gettext, Formats(language, "CNY"))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("name", "report_", "rows"), KINDS, ids=[name for name, *_ in KINDS])
def test_every_kind_is_drawn_with_glyphs_for_all_it_says(
    name: str, report_: Report, rows: Any, language: str
) -> None:
    picture = draw_kind(name, report_, rows, language)
    assert picture is not None
    width, height = struct.unpack(">II", picture[16:24])
    assert width == 2 * chart.WIDTH
    assert height < 1.2 * width
    assert draw_kind(name, report_, [], language) is None


@pytest.mark.filterwarnings("error")
def test_names_from_the_data_are_text_and_leave_room() -> None:
    names = ["$\\frac{1}{2}$", "王" * 80, "x" * 80, "a_b^c", None]
    rows = [{"name": name, "count": 5 - place} for place, name in enumerate(names)]
    assert draw_kind("causes", samples.REPORT, rows, "zh")
    events = [{"name": "$x" + "王" * 80, "started_on": samples.AS_OF}]
    assert draw(samples.trend(), events=events) != draw(samples.trend())


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("finding", ["cannot_tell", "part", "did_harm"])
def test_a_campaign_is_drawn_without_what_is_not_known(finding: str) -> None:
    report, worked = review_samples.REPORT, review_samples.campaign("en")
    known = draw_kind("arms", report, [worked], "en")
    less = draw_kind("arms", report, [review_samples.campaign("en", finding, target_rate=None)], "en")
    assert less is not None
    assert less != known
    nobody = review_samples.campaign("en", treated=0, treated_rate=None)
    assert draw_kind("arms", report, [nobody], "en") is None
    assert draw_kind("arms", report, [nobody, worked], "en") == known


def test_a_quarter_in_which_nobody_came_back_is_drawn_too() -> None:
    nobody = review_samples.campaign("en", treated_rate=Decimal(0), control_rate=Decimal(0), target_rate=None)
    nobody |= dict.fromkeys(("treated_low", "treated_high", "control_low", "control_high"))
    assert draw_kind("arms", review_samples.REPORT, [nobody], "en")
