"""Excel workbooks, old and new: one sheet, its cells as the text that a person sees in them."""

import csv
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import duckdb
import python_calamine
from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from winback.errors import WinbackError
from winback.extract.delimited import column_names, csv_relation
from winback.extract.packed import plain_file

Cell = int | float | str | bool | date | datetime | time | timedelta

_ERROR_CELL, _TEXT_CELL = b' t="e"', b' t="str"'
_COPY_BYTES = 1 << 20
# Excel stores and shows 15 digits; what a binary fraction has beyond them is noise.
_DIGITS = ".15g"


@dataclass(frozen=True)
class ExcelFile:
    """One workbook of which one sheet is a table."""

    path: Path
    sheet: str | None = None
    null_values: tuple[str, ...] = ()
    header_line: int = 1

    column_types: ClassVar[dict[str, str]] = {}  # all text

    @property
    def name(self) -> str:
        """Return the file's name."""
        return self.path.name

    def relation(self, engine: duckdb.DuckDBPyConnection, folder: Path) -> str:
        """Write the sheet as text and return a relation of it, without blank rows."""
        workbook = self._open(_with_errors_as_text(plain_file(self.path, folder), folder))
        rows = self._sheet(workbook).iter_rows()
        header = next(
            (row for number, row in enumerate(rows, start=1) if number >= self.header_line and any(row)), None
        )
        if header is None:
            raise WinbackError(
                f"{self.name}: the sheet holds no header at row {self.header_line} or below.",
                "correct sheet or header_line in winback.yml",
            )
        columns = tuple(column_names(map(cell_text, header), self.name))
        spool = folder / "sheet.csv"
        longest = 0
        with spool.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            for row in rows:
                longest = max(longest, writer.writerow(map(cell_text, row)))
        return csv_relation(engine, spool, columns, null_values=self.null_values, longest_row=4 * longest)

    def _open(self, path: Path) -> CalamineWorkbook:
        try:
            # By its content: a name would make Excel's old format and its new one fail for each other.
            with path.open("rb") as content:
                return python_calamine.load_workbook(content)
        except python_calamine.PasswordError:
            raise WinbackError(
                f"{self.name}: the workbook is locked by a password.", "ask for it without a password"
            ) from None
        except (python_calamine.CalamineError, OSError) as error:
            raise WinbackError(
                f"{self.name}: damaged, or no workbook ({error}).",
                "open it in Excel and save it again, or ask for it again; nothing of it was loaded",
            ) from None

    def _sheet(self, workbook: CalamineWorkbook) -> CalamineSheet:
        """Return the stated sheet, or the only visible one that is not empty."""
        if self.sheet is not None:
            if self.sheet not in workbook.sheet_names:
                raise WinbackError(
                    f"{self.name}: no sheet {self.sheet!r}. It has: {', '.join(workbook.sheet_names)}.",
                    "correct sheet in winback.yml",
                )
            return workbook.get_sheet_by_name(self.sheet)
        visible = [
            workbook.get_sheet_by_name(sheet.name)
            for sheet in workbook.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
        ]
        filled = [sheet for sheet in visible if sheet.height > 0]
        if len(filled) != 1:
            names = ", ".join(sheet.name for sheet in filled)
            raise WinbackError(
                f"{self.name}: {len(filled)} sheets hold data where one is expected{names and f': {names}'}.",
                "state the sheet in winback.yml, e.g. `sheet: 订单`",
            )
        return filled[0]


def cell_text(cell: Cell) -> str:
    """Return a cell as a person sees it: whole numbers plain, dates ISO, no exponent, no binary noise."""
    match cell:
        case bool():
            text = str(cell).lower()
        case float() if cell.is_integer():
            text = str(int(cell))
        case float():
            text = format(Decimal(format(cell, _DIGITS)), "f")
        case datetime():
            text = _rounded(cell).isoformat(sep=" ")
        case date() | time():
            text = cell.isoformat()
        case timedelta():
            minutes, seconds = divmod(round(cell.total_seconds()), 60)
            text = f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
        case _:
            text = str(cell)
    return text


def _rounded(moment: datetime) -> datetime:
    """Return a moment in full milliseconds: Excel counts days in binary fractions."""
    return moment.replace(microsecond=0) + timedelta(milliseconds=round(moment.microsecond / 1000))


def _with_errors_as_text(path: Path, folder: Path) -> Path:
    """Return a workbook whose error cells (#N/A) are text, which the reader would show as empty.

    In the new format that is one word of a cell's XML. The old one keeps no text of an error.
    """
    if not zipfile.is_zipfile(path):
        return path
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
        if not any(_ERROR_CELL in piece for name in sheets for piece in _pieces(archive, name)):
            return path
        target = folder / "without_errors.xlsx"
        with zipfile.ZipFile(target, "w") as copy:
            for name in archive.namelist():
                with copy.open(name, "w") as out:
                    if name in sheets:
                        for piece in _pieces(archive, name):
                            out.write(piece.replace(_ERROR_CELL, _TEXT_CELL))
                    else:
                        with archive.open(name) as member:
                            shutil.copyfileobj(member, out)
    return target


def _pieces(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yield a member in pieces that end after a tag, so that no tag is cut."""
    rest = b""
    with archive.open(name) as member:
        while chunk := member.read(_COPY_BYTES):
            *_, tail = (rest + chunk).rpartition(b">")
            yield (rest + chunk)[: len(rest) + len(chunk) - len(tail)]
            rest = tail
    yield rest
