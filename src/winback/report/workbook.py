"""The workbook that a mail carries: every row of a list, to be filtered and filled in.

Text from the data is a text cell whatever it begins with, so that no spreadsheet computes it.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from winback.report.definition import Column, ReportFile, Sheet
from winback.report.language import Formats
from winback.report.query import Row

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

_FORMATS = {"text": "@", "count": "#,##0", "number": "0.0", "money": "#,##0", "rate": "0.0%"}
_DAYS = {"en": "mmm d, yyyy", "zh": 'yyyy"年"m"月"d"日"'}
_MONTHS = {"en": "mmm yyyy", "zh": 'yyyy"年"m"月"'}
LOOKS_LIKE_A_FORMULA = tuple("=+-@")
_ROWS_TO_FILL_IN = 1000  # below the list, for whoever adds a line


def write_workbook(
    file: ReportFile, blocks: Mapping[str, Sequence[Row]], gettext: Callable[[str], str], formats: Formats
) -> bytes | None:
    """Return the report's sheets that have rows, with filters and a frozen header; None if none has."""
    shown = [sheet for sheet in file.sheets.values() if blocks[sheet.block]]
    if not shown:
        return None
    # A third of a second to import: only whoever writes a workbook pays for it.
    from openpyxl import Workbook  # noqa: PLC0415

    workbook = Workbook(write_only=True)
    for sheet in shown:
        _write_sheet(workbook, file, sheet, blocks[sheet.block], gettext=gettext, formats=formats)
    written = io.BytesIO()
    workbook.save(written)
    return written.getvalue()


def _write_sheet(
    workbook: "Workbook",
    file: ReportFile,
    sheet: Sheet,
    rows: Sequence[Row],
    *,
    gettext: Callable[[str], str],
    formats: Formats,
) -> None:
    from openpyxl.utils import get_column_letter  # noqa: PLC0415
    from openpyxl.worksheet.datavalidation import DataValidation  # noqa: PLC0415

    page = workbook.create_sheet(gettext(sheet.label))
    last = get_column_letter(len(sheet.columns))
    page.freeze_panes = "B2"
    page.auto_filter.ref = f"A1:{last}{len(rows) + 1}"
    cells = _Cells(page, formats)
    for number, column in enumerate(sheet.columns.values(), start=1):
        letter = get_column_letter(number)
        page.column_dimensions[letter].width = column.width
        if column.choices is not None:
            words = ",".join(gettext(word) for word in file.words[column.choices].values())
            choice = DataValidation("list", formula1=f'"{words}"', allow_blank=True, showErrorMessage=False)
            choice.add(f"{letter}2:{letter}{len(rows) + 1 + _ROWS_TO_FILL_IN}")
            page.data_validations.append(choice)
    page.append([cells.title(gettext(column.label), column) for column in sheet.columns.values()])
    for row in rows:
        values = {name: None if column.is_filled_in else row[name] for name, column in sheet.columns.items()}
        page.append(
            [
                cells.value(_word(file, column, values[name], gettext), column)
                for name, column in sheet.columns.items()
            ]
        )


def _word(file: ReportFile, column: Column, value: Any, gettext: Callable[[str], str]) -> Any:
    """Return a code's word, and a list as one text; anything else as it is."""
    if isinstance(value, list):
        return gettext(", ").join(value)
    if column.words is None or value is None:
        return value
    return gettext(file.words[column.words][value]) if value in file.words[column.words] else value


class _Cells:
    """Make the cells of one sheet."""

    def __init__(self, page: "WriteOnlyWorksheet", formats: Formats) -> None:
        from openpyxl.styles import Font, PatternFill  # noqa: PLC0415

        self.page = page
        self.formats = {**_FORMATS, "day": _DAYS[formats.language], "month": _MONTHS[formats.language]}
        self.bold = Font(bold=True)
        self.to_fill_in = PatternFill("solid", fgColor="FEF3C7")

    def title(self, text: str, column: Column) -> Any:
        """Return a cell of the header."""
        made = self._cell(text)
        made.font = self.bold
        if column.is_filled_in:
            made.fill = self.to_fill_in
        return made

    def value(self, value: Any, column: Column) -> Any:
        """Return a cell of a row, in the unit of its column."""
        made = self._cell(value)
        made.number_format = self.formats["text" if isinstance(value, str) else column.unit]
        if column.is_filled_in:
            made.fill = self.to_fill_in
        return made

    def _cell(self, value: Any) -> Any:
        from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415

        made = WriteOnlyCell(self.page, value=None)
        made.value = ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
        if isinstance(value, str):
            made.data_type = "s"  # text, whatever it begins with
            made.quotePrefix = value.startswith(LOOKS_LIKE_A_FORMULA)  # and after somebody has edited it
        return made
