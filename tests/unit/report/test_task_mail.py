"""What the weekly mail says of tasks, and the sheet that carries them."""

import io
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import openpyxl
import pytest

from tests.unit.report import samples


def mail(language: Any, rows: int = 3) -> EmailMessage:
    return samples.message(language, samples.report_rows(language, **samples.about_tasks(language, rows)))


def texts(message: EmailMessage) -> list[str]:
    parts = [message.get_body((kind,)) for kind in ("plain", "html")]
    return [str(part.get_content()) for part in parts if part is not None]


def test_the_mail_says_what_is_to_do_what_came_of_it_and_who_owes_feedback() -> None:
    english, chinese = texts(mail("en")), texts(mail("zh"))
    assert len(english) == len(chinese) == 2
    for text in english:
        assert "You have 3 tasks: 2 new, 1 overdue." in text
        assert "6 tasks were due this week. Ordered again: 2. Not reached: 2. No feedback: 2." in text
        assert "For 9 tasks feedback is overdue." in text
    for text in chinese:
        assert "您有 3 项任务：新任务 2 项，逾期 1 项。" in text
        assert "本周到期任务 6 项。已再次下单：2。联系不上：2。未反馈：2。" in text
        assert all(name in text for name in ("周经理", "吴经理", "无负责人"))


def test_tasks_alone_are_a_headline() -> None:
    rows = samples.report_rows("en", call_first=[], **samples.about_tasks("en", 1))
    headline = samples.message("en", rows)["Comments"]
    assert "You have 1 task to win a customer back." in headline
    assert "nobody" not in headline


def test_whoever_has_no_customers_of_their_own_hears_of_tasks_all_the_same() -> None:
    rows = samples.report_rows("en", figures=[], call_first=[], **samples.about_tasks("en"))
    nobody = replace(rows, scope=replace(rows.scope, customers=0))
    assert "You have 3 tasks" in samples.message("en", nobody)["Comments"]


def test_a_mail_with_tasks_is_shown_whole() -> None:
    for language in ("en", "zh"):
        assert len(texts(mail(language, 20))[1].encode()) < 100_000


@pytest.mark.parametrize(
    ("language", "name", "title"), [("en", "Tasks", "Task number"), ("zh", "任务", "任务编号")]
)
def test_the_first_sheet_is_that_of_tasks_to_fill_in(language: str, name: str, title: str) -> None:
    (part,) = [p for p in mail(language).iter_attachments() if str(p.get_filename()).endswith(".xlsx")]
    page = openpyxl.load_workbook(io.BytesIO(part.get_content()))[name]
    assert page.cell(1, 1).value == title
    assert page.cell(2, 1).value == "T171231-0000000000-ABCDEFGHIJ"
    choices = {
        str(found.sqref).split(":")[0]: found.formula1 for found in page.data_validations.dataValidation
    }
    assert len(choices) == 3
    assert all(len(formula) <= 255 for formula in choices.values())
