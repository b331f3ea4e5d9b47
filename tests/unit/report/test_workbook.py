"""The workbook that a mail carries."""

import io
import zipfile
from datetime import datetime
from email.message import EmailMessage
from typing import Any

import openpyxl
import pytest

from tests.unit.report import samples
from winback.report.definition import load_report
from winback.report.language import Formats, read_words
from winback.report.workbook import write_workbook

REPORT = samples.REPORT


def attached(message: EmailMessage) -> bytes:
    (found,) = [part for part in message.iter_attachments() if str(part.get_filename()).endswith(".xlsx")]
    return bytes(found.get_content())


def sheets(message: EmailMessage) -> Any:
    return openpyxl.load_workbook(io.BytesIO(attached(message)))


def test_it_has_a_sheet_per_list_in_the_readers_words() -> None:
    workbook = sheets(samples.message("zh"))
    assert workbook.sheetnames == ["联系名单", "超时投诉", "有望升级", "关怀"]
    page = workbook["联系名单"]
    assert [cell.value for cell in page[1]][:4] == ["序号", "客户编号", "客户", "电话"]
    assert [cell.value for cell in page[2]][:6] == [
        1,
        "10000",
        "王秀英",
        "13812345678",
        "有流失风险",
        "顶级客户",
    ]
    assert sheets(samples.message("en")).sheetnames == [
        "Call list",
        "Overdue complaints",
        "Upgrade candidates",
        "Care",
    ]


def test_every_row_is_in_it_however_few_the_mail_shows() -> None:
    message = samples.message("en", samples.report_rows("en", call_first=samples.call_first("en", 57)))
    assert sheets(message)["Call list"].max_row == 58
    assert "57." not in str(message.get_body(("plain",)).get_content())


def test_it_can_be_filtered_filled_in_and_read_while_it_scrolls() -> None:
    page = sheets(samples.message("en"))["Call list"]
    assert page.freeze_panes == "B2"
    assert page.auto_filter.ref == "A1:R21"
    choices = {
        str(found.sqref).split(":")[0]: found.formula1 for found in page.data_validations.dataValidation
    }
    titles = {cell.value: f"{cell.column_letter}2" for cell in page[1]}
    assert choices[titles["Outcome"]].startswith('"will order,')
    assert "quality" in choices[titles["Reason given"]].strip('"').split(",")
    assert all(len(formula) <= 255 for formula in choices.values())  # more, and Excel mends the file


@pytest.mark.parametrize(("language", "formatted"), [("zh", 'yyyy"年"m"月"d"日"'), ("en", "mmm d, yyyy")])
def test_numbers_and_days_are_such_and_text_is_text(language: Any, formatted: str) -> None:
    page = sheets(samples.message(language)).worksheets[0]
    row = {title.value: cell for title, cell in zip(page[1], page[2], strict=True)}
    value, day, phone = (
        row[read_words(REPORT.folder, language).gettext(label)] for label in ("Value", "Last order", "Phone")
    )
    assert (value.value, value.number_format) == (18230.55, "#,##0")
    assert (day.value, day.number_format) == (datetime(2017, 9, 25), formatted)
    assert (phone.value, phone.data_type, phone.number_format) == ("13812345678", "s", "@")


def test_text_that_looks_like_a_formula_stays_text() -> None:
    evil = ["=HYPERLINK(1)", "+1+1", "-1", "@SUM(A1)", "\t=1", '=cmd|" /C calc"!A0', "x\x00\x07y", "='"]
    rows = [{**row, "name": text} for row, text in zip(samples.call_first("en", 8), evil, strict=True)]
    content = attached(samples.message("en", samples.report_rows("en", call_first=rows)))
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        pages = [parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/sheet")]
    assert len(pages) == 4
    assert not [page for page in pages if b"<f>" in page or b"<f " in page]
    page = openpyxl.load_workbook(io.BytesIO(content))["Call list"]
    names = [page.cell(row, 3) for row in range(2, 10)]
    assert names[0].value == "=HYPERLINK(1)"
    assert {cell.data_type for cell in names} == {"s"}
    assert [cell.quotePrefix for cell in names[:4]] == [True] * 4  # nor a formula once somebody has edited it


def test_without_rows_there_is_none(language: str) -> None:
    formats = Formats(language, "CNY")  # type: ignore[arg-type]
    names = ("weekly_retention", "key_customer_alert", "monthly_tier_review", "quarterly_campaign_review")
    for name in names:
        file = load_report(name).file
        assert file.sheets
        nothing: dict[str, list[Any]] = {sheet.block: [] for sheet in file.sheets.values()}
        assert write_workbook(file, nothing, str, formats) is None
