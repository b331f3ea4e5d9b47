"""Delimited text files: CSV and its relatives in any encoding and compression.

The text is decoded and looked through once, in pieces that end where a row ends, and written as UTF-8 for
DuckDB. All lines up to the header become blank ones, so that line numbers stay those of the file.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import ClassVar

import duckdb

from winback.errors import WinbackError
from winback.extract.conversions import literal, quoted
from winback.extract.encodings import certain, empty_file, read_text

_DELIMITERS = (",", ";", "\t", "|")
_CONFLICT_MARKS = ("<<<<<<< ", ">>>>>>> ", "=======\n")
# DuckDB's buffer must hold the longest row, and what it holds at once grows with the buffer: so it is small
# unless a row is long.
_USUAL_ROW_BYTES = 2_000_000
# DuckDB drops surplus fields at a row's end that are null, and so would hide a row that slipped to the right:
# for it nothing is null, and what is becomes so afterwards.
_NO_NULL = "\x01\x02"
_MAX_ROW_BYTES = 20_000_000


@dataclass(frozen=True)
class _Spool:
    """A delimited file as UTF-8 text, and what was learned while writing it."""

    path: Path
    columns: tuple[str, ...]
    delimiter: str
    longest_row: int


@dataclass
class DelimitedFile:
    """One delimited file; what is not stated is found out from its content."""

    path: Path
    encoding: str | None = None
    delimiter: str | None = None
    null_values: tuple[str, ...] = ()
    header_line: int = 1
    _spool: _Spool | None = field(default=None, init=False, repr=False)

    column_types: ClassVar[dict[str, str]] = {}  # all text

    @property
    def name(self) -> str:
        """Return the file's name."""
        return self.path.name

    def relation(self, engine: duckdb.DuckDBPyConnection, folder: Path) -> str:
        """Decode strictly to UTF-8 and return a relation of text columns, without blank rows."""
        self._spool = spool = self._write(folder / "text.utf8")
        return csv_relation(
            engine,
            spool.path,
            spool.columns,
            delimiter=spool.delimiter,
            null_values=self.null_values,
            longest_row=spool.longest_row,
        )

    def check_rows(self) -> None:
        """Find the rows that do not fit the header, once DuckDB has refused the file.

        DuckDB counts rows where a person counts lines, and quotes them: so they are read again, slowly.

        Raises:
            WinbackError: the line of the first such row, and how many there are.
        """
        if self._spool is None:
            return
        width = len(self._spool.columns)
        count, first = 0, (0, 0)
        csv.field_size_limit(_MAX_ROW_BYTES)
        with self._spool.path.open(encoding="utf-8", newline="") as text:
            rows = csv.reader(text, delimiter=self._spool.delimiter, strict=True)
            line = 1
            try:
                for row in rows:
                    if row and len(row) != width:
                        count += 1
                        first = first if count > 1 else (line, len(row))
                    line = rows.line_num + 1
            except csv.Error as error:
                if count == 0:
                    raise WinbackError(
                        f"{self.name}: the quotes of the row at line {line} do not match ({error}).",
                        'close them there, and write a quote inside a text twice (""); nothing was loaded',
                    ) from None
        if count:
            raise WinbackError(
                f"{self.name}: {first[1]} fields at line {first[0]} where the header has {width};"
                f" {count} such row(s) in all.",
                "mend those lines (a delimiter inside a text needs quotes around it), or correct delimiter or"
                " header_line in winback.yml; nothing of this file was loaded",
            )

    def _write(self, target: Path) -> _Spool:
        """Write the rows below the header as UTF-8, and refuse what is no row."""
        encoding = self.encoding or certain(self.path)
        texts = _without_lines(read_text(self.path, encoding), self.header_line - 1)
        pieces = whole_rows(texts, self.name, self.header_line)
        line, first = self.header_line, ""
        for first in pieces:
            line += len(first) - len(first.lstrip("\n"))
            if first := first.lstrip("\n"):
                break
        if not first:
            raise empty_file(self.path)
        end = _first_row_end(first)
        header = first[:end].strip("\n")
        delimiter = self.delimiter or find_delimiter(header)
        longest = 0
        with target.open("wb") as out:
            line += first.count("\n", 0, end)
            out.write(b"\n" * (line - 1))
            for piece in chain((first[end:],), pieces):
                self._refuse_foreign(piece, line, header)
                longest = max(longest, out.write(piece.encode()))
                line += piece.count("\n")
        return _Spool(target, tuple(self._names(header, delimiter)), delimiter, longest)

    def _refuse_foreign(self, piece: str, first_line: int, header: str) -> None:
        """Refuse whole rows of text that hold what no table holds, with the line."""

        def line(position: int) -> int:
            return first_line + piece.count("\n", 0, position)

        if (position := piece.find("\0")) >= 0:
            raise WinbackError(
                f"{self.name}: a NUL byte at line {line(position)}; no text column can hold it.",
                "export the file again, or take the byte out; nothing of this file was loaded",
            )
        for mark in _CONFLICT_MARKS:
            if (position := _find_line(piece, mark)) >= 0:
                raise WinbackError(
                    f"{self.name}: an unresolved merge ({mark.strip()}) at line {line(position)}.",
                    "decide between the two versions of the file; nothing of it was loaded",
                )
        for again in (header + "\n", "\ufeff" + header):
            if (position := _find_line(piece, again)) >= 0:
                raise WinbackError(
                    f"{self.name}: the header again at line {line(position)}: it looks pasted twice.",
                    "keep one copy, or take the second header out if the rows below it are others;"
                    " nothing of this file was loaded",
                )

    def _names(self, header: str, delimiter: str) -> list[str]:
        """Return the column names; two columns of one name cannot be told apart."""
        try:
            (cells,) = csv.reader(io.StringIO(header, newline=""), delimiter=delimiter, strict=True)
        except (csv.Error, ValueError):
            raise WinbackError(
                f"{self.name}: the quotes of the header do not match.",
                "correct the header, or header_line or delimiter in winback.yml",
            ) from None
        return column_names(cells, self.name)


def column_names(cells: Iterable[str], name: str) -> list[str]:
    """Return the names in a header: spaces and line breaks evened out; a cell without a name is `unnamed_3`.

    Raises:
        WinbackError: two columns of the table `name` have one name, but for capitals.
    """
    names = [" ".join(cell.replace("\ufeff", "").split()) for cell in cells]
    names = [name or f"unnamed_{number}" for number, name in enumerate(names, start=1)]
    plain = [name.lower() for name in names]
    if twice := [place for place, name in enumerate(plain, 1) if plain.count(name) > 1]:
        raise WinbackError(
            f"{name}: columns {', '.join(map(str, twice))} of the header have one name.",
            "give every column a name of its own; nothing of this file was loaded",
        )
    return names


def csv_relation(
    engine: duckdb.DuckDBPyConnection,
    spool: Path,
    columns: tuple[str, ...],
    *,
    delimiter: str = ",",
    null_values: tuple[str, ...] = (),
    longest_row: int = 0,
) -> str:
    """Return the relation of a UTF-8 file without a header: columns of text, empty as null, no blank rows."""
    if longest_row > _USUAL_ROW_BYTES:
        engine.execute("set threads = 1")  # every thread holds buffers of the longest row's size
    buffer = max(longest_row + 1, _USUAL_ROW_BYTES)
    types = ", ".join(f"{quoted(name)}: 'varchar'" for name in columns)
    nulls = ", ".join(map(literal, ("", *null_values)))
    values = ", ".join(
        f"case when {quoted(name)} in ({nulls}) then null else {quoted(name)} end as {quoted(name)}"
        if null_values
        else f"nullif({quoted(name)}, '') as {quoted(name)}"
        for name in columns
    )
    is_blank = " and ".join(f"{quoted(name)} = ''" for name in columns)
    return (
        f"(select {values} from read_csv({literal(str(spool))}, header = false, auto_detect = false,"
        f" columns = {{{types}}}, delim = {literal(delimiter)}, quote = '\"', escape = '\"',"
        f" nullstr = {literal(_NO_NULL)}, new_line = '\\n', max_line_size = {buffer}, buffer_size = {buffer})"
        f" where not ({is_blank}))"
    )


def find_delimiter(header: str) -> str:
    """Return the delimiter that a header has most of outside its quotes; a comma if it has none."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(_DELIMITERS, key=bare.count)


def whole_rows(texts: Iterable[str], name: str, first_line: int = 1) -> Iterator[str]:
    """Regroup text into pieces that end where a row ends: at a line end outside of quotes.

    Raises:
        WinbackError: a line is longer than 20 MB.
    """
    rest, line = "", first_line
    for text in texts:
        rest += text
        end = _last_row_end(rest)
        if not end and len(rest) > _MAX_ROW_BYTES:
            end = rest.rfind("\n") + 1  # a quote that nothing closes: line ends are all that is left
            if not end:
                raise WinbackError(
                    f"{name}: line {line} is longer than {_MAX_ROW_BYTES // 1_000_000} MB.",
                    "is this a delimited text file? Nothing of it was loaded",
                )
        if end:
            line += rest.count("\n", 0, end)
            yield rest[:end]
            rest = rest[end:]
    if rest:
        yield rest


def _last_row_end(text: str) -> int:
    """Return where the last whole row ends; 0 if there is none."""
    end = text.rfind("\n") + 1
    is_open = text.count('"', 0, end) % 2
    while end and is_open:
        start = text.rfind("\n", 0, end - 1) + 1
        is_open ^= text.count('"', start, end) % 2
        end = start
    return end


def _first_row_end(text: str) -> int:
    """Return where the first row ends, which may hold line ends in quotes."""
    end = text.find("\n")
    while end >= 0 and text.count('"', 0, end) % 2:
        end = text.find("\n", end + 1)
    return end + 1 if end >= 0 else len(text)


def _find_line(piece: str, start: str) -> int:
    """Return where a line outside of quotes begins like this; -1 if none does."""
    position = 0 if piece.startswith(start) else piece.find("\n" + start) + 1
    while position > 0 and piece.count('"', 0, position) % 2:
        position = piece.find("\n" + start, position) + 1
    return position if position > 0 or piece.startswith(start) else -1


def _without_lines(texts: Iterator[str], count: int) -> Iterator[str]:
    """Leave the first lines out."""
    for text in texts:
        lines = text.split("\n", count)
        count -= len(lines) - 1
        if count == 0:
            yield lines[-1]
            break
    yield from texts
