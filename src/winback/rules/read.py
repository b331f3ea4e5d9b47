"""Read one file of rules: every cell by its column's type, every problem with its line."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from winback.paths import DBT_PROJECT
from winback.rules.problems import Problem, did_you_mean
from winback.rules.seeds import Seed


@dataclass(frozen=True)
class Row:
    """One row of a seed: the cells that could be read, where it stands, and whose it is."""

    seed: Seed
    cells: Mapping[str, Any]
    file: str
    line: int
    is_company: bool

    def __getitem__(self, column: str) -> Any:
        return self.cells[column]

    @property
    def key(self) -> tuple[Any, ...]:
        """Return what no other row of the seed may share; None stands for a cell that cannot be read."""
        return tuple(self.cells.get(column) for column in self.seed.key)

    @property
    def is_whole(self) -> bool:
        """Tell whether every cell could be read."""
        return len(self.cells) == len(self.seed.columns)

    def problem(self, said: str) -> Problem:
        """Return something that is wrong with the row."""
        return Problem(self.file, self.line, said)


@dataclass(frozen=True)
class Reading:
    """The rows of a file, and what is wrong with it."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]


def read_rules(file: Path, seed: Seed, *, is_company: bool) -> Reading:
    """Read a file of rules; it is UTF-8 with or without a byte order mark, its columns in any order."""
    place = place_of(file)
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        # DuckDB comes with it: only for who has to be told.
        from winback.extract.encodings import detect  # noqa: PLC0415

        looks = detect(file).encoding
        return Reading((), (Problem(place, 1, f"not UTF-8 but {looks}, it seems; save it as CSV in UTF-8"),))
    problems: list[Problem] = []
    rows: list[Row] = []
    lines = _lines(text)
    try:
        _, header = next(lines, (1, []))
        problems += (Problem(place, 1, said) for said in _header_problems(header, seed))
        if problems:
            return Reading((), tuple(problems))
        for line, values in lines:
            if len(values) != len(header):
                problems.append(
                    Problem(place, line, f"{len(values)} cells, but the header has {len(header)}")
                )
                continue
            cells: dict[str, Any] = {}
            for name, value in zip(header, values, strict=True):
                try:
                    cells[name] = seed.columns[name].read(value)
                except ValueError as error:
                    problems.append(Problem(place, line, f"{name} {error}"))
            rows.append(Row(seed, cells, place, line, is_company))
    except csv.Error as error:
        problems.append(Problem(place, 0, f"no valid CSV: {error}"))
    return Reading(tuple(rows), (*problems, *_repeated_keys(rows)))


def place_of(file: Path) -> str:
    """Return how messages call a file: from the dbt project on, if it lies there."""
    return str(file.relative_to(DBT_PROJECT) if file.is_relative_to(DBT_PROJECT) else file)


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield every record that is not blank, with the line that it begins on; the header's names are bare."""
    reader, begins = csv.reader(io.StringIO(text), strict=True), 1
    is_header = True
    for values in reader:
        if any(map(str.strip, values)):
            yield begins, [value.strip() for value in values] if is_header else values
            is_header = False
        begins = reader.line_num + 1


def _header_problems(header: list[str], seed: Seed) -> Iterator[str]:
    for name in seed.columns:
        if header.count(name) != 1:
            yield f"column {name} is missing" if name not in header else f"column {name} comes twice"
    for name in header:
        if name not in seed.columns:
            yield f"no such column {name!r}{did_you_mean(name, seed.columns)}"


def _repeated_keys(rows: list[Row]) -> Iterator[Problem]:
    seen: dict[tuple[Any, ...], int] = {}
    for row in rows:
        if None in row.key:
            continue
        if row.key in seen:
            yield row.problem(f"the same {', '.join(row.seed.key)} as line {seen[row.key]}")
        seen.setdefault(row.key, row.line)
