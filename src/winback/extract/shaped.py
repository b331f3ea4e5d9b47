"""Turn tables that DuckDB reads into rows of a feed: shaped by a query, mapped, converted column by column.

A value that does not convert is named in `unread` and kept in `source_text`; the checks find it there,
so that nothing is dropped silently.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

import duckdb

from winback import paths
from winback.config import DeletesByColumn, FeedSource
from winback.errors import WinbackError
from winback.extract import IS_DELETED, SOURCE_TEXT, UNREAD, CopyData, SourceFile, Table
from winback.extract.conversions import as_type, half_width, literal, quoted, trimmed
from winback.extract.delimited import DelimitedFile
from winback.feeds import Feed

_CHUNK_BYTES = 1 << 20
_ENGINE_SETTINGS = (
    "set memory_limit = '200MB'",
    "set threads = 2",
    "set enable_progress_bar = false",
    "set timezone = 'UTC'",
)


@dataclass
class ShapedBatch:
    """Rows of one feed out of one table, or out of several that the source's query joins.

    `time_zone` is that of moments which carry none. `not_data` are columns that say something about a row,
    and are none of its own.
    """

    feed: Feed
    source: FeedSource
    time_zone: str
    tables: dict[str, Table]
    files: tuple[SourceFile, ...] = ()
    copy_format: Literal["binary", "csv"] = "csv"
    not_data: tuple[str, ...] = ()
    source_columns: dict[str, str] = field(default_factory=dict, init=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the mapped canonical columns, the text they were read from, and what could not be read."""
        return (*self._filled, SOURCE_TEXT, UNREAD, IS_DELETED)

    @property
    def _filled(self) -> list[str]:
        """Return the canonical columns that this source fills."""
        mapped = set(self.source.columns)
        if self.source.attributes is not None:
            mapped.add("attributes")
        return [name for name in self.feed.column_names if name in mapped]

    def chunks(self) -> Iterator[CopyData]:
        """Yield CSV data: NULL is an empty field, text is quoted."""
        with work_folder() as folder, open_engine(folder) as engine:
            for name, table in self.tables.items():
                own = folder / name
                own.mkdir()
                with self._clear_errors():
                    engine.execute(
                        f"create view {quoted(name)} as select * from {table.relation(engine, own)}"
                    )
            target = folder / "rows.csv"
            with self._clear_errors():
                self._write(engine, target)
            with target.open("rb") as rows:
                while chunk := rows.read(_CHUNK_BYTES):
                    yield chunk

    def _write(self, engine: duckdb.DuckDBPyConnection, target: Path) -> None:
        """Shape, convert and write all rows as CSV; a column that the mapping wants and lacks is an error."""
        query = self.source.query
        relation = f"({query.strip().rstrip(';')})" if query else quoted(next(iter(self.tables)))
        described = engine.execute(f"describe select * from {relation} as source").fetchall()
        self.source_columns = {row[0]: row[1].lower() for row in described} | self._types_at_source()
        self._check_columns()
        engine.execute(
            f"copy ({self._select(relation)}) to {literal(str(target))} (format csv, header false)"
        )

    def _types_at_source(self) -> dict[str, str]:
        """Return the types that a database names; a query that runs here has columns of its own."""
        return {} if self.source.query else next(iter(self.tables.values())).column_types

    def _check_columns(self) -> None:
        found = self.source_columns
        wanted = {name: mapping.column for name, mapping in self.source.columns.items()}
        if isinstance(self.source.deletes, DeletesByColumn):
            wanted["deletes"] = self.source.deletes.column
        for name, column in wanted.items():
            if column is None or column in found or self._may_lack(name):
                continue
            key = "deletes.column" if name == "deletes" else f"columns.{name}"
            # Where the header is missing its place is taken by a row, whose values must not be named.
            is_header = any(other in found for other in wanted.values())
            says = (
                f"Found: {', '.join(found)}."
                if is_header
                else f"None of {len(found)} columns is a wanted one."
            )
            raise WinbackError(
                f"{self._place}: no column {column!r} (wanted for {name}). {says}",
                f"correct {key} in winback.yml, or the file's encoding, delimiter or header_line",
            )

    def _may_lack(self, name: str) -> bool:
        """Tell whether a mapped column may be gone: only where that is accepted, and never a required one."""
        return self.source.drift.column_gone == "accept" and name not in (*self.feed.required, "deletes")

    def _select(self, relation: str) -> str:
        """Write the query that keeps every row's text, converts what is mapped, and names what would not."""
        names = self._filled
        whole_row = self._json_of(self.source_columns)
        texts = ", ".join(f"{self._text(name)} as {quoted('text_' + name)}" for name in names)
        typed = ", ".join(f"{self._typed(name)} as {quoted(name)}" for name in names)
        unread = ", ".join(
            f"case when {quoted('text_' + name)} is not null and {quoted(name)} is null"
            f" then {literal(name)} end"
            for name in names
        )
        return f"""
            with texts as (
                select {whole_row} as {SOURCE_TEXT}, {self._deleted} as {IS_DELETED}, {texts} from {relation}
            ),

            typed as (select {SOURCE_TEXT}, {IS_DELETED}, {typed}, [{unread}] as unread from texts)

            select
                {", ".join(map(quoted, names))},
                {SOURCE_TEXT},
                to_json(nullif(list_filter(unread, lambda name: name is not null), [])) as {UNREAD},
                {IS_DELETED}
            from typed
        """

    @staticmethod
    def _json_of(columns: Iterable[str]) -> str:
        """Write the SQL of a JSON object that holds columns as text."""
        return f"to_json({{{', '.join(f'{quoted(name)}: {_as_text(name)}' for name in columns)}}})"

    def _text(self, name: str) -> str:
        """Write the SQL of a canonical column's text: trimmed, empty as null, codes replaced."""
        if name not in self.source.columns:
            return self._unmapped()
        mapping = self.source.columns[name]
        if mapping.column is None:
            return literal(cast(str, mapping.constant))
        if mapping.column not in self.source_columns:
            return "cast(null as varchar)"
        value = trimmed(_as_text(mapping.column))
        if mapping.codes:
            branches = " ".join(
                f"when {literal(found)} then {literal(meant)}" for found, meant in mapping.codes.items()
            )
            value = f"case {value} {branches} else {value} end"
        return value

    def _unmapped(self) -> str:
        """Write the SQL of a JSON object that holds what the mapping leaves over."""
        mapped = {*(mapping.column for mapping in self.source.columns.values()), *self.not_data}
        if isinstance(self.source.deletes, DeletesByColumn):
            mapped.add(self.source.deletes.column)
        rest = [name for name in self.source_columns if name not in mapped]
        return self._json_of(rest) if rest else "'{}'"

    def _typed(self, name: str) -> str:
        value = quoted("text_" + name)
        if _is_identifier(self.feed, name):
            return half_width(value)  # C１ and C1 are one customer
        return as_type(self.feed.column(name).type, value, self.source.columns.get(name), self.time_zone)

    @property
    def _deleted(self) -> str:
        """Write the SQL that tells whether the source marks a row as deleted."""
        deletes = self.source.deletes
        if not isinstance(deletes, DeletesByColumn):
            return "false"
        words = ", ".join(map(literal, deletes.values))
        return f"coalesce({trimmed(_as_text(deletes.column))} in ({words}), false)"

    @property
    def _place(self) -> str:
        names = ", ".join(table.name for table in self.tables.values())
        return f"feeds.{self.feed.name} from {self.source.source} ({names})"

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        """Turn DuckDB's errors, which quote lines and values, into ones without personal data."""
        try:
            yield
        except duckdb.ConversionException:
            raise WinbackError(
                f"{self._place}: a value does not fit the type that the query casts it to.",
                "use try_cast in the query, which yields null instead; nothing of this batch was loaded",
            ) from None
        except duckdb.OutOfMemoryException:
            raise WinbackError(
                f"{self._place}: its rows are too large for the memory that a load may use.",
                "leave the largest column out by a query; nothing of this batch was loaded",
            ) from None
        except duckdb.Error as error:
            raise self._without_values(error) from None

    def _without_values(self, error: duckdb.Error) -> WinbackError:
        """Say where a table cannot be read; DuckDB quotes lines, but for what is wrong with a query."""
        try:
            for table in self.tables.values():
                if isinstance(table, DelimitedFile):
                    table.check_rows()
        except WinbackError as found:
            return found
        message = str(error)
        line = re.search(r"Line: (\d+)", message)
        place = f" at line {line[1]}" if line else ""
        of_query = (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException)
        says = message.splitlines()[0] if isinstance(error, of_query) else type(error).__name__
        return WinbackError(
            f"{self._place}: cannot be read{place}: {says}.",
            "check delimiter, quotes and number of columns there; nothing of this batch was loaded",
        )


def _is_identifier(feed: Feed, name: str) -> bool:
    """Tell whether a column names something, so that two ways to write it must not be two things."""
    is_name = name in feed.key or name.endswith(("_id", "_no")) or name in ("merged_into", "reports_to")
    return is_name and feed.column(name).type == "text"


def _as_text(column: str) -> str:
    return f"cast({quoted(column)} as varchar)"


@contextmanager
def open_engine(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB in memory that spills into a folder."""
    with duckdb.connect() as engine:
        for setting in _ENGINE_SETTINGS:
            engine.execute(setting)
        engine.execute("set temp_directory = $1", [str(folder / "spill")])
        yield engine


@contextmanager
def work_folder() -> Iterator[Path]:
    """Make a private folder below the state folder, and delete it afterwards."""
    parent = paths.state_dir() / "tmp"
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)
