"""The mail about wrong cells: what it says, in either language, and what it never repeats."""

import re
from datetime import date
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.unit.tasks.filled_in import blank, checks, fill_in
from winback.config import load_settings
from winback.paths import ROOT
from winback.report.period import Period
from winback.report.scope import Language, Recipient, Scope
from winback.tasks.reply import reply
from winback.tasks.workbook import Problem, Reading, read_workbook

DAY = date(2026, 3, 6)
ROWS = {
    "en": (
        {"contacted_on": "2026-03-02", "outcome": "will order", "note": "her son answered"},
        {"contacted_on": "soon", "outcome": "marvellous"},
        {"outcome": "will order"},
    ),
    "zh": (
        {"contacted_on": "2026-03-02", "outcome": "愿意下单", "note": "她儿子接的电话"},
        {"contacted_on": "过几天", "outcome": "好极了"},
        {"outcome": "愿意下单"},
    ),
}


def message(language: Language, tasks: int = 3, rows: int = 1) -> EmailMessage:
    """Return the mail about a workbook whose second and third rows are wrong, or about many such."""
    given = ROWS[language] if rows == 1 else (ROWS[language][1],) * rows
    reading = read_workbook(fill_in(blank(language, tasks), language, *given), checks(tasks))
    reader = Recipient("m1@example.com", "林经理", language, Scope("account_manager", "erp:M1"))
    return reply(reading, reader, load_settings(Path(ROOT / "winback.yml")), Period("workbook-1f", DAY, DAY))


def texts_of(mail: EmailMessage) -> list[str]:
    parts = [mail.get_body((kind,)) for kind in ("plain", "html")]
    assert all(parts)
    return [re.sub(r"\s+", " ", str(part.get_content())) for part in parts if part]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_reply_names_each_wrong_cell_and_repeats_nothing_of_the_workbook(language: Language) -> None:
    mail = message(language)
    for text in texts_of(mail):
        if language == "en":
            assert "2 rows of the workbook that you sent back could not be taken." in text
            assert "1 row was taken and counts." in text
            for row, column in ((3, "Called on"), (3, "Outcome"), (4, "Called on")):
                assert f"Sheet Tasks, row {row}, column {column}" in text
            assert "choose one of: will order, thinks it over" in text
        else:
            assert "您发回的任务表中有 2 行未能接收。" in text
            assert "其余 1 行已接收并计入。" in text
            for row, column in ((3, "联系日期"), (3, "联系结果"), (4, "联系日期")):
                assert f"工作表“任务”第 {row} 行“{column}”列" in text
        for said in ("her son", "marvellous", "soon", "她儿子", "好极了", "过几天", "王秀英", "13812345678"):
            assert said not in text
    assert mail["To"].addresses[0].addr_spec == "m1@example.com"
    assert not list(mail.iter_attachments())


def test_a_reply_about_hundreds_of_cells_names_the_first_fifty() -> None:
    mail = message("en", 200, 200)
    plain, html = texts_of(mail)
    assert "These are the first 50 of 400 cells." in plain
    assert plain.count("Sheet Tasks, row") == html.count("Sheet Tasks, row") == 50
    assert len(html) < 100_000


def test_a_page_with_a_hostile_name_is_shown_as_text() -> None:
    hostile = "<script>alert(1)</script>\r\nBcc: all@example.com{{ 7*7 }}"
    reading = Reading("en", is_ours=True, problems=(Problem(hostile, 2, "Outcome", "no_outcome", ("left",)),))
    reader = Recipient("m1@example.com", "Lin", "en", Scope("account_manager", "erp:M1"))
    mail = reply(reading, reader, load_settings(Path(ROOT / "winback.yml")), Period("workbook-1f", DAY, DAY))
    assert "<script" not in texts_of(mail)[1]
    assert mail["Bcc"] is None
    assert "49" not in texts_of(mail)[0]
