"""Histories of dirty files, and the files themselves: delivered by a source, exported, mended by a person."""

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import openpyxl
from hypothesis import strategies as st

from tests.company import days_after
from tests.property.dirty_rows import (
    DELETED,
    MARK,
    NEVER_THERE,
    NOON,
    ORDER_NUMBERS,
    SHEETS,
    Row,
    Sheet,
    clean_row,
    dirtied,
)

FILES = 5  # dirty files in a history
Slot = tuple[str, int]  # feed and day: what a file's name says

NUMBERS = {
    "orders": [(number,) for number in ORDER_NUMBERS],
    "order_lines": [(number, line) for number in (*ORDER_NUMBERS, NEVER_THERE) for line in ("1", "2")],
    "complaints": [("T1",), ("007",), ("T-3",)],
}
MENDINGS = st.tuples(
    st.sampled_from(["every row", "half the rows", "half the rows, the others left as they are"]),
    st.sampled_from(["whole rows", "only the slips"]),
    st.sampled_from([".xlsx", ".csv"]),
    st.randoms(use_true_random=False),
)


@dataclass(frozen=True)
class DirtyFile:
    """One file as a source delivers it, and what a person does after it was loaded."""

    feed: str
    day: int
    rows: tuple[Row, ...]
    is_workbook: bool
    encoding: str
    mending: Any  # None: nothing is mended yet

    @property
    def slot(self) -> Slot:
        return self.feed, self.day

    @property
    def name(self) -> str:
        return f"{self.feed}_{days_after(self.day)}.csv"

    def content(self, *, is_clean: bool = False) -> bytes:
        """Return the file's bytes, as written or as it should have been."""
        headers = SHEETS[self.feed].headers
        table = [[*headers.values(), DELETED, MARK]]
        for row in self.rows:
            texts = row.clean if is_clean else row.written
            table.append([*texts.values(), "Y" if row.is_deleted else "", row.mark])
        return as_workbook(table) if self.is_workbook else as_csv(table, self.encoding)


@dataclass(frozen=True)
class History:
    """Files in the order in which they come, and how the rows that still wait are mended in the end."""

    files: tuple[DirtyFile, ...]
    encoding: str | None
    learns: bool  # the mapping learns the company's own words for a status
    discards: bool
    mendings: tuple[Any, ...]

    def clean(self) -> dict[Slot, DirtyFile]:
        """Return one file per slot: a file that comes again has the same rows, written otherwise."""
        return {file.slot: file for file in self.files}


@st.composite
def histories(draw: Any, feeds: tuple[str, ...]) -> History:
    """Draw files of a few days; a day that is drawn twice has its file delivered again, written otherwise.

    Not three times, a known limit: a file that is again what it was two deliveries before does not make
    those of its rows that were mended newer than what came in between.
    """
    day = st.tuples(st.sampled_from(feeds), st.integers(0, 3))
    days = st.lists(day, min_size=FILES, max_size=FILES)
    slots = draw(days.filter(lambda slots: max(Counter(slots).values()) <= 2))
    if draw(st.booleans()):
        slots.sort(key=lambda slot: slot[1])
    clean: dict[Slot, list[Row]] = {}
    for feed in feeds:
        days = sorted({day for name, day in slots if name == feed})
        clean |= {(feed, day): rows for day, rows in draw(clean_rows(SHEETS[feed], days, slots)).items()}
    is_workbook = draw(st.booleans())
    stated = draw(st.sampled_from([None, "utf-8", "gb18030"]))
    written: dict[str, Row] = {}
    files, seen = [], set()
    for feed, day in slots:
        sheet, rows = SHEETS[feed], clean[feed, day]
        # A row that is delivered once more is written as before, unless its whole file is.
        for row in {row.mark: row for row in rows}.values():
            if (feed, day) in seen or row.mark not in written:
                written[row.mark] = draw(dirtied(sheet, row, at_least=0))
        if not any(written[row.mark].is_bad for row in rows):
            row = draw(st.sampled_from(rows))
            written[row.mark] = draw(dirtied(sheet, row, at_least=1))
        seen.add((feed, day))
        files.append(
            DirtyFile(
                feed=feed,
                day=day,
                rows=tuple(written[row.mark] for row in rows),
                is_workbook=is_workbook,
                encoding=stated or draw(st.sampled_from(["utf-8", "utf-8-sig", "gb18030"])),
                mending=draw(st.none() | MENDINGS),
            )
        )
    return History(
        files=tuple(files),
        encoding=stated,
        learns=draw(st.booleans()),
        discards=draw(st.integers(0, 3)) == 0,
        mendings=tuple(draw(st.lists(MENDINGS, max_size=2))),
    )


@st.composite
def clean_rows(draw: Any, sheet: Sheet, days: list[int], slots: list[Slot]) -> dict[int, list[Row]]:
    """Draw the rows of some days: several versions of few keys, some of them the same again."""
    marks = count(1)
    pool = draw(st.lists(sheet.values, min_size=1, max_size=3))
    # Where only some versions of a key have a stamp, stamps must agree with the order of delivery: else one
    # version could be newer than another, which is newer than a third, which is newer than the first.
    ways = ["never", "always"] if len(set(slots)) < len(slots) else ["never", "always", "sometimes"]
    stamped = {
        key: draw(st.sampled_from(ways)) if sheet.has_stamps else "never" for key in NUMBERS[sheet.feed]
    }
    files: dict[int, list[Row]] = {}
    known: list[Row] = []
    for day in days:
        rows: list[Row] = []
        for place in range(draw(st.integers(1, 5))):
            again = draw(st.sampled_from(known)) if known and draw(st.integers(0, 3)) == 0 else None
            if again and (stamped[sheet.key_of(again)] != "sometimes" or again.stamp is None):
                rows.append(again)
                continue
            key = draw(st.sampled_from(NUMBERS[sheet.feed]))
            stamp: datetime | None = None
            if stamped[key] == "always":
                stamp = NOON + timedelta(hours=draw(st.integers(0, 4)))
            elif stamped[key] == "sometimes" and draw(st.booleans()):
                stamp = NOON + timedelta(days=day, hours=place)
            values = draw(st.sampled_from(pool)) | dict(zip(sheet.key, key, strict=True))
            rows.append(clean_row(sheet, f"{sheet.feed}-{next(marks)}", values | {"updated_at": stamp}))
            known.append(rows[-1])
        files[day] = rows
    return (
        _deleted(sheet, files, draw(st.sets(st.sampled_from(NUMBERS[sheet.feed]))))
        if sheet.has_stamps
        else files
    )


def _deleted(sheet: Sheet, files: dict[int, list[Row]], keys: set[tuple[str, ...]]) -> dict[int, list[Row]]:
    """Mark some keys as deleted by their newest version, where that version is delivered once."""
    every = [(day, place, row) for day, rows in files.items() for place, row in enumerate(rows)]
    gone = set()
    for key in keys:
        versions = [version for version in every if sheet.key_of(version[2]) == key]
        if versions:
            mark = newest((version[:2], version[2]) for version in versions)[1].mark
            if sum(row.mark == mark for _, _, row in every) == 1:
                gone.add(mark)
    return {
        day: [replace(row, is_deleted=True) if row.mark in gone else row for row in rows]
        for day, rows in files.items()
    }


def newest(versions: Iterable[tuple[Any, Row]]) -> tuple[Any, Row]:
    """Return the newest of some versions of a key, each with when and where it was delivered."""
    best: tuple[Any, Row] | None = None
    for version in versions:
        if best is None or is_newer(version, best):
            best = version
    assert best is not None
    return best


def is_newer(one: tuple[Any, Row], other: tuple[Any, Row]) -> bool:
    """Tell whether one version is newer: by its stamp if both have one and differ, else by its delivery."""
    stamps = one[1].stamp, other[1].stamp
    if None not in stamps and stamps[0] != stamps[1]:
        return stamps[0] > stamps[1]  # type: ignore[operator]
    return bool(one[0] > other[0])


def as_csv(table: list[list[str]], encoding: str) -> bytes:
    """Return a table as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    return text.getvalue().encode(encoding)


def as_workbook(table: list[list[str]]) -> bytes:
    """Return a table as a workbook, whose cells are text except for plain numbers and moments."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for number, row in enumerate(table, start=1):
        for column, text in enumerate(row, start=1):
            cell = sheet.cell(number, column)
            if text:
                cell.value = text
                cell.data_type = "s"  # "=1+1" is no formula
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()


def read_table(file: Path) -> list[dict[str, str]]:
    """Read an exported file; every cell is text."""
    if file.suffix == ".csv":
        rows = list(csv.reader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline="")))
    else:
        sheet = openpyxl.load_workbook(file).active
        assert sheet is not None
        rows = [["" if cell is None else cell for cell in row] for row in sheet.iter_rows(values_only=True)]
        assert all(isinstance(cell, str) for row in rows for cell in row)
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def write_table(file: Path, table: list[dict[str, str]]) -> None:
    """Write a mended file over the exported one, as a spreadsheet program saves it."""
    rows = [list(table[0]), *(list(line.values()) for line in table)]
    file.write_bytes(as_csv(rows, "utf-8-sig") if file.suffix == ".csv" else as_workbook(rows))
