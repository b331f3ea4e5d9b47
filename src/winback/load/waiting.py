"""Rows out of quarantine on their way back into a landing table, as they came or as a person mended them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import duckdb
from psycopg import sql

from winback import warehouse
from winback.config import ColumnMapping, FeedSource, PostgresSystem, System
from winback.extract import IS_DELETED, SOURCE_TEXT, Batch, CopyData, SourceFile, Table
from winback.extract.files import open_file
from winback.extract.shaped import ShapedBatch
from winback.extract.spool import open_spool, row_line, rows_relation
from winback.feeds import Feed

QUARANTINE_ID = "quarantine_id"
# What an export adds to a row's own columns; none of it is read back but the number.
REASONS, DAY = "quarantine_reasons", "quarantine_day"
OWN_COLUMNS = (QUARANTINE_ID, REASONS, DAY)


def batches_of(feed: Feed, source: FeedSource, system: System, ids: list[int]) -> list[Batch]:
    """Return batches of rows in quarantine: those with a text are mapped anew, as the mapping is now."""
    typed: list[int] = []
    texts: list[int] = []
    with warehouse.connect() as connection:
        rows = connection.execute(
            sql.SQL("select quarantine_id, source_text is null from {} where quarantine_id = any(%s)").format(
                sql.Identifier("quarantine", feed.name)
            ),
            [ids],
        )
        for quarantine_id, is_typed in rows:
            (typed if is_typed else texts).append(quarantine_id)
    batches: list[Batch] = []
    if texts:
        batches.append(_mapped(feed, source, system, WaitingTexts(feed, texts)))
    if typed:
        batches.append(TypedRows(feed, typed))
    return batches


def mended_batch(feed: Feed, source: FeedSource, system: System, file: Path) -> Batch:
    """Return the rows of an exported file that a person has mended.

    Rows of a typed source were exported under the feed's own names.
    """
    plain = {"encoding": None, "delimiter": None, "sheet": None, "header_line": 1, "null_values": ()}
    table = open_file(file, source.model_copy(update=plain))
    if isinstance(system, PostgresSystem):
        columns = {name: ColumnMapping(column=name) for name in feed.column_names}
        source = source.model_copy(update={"columns": columns, "attributes": None, "deletes": None})
    return _mapped(feed, source, system, table)


def _mapped(feed: Feed, source: FeedSource, system: System, table: Table) -> ShapedBatch:
    """Map rows as the source's are mapped; what its query makes of them, was made when they came."""
    without_query = source.model_copy(update={"query": None})
    return ShapedBatch(feed, without_query, system.time_zone, {"rows": table}, not_data=OWN_COLUMNS)


@dataclass
class WaitingTexts:
    """Rows in quarantine as the text that their source delivered, with their numbers."""

    feed: Feed
    ids: list[int]
    name: str = "rows in quarantine"

    column_types: ClassVar[dict[str, str]] = {}  # all text

    def relation(self, engine: duckdb.DuckDBPyConnection, folder: Path) -> str:
        """Write the texts into a file and return the SQL that reads it."""
        names: dict[str, None] = {QUARANTINE_ID: None}
        path = folder / "rows.jsonl"
        with (
            warehouse.connect() as connection,
            connection.cursor(name="waiting") as cursor,
            open_spool(path) as spool,
        ):
            cursor.execute(
                sql.SQL(
                    "select quarantine_id, source_text from {} where quarantine_id = any(%s)"
                    " order by business_day, load_batch_id, row_number"
                ).format(sql.Identifier("quarantine", self.feed.name)),
                [self.ids],
            )
            for quarantine_id, text in cursor:
                names |= dict.fromkeys(text)
                spool.write(row_line({**text, QUARANTINE_ID: str(quarantine_id)}))
        return rows_relation(path, names)


@dataclass
class TypedRows:
    """Rows in quarantine that came typed, value by value as they were."""

    feed: Feed
    ids: list[int]
    copy_format: Literal["binary", "csv"] = "binary"
    files: tuple[SourceFile, ...] = ()
    source_columns: dict[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the canonical columns, and the number of the row in place of its text."""
        return (*self.feed.column_names, SOURCE_TEXT, IS_DELETED)

    def chunks(self) -> Iterator[CopyData]:
        """Yield the rows as the warehouse copies them out."""
        values = sql.SQL(", ").join(sql.Identifier("typed", name) for name in self.feed.column_names)
        query = sql.SQL(
            "copy (select {values}, jsonb_build_object({number}, waiting.quarantine_id)::text,"
            " waiting.is_deleted from {quarantine} as waiting,"
            " lateral jsonb_populate_record(null::{raw}, waiting.typed_values) as typed"
            " where waiting.quarantine_id = any({ids}::bigint[])"
            " order by waiting.business_day, waiting.load_batch_id, waiting.row_number)"
            " to stdout (format binary)"
        ).format(
            values=values,
            number=sql.Literal(QUARANTINE_ID),
            quarantine=sql.Identifier("quarantine", self.feed.name),
            raw=sql.Identifier("raw", self.feed.name),
            ids=sql.Literal(self.ids),
        )
        with warehouse.connect() as connection, connection.cursor() as cursor, cursor.copy(query) as copy:
            yield from copy
