"""Lists as files that a tool picks up: there at once and whole, or not at all.

Text from the data stays text whatever it begins with, so that no spreadsheet computes it.
"""

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from winback.config_types import Language
from winback.errors import WinbackError
from winback.report.definition import Column, ReportFile, Sheet
from winback.report.language import Formats
from winback.report.workbook import LOOKS_LIKE_A_FORMULA, write_workbook

Values = Mapping[str, Any]

# A number is no formula, nor is +86 138 0000 0000.
_A_NUMBER = re.compile(r"[+-]?[0-9][0-9 .]*")
_SHEET = "list"


def csv_of(rows: Sequence[Values]) -> bytes:
    """Return rows as CSV in UTF-8, with the mark by which Excel knows it."""
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, list(rows[0]))
    writer.writerow({title: _as_text(title) for title in rows[0]})
    writer.writerows({title: _as_text(value) for title, value in row.items()} for row in rows)
    return written.getvalue().encode("utf-8-sig")


def workbook_of(rows: Sequence[Values], language: Language, currency: str) -> bytes:
    """Return rows as a workbook of one sheet."""
    columns = {title: Column(label=title, unit=_unit([row[title] for row in rows])) for title in rows[0]}
    file = ReportFile(title=_SHEET, sheets={_SHEET: Sheet(label=_SHEET, block=_SHEET, columns=columns)})
    written = write_workbook(file, {_SHEET: rows}, lambda text: text, Formats(language, currency))
    assert written is not None  # there are rows
    return written


def put(folder: Path, name: str, content: bytes) -> None:
    """Put a file into a folder, over an older one of its name; nobody ever sees half of it.

    Raises:
        WinbackError: it cannot be written.
    """
    unfinished = folder / f".{name}.part"
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(folder / name)
    except OSError as error:
        raise WinbackError(
            f"{folder / name}: cannot be written ({error.strerror}).",
            "see that the folder is there, has room, and that Winback may write into it",
        ) from None


def _as_text(value: Any) -> str:
    text = "" if value is None else str(value)
    if text.lstrip().startswith(LOOKS_LIKE_A_FORMULA) and not _A_NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def _unit(values: Sequence[Any]) -> Literal["text", "count", "money", "day"]:
    known = next((value for value in values if value is not None), "")
    if isinstance(known, date | datetime):
        return "day"
    if isinstance(known, int):
        return "count"
    return "text" if isinstance(known, str) else "money"
