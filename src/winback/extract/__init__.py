"""Where data enters: a connector reads a source and hands over bytes that COPY understands.

Each connector maps source columns to the feed's canonical columns while it reads (rename and cast,
once), so that a landing table has the feed's types whatever the source was.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

# What a text source adds to the canonical columns: the row as it was written, and the columns whose
# text could not be read as their type.
SOURCE_TEXT = "source_text"
UNREAD = "unread"

CopyData = bytes | bytearray | memoryview


@dataclass(frozen=True)
class Window:
    """The moments that an incremental extraction covers: `after < cursor < before`.

    `after` is None on the first load: everything up to `before`.
    """

    after: datetime | None
    before: datetime


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

    def chunks(self) -> Iterator[CopyData]:
        """Yield the rows as COPY data in `copy_format`, in the order of `columns`."""
        ...
