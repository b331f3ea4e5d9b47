"""A filled-in workbook is read by the words of either language; what is wrong is named by cell."""

import io
import shutil
import subprocess
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.unit.tasks.filled_in import KEY, OWNER, blank, checks, fill_in, task_id
from winback.report.definition import load_report
from winback.report.language import read_words
from winback.tasks.signature import signed
from winback.tasks.wording import answer_text
from winback.tasks.workbook import MOST_BYTES, REPORT, Answer, read_workbook

FOLDER = load_report(REPORT).folder


def word(language: Any, phrase: str) -> str:
    return read_words(FOLDER, language).gettext(phrase)


def whole_row(language: Any) -> dict[str, Any]:
    return {
        "contacted_on": datetime(2026, 3, 5),
        "outcome": word(language, "will order"),
        "reason_class": word(language, "Lured away"),
        "reason_code": word(language, "price"),
        "competitor": "河对岸超市",
        "comes_back_for": "便宜 5%",
        "note": "下周\n再打",
    }


ANSWER = Answer(
    task_id(0), OWNER, date(2026, 3, 5), "will_order", "price", "河对岸超市", "便宜 5% | 下周 再打"
)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_filled_in_comes_back_and_rows_without_are_passed_over(language: str) -> None:
    reading = read_workbook(fill_in(blank(language), language, whole_row(language)), checks())
    assert (reading.is_ours, reading.language) == (True, language)
    assert reading.answers == (ANSWER,)
    assert reading.problems == ()


def test_a_chinese_sheet_takes_english_words_and_half_filled_rows() -> None:
    rows = [
        {},
        {"contacted_on": "2026年3月2日", "outcome": "Not Reached"},
        {"contacted_on": 46086, "outcome": "left for good", "reason_class": "Lured away"},
    ]
    reading = read_workbook(fill_in(blank("zh"), "zh", *rows), checks())
    assert [(a.task_id, a.contacted_on, a.outcome, a.reason_code) for a in reading.answers] == [
        (task_id(1), date(2026, 3, 2), "not_reached", None),
        (task_id(2), date(2026, 3, 5), "left", "lured_away"),
    ]


@pytest.mark.parametrize(
    ("changes", "column", "said"),
    [
        ({"contacted_on": None}, "Called on", "on which day"),
        ({"contacted_on": "soon"}, "Called on", "that is no day; write it like 2026-03-06"),
        ({"contacted_on": date(2026, 2, 28)}, "Called on", "from 2026-03-01 to 2026-03-06"),
        ({"contacted_on": date(2026, 3, 7)}, "Called on", "from 2026-03-01 to 2026-03-06"),
        ({"outcome": None}, "Outcome", "Choose one of: will order, thinks it over"),
        ({"outcome": "marvellous"}, "Outcome", "choose one of: will order"),
        ({"reason_code": "quality"}, "Reason given", "to the one you chose belong: price."),
        ({"task_number": None}, "Task number", "no task number"),
        ({"task_number": "T1"}, "Task number", "leave it as it was"),
        ({"task_number": f"{task_id(0)}-AAAAAAAAAA"}, "Task number", "not made for a task of yours"),
    ],
)
def test_a_wrong_cell_is_named_with_what_is_allowed(changes: dict[str, Any], column: str, said: str) -> None:
    rows = [whole_row("en") | changes, {}, {"contacted_on": date(2026, 3, 1), "outcome": "left for good"}]
    reading = read_workbook(fill_in(blank("en"), "en", *rows), checks())
    assert [answer.task_id for answer in reading.answers] == [task_id(2)]
    text = answer_text(reading)
    assert f"Sheet Tasks, row 2, column {column}: " in text
    assert said in text
    assert text.startswith("Rows taken: 1; not taken: 1.")
    assert "河对岸" not in text
    assert "marvellous" not in text


def test_wrong_cells_are_named_in_the_language_of_the_sheet() -> None:
    text = answer_text(read_workbook(fill_in(blank("zh"), "zh", {"outcome": "好"}), checks()))
    assert "工作表“任务”第 2 行“联系日期”列：请填写联系日期。" in text
    assert "“联系结果”列：请从以下选项中选择：愿意下单、" in text


def test_a_task_is_answered_by_whoever_has_had_it_and_nobody_else() -> None:
    content = fill_in(blank("en"), "en", whole_row("en"))
    assert read_workbook(content, checks(owners=("erp:M2", OWNER))).answers == (ANSWER,)
    assert read_workbook(content, checks(owners=("erp:M2",))).answers == ()


def test_another_row_about_a_task_and_day_is_refused() -> None:
    first = fill_in(blank("en"), "en", whole_row("en"))
    number = {"task_number": signed(task_id(0), OWNER, KEY)}
    reading = read_workbook(fill_in(first, "en", {}, whole_row("en") | number), checks())
    assert reading.answers == (ANSWER,)
    assert [problem.wrong for problem in reading.problems] == ["repeated"]


def test_what_was_filled_in_on_the_call_list_is_not_lost_without_a_word() -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(blank("en")))
    page = workbook.create_sheet("Call list")
    page.append(["Customer", "Called on", "Outcome", "Note"])
    page.append(["王秀英", date(2026, 3, 5), "will order", None])
    page.append(["李建国", None, None, None])
    saved = io.BytesIO()
    workbook.save(saved)
    reading = read_workbook(saved.getvalue(), checks())
    assert reading.answers == ()
    assert [(problem.sheet, problem.row, problem.wrong) for problem in reading.problems] == [
        ("Call list", 2, "no_number")
    ]


def damaged() -> bytes:
    """Return a workbook of which a sheet breaks off."""
    cut = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(blank("en"))) as whole, zipfile.ZipFile(cut, "w") as broken:
        for name in whole.namelist():
            part = whole.read(name)
            broken.writestr(name, part[: len(part) // 2] if name.endswith("sheet1.xml") else part)
    return cut.getvalue()


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04 no workbook", "编号,客户".encode(), damaged(), blank("en") + bytes(MOST_BYTES)],
    ids=["empty", "no workbook", "text", "damaged", "too large"],
)
def test_what_is_no_workbook_of_tasks_is_said_in_both_languages(content: bytes) -> None:
    reading = read_workbook(content, checks())
    assert not reading.is_ours
    assert len(answer_text(reading).splitlines()) == 2


@pytest.mark.slow
def test_a_workbook_that_libreoffice_has_saved_says_the_same(tmp_path: Path) -> None:
    if (program := shutil.which("soffice")) is None:
        pytest.skip("soffice is not installed (Debian: libreoffice-calc)")
    for language in ("en", "zh"):
        before = tmp_path / "filled.xlsx"
        before.write_bytes(fill_in(blank(language), language, whole_row(language)))
        saved = tmp_path / language
        command = [program, "--headless", f"-env:UserInstallation=file://{tmp_path}/profile"]
        subprocess.run(
            [*command, "--convert-to", "xlsx", "--outdir", str(saved), str(before)],
            check=True,
            capture_output=True,
            timeout=180,
        )
        content = (saved / "filled.xlsx").read_bytes()
        assert content != before.read_bytes()
        assert read_workbook(content, checks()).answers == (ANSWER,)
        page = openpyxl.load_workbook(saved / "filled.xlsx").worksheets[0]
        assert len(page.data_validations.dataValidation) >= 3
        # What is filled in after LibreOffice has saved it comes back too.
        again = fill_in(content, language, {}, {"contacted_on": date(2026, 3, 6), "outcome": "left for good"})
        assert [a.task_id for a in read_workbook(again, checks()).answers] == [task_id(0), task_id(1)]
