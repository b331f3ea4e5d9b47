"""Find out how a user's files are read: names, encoding, delimiter, header line, sheets, null words."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path

import duckdb
import python_calamine

from winback.config import FeedSource
from winback.errors import WinbackError
from winback.extract.conversions import quoted
from winback.extract.encodings import detect, read_text
from winback.extract.excel import Cell, cell_text
from winback.extract.files import find_files, open_file
from winback.extract.packed import kind_of, plain_file
from winback.onboarding.measure import found_null_words
from winback.onboarding.samples import (
    SourceTable,
    SystemNames,
    SystemProposal,
    column_types,
    sample_of,
    view_of,
)

_SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".parquet")
_PACKED = (".gz", ".xz", ".zip")
_DELIMITERS = (",", "\t", ";", "|")
_HEAD_LINES = 50
_SURE_ENCODING = 0.9
_DAYS_IN_NAMES = {r"\d{4}-\d{2}-\d{2}": "%Y-%m-%d", r"\d{4}_\d{2}_\d{2}": "%Y_%m_%d", r"\d{8}": "%Y%m%d"}


def open_folder(
    engine: duckdb.DuckDBPyConnection, work: Path, folder: Path, paths: list[Path], names: SystemNames
) -> Iterator[SourceTable]:
    """Yield a table per kind of file: files whose names differ by their day only are one.

    Raises:
        WinbackError: none of the files is of a kind that can be read, or one cannot be read.
    """
    readable = [path for path in paths if path.is_file() and _is_table(path)]
    if not readable:
        raise WinbackError(
            f"{folder}: no file ending in {', '.join(_SUFFIXES)} (also packed: {', '.join(_PACKED)}).",
            "name the files themselves, or another folder",
        )
    system = names.system(str(folder), folder.name, SystemProposal("", "files", folder=folder))
    for pattern in name_patterns([path.name for path in readable]):
        found = find_files(folder, pattern)
        own = work / f"{system.name}_{len(list(work.iterdir()))}"
        own.mkdir()
        yield from _open_group(engine, own, system, pattern, [file.path for file in found])


def name_patterns(names: list[str]) -> list[str]:
    """Return the patterns of a folder's files: one for names that differ by a day or by other digits only."""
    dated = {name: dated_pattern(name) for name in names}
    starred = {name: re.sub(r"\d+", "*", name) for name in names if dated[name] == name}
    for name, pattern in starred.items():
        alike = {other for other, its in starred.items() if its == pattern}
        matching = {other for other in names if fnmatchcase(other, pattern)}
        if len(alike) > 1 and alike == matching:
            dated[name] = pattern
    return list(dict.fromkeys(dated.values()))


def dated_pattern(name: str) -> str:
    """Return a file name with the day in it, if there is one, as strftime codes."""
    for digits, codes in _DAYS_IN_NAMES.items():
        if (match := re.search(rf"(?<!\d){digits}(?!\d)", name)) and _is_day(match[0], codes):
            return f"{name[: match.start()]}{codes}{name[match.end() :]}"
    return name


def find_delimiter(lines: list[str]) -> str:
    """Return the sign that splits most lines into the same number of fields, and into the most of them."""

    def fields(delimiter: str) -> tuple[int, int]:
        width, times = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter)).most_common(1)[0]
        return (times if width > 1 else 0, width)

    return max(_DELIMITERS, key=fields)


def find_header(rows: list[list[str]]) -> int:
    """Return the number of the line that names the columns: the first that is as wide as the table.

    Lines above it, such as a title or a period, fill fewer cells.
    """
    widths = [sum(1 for cell in row if cell.strip()) for row in rows]
    usual = max(widths, default=0)
    full = [number for number, width in enumerate(widths, start=1) if width >= max(2, usual * 0.8)]
    return full[0] if full else 1


def _is_table(path: Path) -> bool:
    stem = path.with_suffix("") if path.suffix.lower() in _PACKED else path
    return stem.suffix.lower() in _SUFFIXES and not path.name.startswith((".", "~$"))


def _is_day(text: str, codes: str) -> bool:
    try:
        return datetime.strptime(text, codes).year > 1990  # noqa: PLR2004 -- no export is older
    except ValueError:
        return False


def _open_group(
    engine: duckdb.DuckDBPyConnection, work: Path, system: SystemProposal, pattern: str, paths: list[Path]
) -> Iterator[SourceTable]:
    """Open the newest file of a group, every sheet of it, and say how many more there are."""
    newest = paths[-1]
    notes = (f"{len(paths)} files; looked at the newest, {newest.name}",) if len(paths) > 1 else ()
    reading: dict[str, object] = {"files": pattern}
    match kind_of(newest):
        case "text":
            detection = detect(newest)
            keys = _text_keys(newest, detection.encoding)
            certainty = f"encoding {detection.encoding}: {detection.confidence:.0%} sure, {detection.reason}"
            table = _open(engine, work, system, newest, reading | keys, notes=(*notes, certainty))
            doubts = (f"{certainty}; do names look right?",) if detection.confidence < _SURE_ENCODING else ()
            yield replace(table, doubts=doubts)
        case "parquet":
            yield _open(engine, work, system, newest, reading, notes=notes)
        case "workbook":
            for number, (sheet, header_line) in enumerate(_sheets(newest, work)):
                own = work / str(number)
                own.mkdir()
                keys = _sheet_keys(sheet, header_line)
                yield _open(engine, own, system, newest, reading | keys, notes=notes)


def _text_keys(path: Path, encoding: str) -> dict[str, object]:
    """Find a text file's delimiter and header line: what is usual is not stated."""
    lines = _head(path, encoding)
    delimiter = find_delimiter(lines)
    header_line = find_header(list(csv.reader(lines, delimiter=delimiter)))
    keys: dict[str, object] = {"encoding": encoding}
    if delimiter != ",":
        keys["delimiter"] = delimiter
    if header_line > 1:
        keys["header_line"] = header_line
    return keys


def _head(path: Path, encoding: str) -> list[str]:
    """Return the first lines of a text file; the last may be cut short."""
    return next(read_text(path, encoding), "").splitlines(keepends=True)[:_HEAD_LINES]


def _sheets(path: Path, work: Path) -> list[tuple[str | None, int]]:
    """Return the sheets of a workbook that hold a table, with the line of their header."""
    with plain_file(path, work).open("rb") as content:
        workbook = python_calamine.load_workbook(content)
        found: list[tuple[str | None, int]] = []
        for name in workbook.sheet_names:
            rows = [[cell_text(cell) for cell in row] for row in islice(_rows(workbook, name), _HEAD_LINES)]
            if len(rows) > 1:
                found.append((name, find_header(rows)))
    return [(None, found[0][1])] if len(found) == 1 else found


def _rows(workbook: python_calamine.CalamineWorkbook, sheet: str) -> Iterator[list[Cell]]:
    yield from workbook.get_sheet_by_name(sheet).iter_rows()


def _sheet_keys(sheet: str | None, header_line: int) -> dict[str, object]:
    keys: dict[str, object] = {"sheet": sheet} if sheet is not None else {}
    return keys | ({"header_line": header_line} if header_line > 1 else {})


def _open(
    engine: duckdb.DuckDBPyConnection,
    work: Path,
    system: SystemProposal,
    path: Path,
    reading: dict[str, object],
    *,
    notes: tuple[str, ...],
) -> SourceTable:
    """Open one file or sheet; null words that its columns show are read as null from then on."""
    name = f"{path.name}, sheet {reading['sheet']}" if "sheet" in reading else path.name
    table = _relation(engine, work / "first", path, reading, SourceTable(name, system, {}, "", "", True, {}))
    words = found_null_words(engine, quoted(table.sample), tuple(table.types))
    if words:
        reading = reading | {"null_values": words}
        table = _relation(engine, work / "second", path, reading, table)
    return replace(table, reading=reading, notes=notes)


def _relation(
    engine: duckdb.DuckDBPyConnection,
    work: Path,
    path: Path,
    reading: dict[str, object],
    table: SourceTable,
) -> SourceTable:
    work.mkdir()
    try:
        rows = view_of(engine, open_file(path, _source(reading)).relation(engine, work))
        return replace(
            table, types=column_types(engine, quoted(rows)), rows=rows, sample=sample_of(engine, quoted(rows))
        )
    except duckdb.Error as error:
        # DuckDB quotes the line, which may be personal.
        line = re.search(r"Line: (\d+)", str(error))
        raise WinbackError(
            f"{path.name}: cannot be read{f' at line {line[1]}' if line else ''}.",
            "check its delimiter and quotes there; is the number of fields the same in every line?",
        ) from None


def _source(reading: dict[str, object]) -> FeedSource:
    return FeedSource.model_validate({"source": "sample", "columns": {}, **reading})
