"""Rows that wait, as a workbook or CSV that a person mends; `winback quarantine replay` reads it back."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from winback.config import Settings
from winback.errors import WinbackError
from winback.load.waiting import OWN_COLUMNS
from winback.quarantine.rows import TEXT_OF_ROW, in_reading_order

Row = dict[str, str | None]

_WIDTH = 18  # characters: what a column of a workbook shows


def export_rows(
    connection: psycopg.Connection[Any], settings: Settings, feed: str, source_id: str, target: Path
) -> int:
    """Write the rows of a source that wait, oldest first, into a new file and return how many.

    Every cell is text, as the source wrote it: zeros in front stay, and nothing is taken for a formula.

    Raises:
        WinbackError: nothing waits, the file is there already, or its name ends neither in .xlsx nor in .csv.
    """
    if target.suffix not in (".xlsx", ".csv"):
        raise WinbackError(
            f"{target.name}: neither a workbook nor CSV.", "give a name that ends in .xlsx or .csv"
        )
    if target.exists():
        raise WinbackError(f"{target}: is there already.", "give another name, or remove it first")
    rows = list(_rows(connection, feed, source_id))
    if not rows:
        raise WinbackError(f"{feed} from {source_id}: no row waits.", "winback quarantine list")
    present = {name for row in rows for name in row} - set(OWN_COLUMNS)
    header = [*OWN_COLUMNS, *in_reading_order(settings, feed, source_id, present)]
    write = _write_workbook if target.suffix == ".xlsx" else _write_csv
    write(target, header, ([row.get(name) for name in header] for row in rows))
    return len(rows)


def _rows(connection: psycopg.Connection[Any], feed: str, source_id: str) -> Iterator[Row]:
    found = connection.execute(
        sql.SQL(
            "select quarantine_id::text, array_to_string(reasons, ', '), business_day::text, {} from {}"
            " where source_id = %s and state = 'open' order by business_day, load_batch_id, row_number"
        ).format(TEXT_OF_ROW, sql.Identifier("quarantine", feed)),
        [source_id],
    )
    for *own, values in found:
        yield {**values, **dict(zip(OWN_COLUMNS, own, strict=True))}


def _write_csv(target: Path, header: list[str], rows: Iterator[list[str | None]]) -> None:
    # With a mark, or Excel takes it for the machine's own encoding.
    with target.open("x", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _write_workbook(target: Path, header: list[str], rows: Iterator[list[str | None]]) -> None:
    from openpyxl import Workbook  # noqa: PLC0415
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    from openpyxl.styles import Font, PatternFill  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("quarantine")
    sheet.freeze_panes = f"{get_column_letter(len(OWN_COLUMNS) + 1)}2"
    for number in range(1, len(header) + 1):
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTH

    def cell(value: str | None, *, own: bool) -> WriteOnlyCell:
        made = WriteOnlyCell(sheet, value=None)
        if value is not None:
            made.value = value
            made.data_type = "s"  # text, whatever it begins with
        made.number_format = "@"
        if own:
            made.fill = PatternFill("solid", fgColor="EEF2F7")
        return made

    titles = [cell(name, own=name in OWN_COLUMNS) for name in header]
    for title in titles:
        title.font = Font(bold=True)
    sheet.append(titles)
    for row in rows:
        sheet.append([cell(value, own=name in OWN_COLUMNS) for name, value in zip(header, row, strict=True)])
    workbook.save(target)
