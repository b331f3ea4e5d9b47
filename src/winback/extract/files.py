"""Read a feed from delimited files in a folder, each file once.

A file is decoded strictly to UTF-8, read as text by DuckDB, shaped by the optional `query`, and
converted column by column. A value that does not convert is named in `unread` and kept in
`source_text`; the checks find it there, so that nothing is dropped silently.
"""

import csv
import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal, cast

import duckdb

from winback import paths
from winback.config import FeedSource, FileSystem
from winback.errors import WinbackError
from winback.extract import SOURCE_TEXT, UNREAD, CopyData, SourceFile
from winback.extract.conversions import as_type, literal, quoted
from winback.extract.encodings import decode
from winback.feeds import Feed

_CHUNK_BYTES = 1 << 20
_MAX_LINE_BYTES = 20_000_000


@dataclass(frozen=True)
class DatedFile:
    """A file that matches a source's pattern, with the business day that its name states, if any."""

    path: Path
    day: date | None


def find_files(folder: Path, pattern: str) -> list[DatedFile]:
    """List the files of a folder that match a pattern, oldest name first.

    `*` and `?` stand for any characters; strftime codes (`%Y-%m-%d`) state the business day.
    """
    expression = re.compile(_pattern_to_regex(pattern))
    stamp = "".join(re.findall(r"%[YmdyjHM]", pattern))
    found = []
    for path in sorted(_absolute(folder).iterdir() if _absolute(folder).is_dir() else []):
        match = expression.fullmatch(path.name)
        if not match or not path.is_file():
            continue
        try:
            day = datetime.strptime("".join(match.groups()), stamp).date() if stamp else None
        except ValueError:
            continue  # digits in the right places that are no date: another file
        found.append(DatedFile(path, day))
    return found


def _absolute(folder: Path) -> Path:
    return folder if folder.is_absolute() else paths.ROOT / folder


def _pattern_to_regex(pattern: str) -> str:
    codes = {"%Y": r"(\d{4})", "%m": r"(\d{2})", "%d": r"(\d{2})", "%y": r"(\d{2})", "%j": r"(\d{3})"}
    codes |= {"%H": r"(\d{2})", "%M": r"(\d{2})", "*": ".*", "?": "."}
    return "".join(codes.get(part, re.escape(part)) for part in re.split(r"(%[A-Za-z]|\*|\?)", pattern))


@dataclass(frozen=True)
class FileBatch:
    """One file, or several files that a query joins, as rows of one feed."""

    system: FileSystem
    feed: Feed
    source: FeedSource
    tables: dict[str, Path]
    files: tuple[SourceFile, ...]
    copy_format: Literal["binary", "csv"] = "csv"

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the mapped canonical columns, the text they were read from, and what could not be read."""
        return (*self._mapped, SOURCE_TEXT, UNREAD)

    @property
    def _mapped(self) -> list[str]:
        return [name for name in self.feed.column_names if name in self.source.columns]

    def chunks(self) -> Iterator[CopyData]:
        """Yield CSV data: NULL is an empty field, text is quoted."""
        with _work_folder() as folder, duckdb.connect() as engine:
            engine.execute("set memory_limit = '400MB'; set threads = 2; set enable_progress_bar = false")
            engine.execute("set temp_directory = $1", [str(folder)])
            for table, path in self.tables.items():
                self._read(engine, table, path, folder)
            target = folder / "rows.csv"
            self._write(engine, target)
            with target.open("rb") as rows:
                while chunk := rows.read(_CHUNK_BYTES):
                    yield chunk

    def _read(self, engine: duckdb.DuckDBPyConnection, table: str, path: Path, folder: Path) -> None:
        """Make one file a table of text columns."""
        plain = folder / f"{table}.utf8"
        decode(path, self.source.encoding, plain)
        columns = ", ".join(f"{quoted(name)}: 'varchar'" for name in self._header(path, plain))
        nulls = ", ".join(map(literal, ("", *self.source.null_values)))
        try:
            engine.execute(
                f"create view {quoted(table)} as select * from read_csv("
                f" {literal(str(plain))}, header = true,"
                f" auto_detect = false, columns = {{{columns}}}, delim = {literal(self.source.delimiter)},"
                f" quote = '\"', escape = '\"', nullstr = [{nulls}], max_line_size = {_MAX_LINE_BYTES})"
            )
        except duckdb.Error as error:
            raise self._refused(error) from None

    def _header(self, path: Path, plain: Path) -> list[str]:
        """Return the column names of the first line; two columns of one name cannot be told apart."""
        with plain.open(encoding="utf-8", newline="") as text:
            names = next(csv.reader(text, delimiter=self.source.delimiter), [])
        names = [name.strip() for name in names]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise WinbackError(
                f"{path.name}: the header names a column twice: {', '.join(map(repr, twice))}.",
                "give every column a name of its own; nothing of this file was loaded",
            )
        return names

    def _write(self, engine: duckdb.DuckDBPyConnection, target: Path) -> None:
        """Shape, convert and write all rows as CSV; a column that the mapping wants and lacks is an error."""
        query = self.source.query
        relation = f"({query.strip().rstrip(';')})" if query else quoted(next(iter(self.tables)))
        try:
            found = [
                row[0] for row in engine.execute(f"describe select * from {relation} as source").fetchall()
            ]
            self._check_columns(found)
            select = self._select(relation, found)
            engine.execute(f"copy ({select}) to {literal(str(target))} (format csv, header false)")
        except duckdb.Error as error:
            raise self._refused(error) from None

    def _check_columns(self, found: list[str]) -> None:
        for name, mapping in self.source.columns.items():
            if mapping.column is not None and mapping.column not in found:
                raise WinbackError(
                    f"{self._place}: no column {mapping.column!r} (wanted for {name}). "
                    f"Found: {', '.join(found)}.",
                    f"correct columns.{name} in winback.yml, or the file's encoding or delimiter",
                )

    def _select(self, relation: str, found: list[str]) -> str:
        """Write the query that keeps every row's text, converts what is mapped, and names what would not."""
        names = self._mapped
        whole_row = ", ".join(f"{quoted(column)}: cast({quoted(column)} as varchar)" for column in found)
        texts = ", ".join(f"{self._text(name)} as {quoted('text_' + name)}" for name in names)
        typed = ", ".join(f"{self._typed(name)} as {quoted(name)}" for name in names)
        unread = ", ".join(
            f"case when {quoted('text_' + name)} is not null and {quoted(name)} is null"
            f" then {literal(name)} end"
            for name in names
        )
        return f"""
            with texts as (select to_json({{{whole_row}}}) as {SOURCE_TEXT}, {texts} from {relation}),

            typed as (select {SOURCE_TEXT}, {typed}, [{unread}] as unread from texts)

            select
                {", ".join(map(quoted, names))},
                {SOURCE_TEXT},
                to_json(nullif(list_filter(unread, lambda name: name is not null), [])) as {UNREAD}
            from typed
        """

    def _text(self, name: str) -> str:
        """Write the SQL of a canonical column's text: trimmed, empty as null, codes replaced."""
        mapping = self.source.columns[name]
        if mapping.column is None:
            return literal(cast(str, mapping.constant))
        value = f"nullif(trim(cast({quoted(mapping.column)} as varchar)), '')"
        if mapping.codes:
            branches = " ".join(
                f"when {literal(found)} then {literal(meant)}" for found, meant in mapping.codes.items()
            )
            value = f"case {value} {branches} else {value} end"
        return value

    def _typed(self, name: str) -> str:
        return as_type(
            self.feed.column(name).type,
            quoted("text_" + name),
            self.source.columns[name].format,
            self.system.time_zone,
        )

    @property
    def _place(self) -> str:
        return f"feeds.{self.feed.name} from {self.source.source} ({', '.join(f.name for f in self.files)})"

    def _refused(self, error: duckdb.Error) -> WinbackError:
        # DuckDB quotes the line, which may be personal: keep its first sentence and the line number.
        if isinstance(error, duckdb.ConversionException):
            return WinbackError(
                f"{self._place}: a value does not fit the type that the query casts it to.",
                "use try_cast in the query, which yields null instead; nothing of this file was loaded",
            )
        message = str(error)
        line = re.search(r"Line: (\d+)", message)
        first = message.splitlines()[0]
        place = f" at line {line[1]}" if line else ""
        return WinbackError(
            f"{self._place}: the file cannot be read{place}: {first}",
            "check delimiter, quotes and number of columns there; nothing of this file was loaded",
        )


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


@contextmanager
def _work_folder() -> Iterator[Path]:
    parent = paths.state_dir() / "tmp"
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)
