"""Where data enters: a connector reads a source and hands over bytes that COPY understands.

Each connector maps source columns to the feed's canonical columns while it reads (rename and cast,
once), so that a landing table has the feed's types whatever the source was. PostgreSQL casts and maps by
itself (`postgres.py`); every other source is a `Table` that DuckDB can read, and `shaped.py` maps it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

import duckdb

# What a batch may add to the canonical columns: the row as it was written, the columns whose text could not
# be read as their type, and whether the source marks the row as deleted.
SOURCE_TEXT = "source_text"
UNREAD = "unread"
IS_DELETED = "is_deleted"

CopyData = bytes | bytearray | memoryview


@dataclass(frozen=True)
class Window:
    """The moments that an extraction covers: `after <= column < before`, by a canonical column.

    `after` is None on the first load: everything up to `before`. `and_unknown` adds the rows whose
    moment is null: a cursor that is filled by the first change only must not hide what never changed.
    """

    column: str
    after: datetime | None
    before: datetime
    and_unknown: bool = True


@dataclass(frozen=True)
class SourceFile:
    """A file that a batch is read from; loaded once, known by its content."""

    name: str
    content_sha256: str


class Batch(Protocol):
    """Rows of one feed on their way into a landing table, with bounded memory."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the landing table's columns that this batch fills."""
        ...

    @property
    def copy_format(self) -> Literal["binary", "csv"]:
        """Return the COPY format of the chunks."""
        ...

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """Return the files that the rows come from; none for a database."""
        ...

    @property
    def source_columns(self) -> dict[str, str]:
        """Return the source's own columns with their types, mapped or not; known once `chunks` was read."""
        ...

    def chunks(self) -> Iterator[CopyData]:
        """Yield the rows as COPY data in `copy_format`, in the order of `columns`."""
        ...


class Table(Protocol):
    """Rows of a source that is not PostgreSQL, in a form that DuckDB reads."""

    @property
    def name(self) -> str:
        """Return what an error calls this table: a file's name, a database's table, a URL's path."""
        ...

    @property
    def column_types(self) -> dict[str, str]:
        """Return the types that the source itself names; known once `relation` was called, none for text."""
        ...

    def relation(self, engine: duckdb.DuckDBPyConnection, folder: Path) -> str:
        """Make the rows readable and return the SQL of a relation, such as `read_csv('...')`.

        Whatever has to be written on the way goes into `folder`, which is empty, this table's own, and
        deleted afterwards. Text stays text: columns are varchar, unless the source itself is typed.

        Raises:
            WinbackError: the source cannot be read; the message names place, numbers and the way out.
        """
        ...
