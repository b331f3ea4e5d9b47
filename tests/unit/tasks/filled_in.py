"""Workbooks of tasks as the weekly mail carries them, filled in."""

import io
from datetime import date
from typing import Any

import openpyxl

from winback.report.definition import load_report
from winback.report.language import Formats, read_words
from winback.report.workbook import write_workbook
from winback.tasks.signature import is_signed_for, signed
from winback.tasks.workbook import SHEET, Checks, Task

KEY = b"0123456789abcdef"
OWNER = "erp:M1"
MADE, TODAY = date(2026, 3, 1), date(2026, 3, 6)
REPORT = load_report("weekly_retention")


def task_id(number: int) -> str:
    return f"T260301-{number:010}"


def blank(language: Any, numbers: int = 3) -> bytes:
    """Return a workbook as it goes out, with tasks 0 to n - 1."""
    columns = REPORT.file.sheets[SHEET].columns
    rows = [
        dict.fromkeys(columns)
        | {
            "task_number": signed(task_id(n), OWNER, KEY),
            "name": "王秀英",
            "phone": "13812345678",
            "due_on": TODAY,
        }
        for n in range(numbers)
    ]
    blocks = {sheet.block: rows if name == SHEET else [] for name, sheet in REPORT.file.sheets.items()}
    written = write_workbook(
        REPORT.file, blocks, read_words(REPORT.folder, language).gettext, Formats(language, "CNY")
    )
    assert written is not None
    return written


def fill_in(content: bytes, language: Any, *rows: dict[str, Any]) -> bytes:
    """Fill in the rows one after the other; values by the names of the columns."""
    words = read_words(REPORT.folder, language)
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    page = workbook.worksheets[0]
    columns = REPORT.file.sheets[SHEET].columns
    titles = {cell.value: cell.column for cell in page[1]}
    for number, row in enumerate(rows, start=2):
        for name, value in row.items():
            page.cell(number, titles[words.gettext(columns[name].label)]).value = value
    saved = io.BytesIO()
    workbook.save(saved)
    return saved.getvalue()


def checks(numbers: int = 3, owners: tuple[str, ...] = (OWNER,)) -> Checks:
    return Checks(
        {task_id(n): Task("erp:C1", None, MADE, owners) for n in range(numbers)},
        lambda task, signature, owner: is_signed_for(task, signature, owner, KEY),
        {"price": "lured_away", "quality": "disappointed", "lured_away": "lured_away"},
        TODAY,
    )
