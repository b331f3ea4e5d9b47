"""One short transaction per batch: lock the watermark, route the rows, note what became of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from winback.check.evaluate import CheckResult
from winback.check.rules import RowRule, Severity
from winback.extract import SourceFile
from winback.feeds import REFERENCE_SOURCES, Feed


@dataclass(frozen=True)
class BatchCounts:
    """What became of the rows of one batch; the five fates add up to `rows_in`."""

    rows_in: int = 0
    rows_inserted: int = 0
    rows_updated: int = 0
    rows_unchanged: int = 0
    rows_superseded: int = 0
    rows_quarantined: int = 0

    def __add__(self, other: "BatchCounts") -> "BatchCounts":
        return BatchCounts(
            *(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__)
        )


@dataclass(frozen=True)
class LandedBatch:
    """A batch that lies in its landing table, checked, and waits to be committed."""

    batch_id: int
    feed: Feed
    source_id: str
    landing: str
    rules_view: str
    rules: tuple[RowRule, ...]
    results: list[CheckResult]
    files: tuple[SourceFile, ...]
    cursor: str | None


def commit_batch(
    connection: psycopg.Connection[Any], batch: LandedBatch, completes_day: date | None
) -> BatchCounts:
    """Load a landed batch, all of it or nothing.

    The watermark's row is locked first, so that two attempts at the same load take turns: the second
    finds its rows unchanged and its files known. `completes_day` is the business day that this batch
    makes complete, if it does.

    Raises:
        RuntimeError: the transaction and Great Expectations disagree on how many rows break a rule.
    """
    with connection.transaction():
        _lock_watermark(connection, batch)
        rows_in = _count_landed(connection, batch)
        if _is_loaded_already(connection, batch):
            counts = BatchCounts(rows_in=rows_in, rows_unchanged=rows_in)
        else:
            counts = _route(connection, batch, rows_in)
            _move_watermark(connection, batch)
        if completes_day is not None:
            complete_day(connection, batch.feed.name, batch.source_id, completes_day, is_stale=False)
        _note_results(connection, batch, counts)
        connection.execute(sql.SQL("drop view {}").format(sql.Identifier("landing", batch.rules_view)))
        connection.execute(sql.SQL("drop table {}").format(sql.Identifier("landing", batch.landing)))
    return counts


def complete_day(
    connection: psycopg.Connection[Any], feed: str, source_id: str, day: date, *, is_stale: bool
) -> None:
    """Note that a business day's load committed, empty or not; a late arrival ends a day's staleness."""
    connection.execute(
        """
        insert into ops.feed_days as noted (source_id, feed, business_day, is_stale)
        values (%(source_id)s, %(feed)s, %(day)s, %(is_stale)s)
        on conflict (source_id, feed, business_day) do update
        set is_stale = excluded.is_stale, loaded_at = excluded.loaded_at
        where noted.is_stale and not excluded.is_stale
        """,
        {"source_id": source_id, "feed": feed, "day": day, "is_stale": is_stale},
    )


def read_watermark(connection: psycopg.Connection[Any], feed: str, source_id: str) -> datetime | None:
    """Return the newest cursor value that a committed batch of this source held, if any."""
    row = connection.execute(
        "select cursor_value from ops.watermarks where feed = %s and source_id = %s", [feed, source_id]
    ).fetchone()
    return row[0] if row else None


def _lock_watermark(connection: psycopg.Connection[Any], batch: LandedBatch) -> None:
    key = [batch.source_id, batch.feed.name]
    connection.execute(
        "insert into ops.watermarks (source_id, feed) values (%s, %s) on conflict do nothing", key
    )
    connection.execute("select 1 from ops.watermarks where source_id = %s and feed = %s for update", key)


def _is_loaded_already(connection: psycopg.Connection[Any], batch: LandedBatch) -> bool:
    """Claim the batch's files; false when there are none, true when a twin has loaded them all."""
    claimed = 0
    for file in batch.files:
        claimed += connection.execute(
            "insert into ops.files (source_id, feed, content_sha256, file, batch_id)"
            " values (%s, %s, %s, %s, %s) on conflict do nothing",
            [batch.source_id, batch.feed.name, file.content_sha256, file.name, batch.batch_id],
        ).rowcount
    return bool(batch.files) and claimed == 0


def _count_landed(connection: psycopg.Connection[Any], batch: LandedBatch) -> int:
    """Count the landed rows, and per rule the rows that break it, against Great Expectations' counts."""
    names = [result.expectation for result in batch.results]
    row = connection.execute(
        sql.SQL("select count(*) {} from {}").format(
            sql.SQL("").join(
                sql.SQL(", count(*) filter (where {})").format(sql.Identifier(name)) for name in names
            ),
            sql.Identifier("landing", batch.rules_view),
        )
    ).fetchone()
    assert row is not None
    counted = dict(zip(names, row[1:], strict=True))
    expected = {result.expectation: result.rows_failed for result in batch.results}
    if counted != expected:
        differing = sorted(name for name in names if counted[name] != expected[name])
        raise RuntimeError(
            f"batch {batch.batch_id}: check and load disagree on {', '.join(differing)}; nothing was loaded"
        )
    return int(row[0])


def _route(connection: psycopg.Connection[Any], batch: LandedBatch, rows_in: int) -> BatchCounts:
    """Put bad rows into quarantine and the newest good version of each key into raw."""
    parts = _sql_parts(batch)
    parameters = {"source_id": batch.source_id, "batch_id": batch.batch_id}

    def run(statement: LiteralString) -> psycopg.Cursor[Any]:
        return connection.execute(sql.SQL(statement).format(**parts), parameters)

    quarantined = run(_QUARANTINE).rowcount
    newest = run(_NEWEST).rowcount
    older = _count(run(_COUNT_OLDER)) if batch.feed.version_column else 0
    inserted, updated = run(_UPSERT).fetchone() or (0, 0)
    return BatchCounts(
        rows_in=rows_in,
        rows_inserted=inserted,
        rows_updated=updated,
        rows_unchanged=newest - inserted - updated - older,
        rows_superseded=rows_in - quarantined - newest + older,
        rows_quarantined=quarantined,
    )


_QUARANTINE = """
insert into {quarantine}
    (source_id, load_batch_id, row_number, reasons, typed_values, source_text, quarantined_at)
select
    %(source_id)s,
    %(batch_id)s,
    row_number,
    array_remove(array[{reasons}], null),
    (select to_jsonb(typed) from (select {columns}) as typed),
    source_text,
    clock_timestamp()
from {view}
where {is_rejected}
"""

# Of several versions of one row in a batch the newest stays; without a version, the last one written.
_NEWEST = """
create temp table newest on commit drop as
select distinct on ({key})
    %(source_id)s::text as source_id,
    {values}
from {view}
where not {is_rejected}
order by {key}, {version_order} row_number desc
"""

_COUNT_OLDER = """
select count(*)
from newest
inner join {raw} as stored using (source_id, {key})
where newest.{version} < stored.{version}
"""

_UPSERT = """
with written as (
    insert into {raw} as stored (source_id, {columns}, load_batch_id, loaded_at)
    select source_id, {columns}, %(batch_id)s, clock_timestamp() from newest
    on conflict (source_id, {key}) do update
    set {assignments}, load_batch_id = excluded.load_batch_id, loaded_at = excluded.loaded_at
    where ({stored}) is distinct from ({excluded}) and {is_newer}
    returning (xmax = 0) as is_new
)

select count(*) filter (where is_new), count(*) filter (where not is_new) from written
"""


def _sql_parts(batch: LandedBatch) -> dict[str, sql.Composable]:
    """Return the feed's names and lists that the statements above are made of."""
    feed = batch.feed
    rejecting = [rule.name for rule in batch.rules if rule.severity is Severity.REJECT]
    values = [name for name in feed.column_names if name not in feed.key]
    version = sql.Identifier(feed.version_column) if feed.version_column else sql.SQL("null")
    return {
        "quarantine": sql.Identifier("quarantine", feed.name),
        "raw": sql.Identifier("raw", feed.name),
        "view": sql.Identifier("landing", batch.rules_view),
        "key": _list(feed.key),
        "columns": _list(feed.column_names),
        "values": sql.SQL(", ").join(map(_value, feed.column_names)),
        "assignments": _list(values, "{column} = excluded.{column}"),
        "stored": _list(values, "stored.{column}"),
        "excluded": _list(values, "excluded.{column}"),
        "reasons": sql.SQL(", ").join(
            sql.SQL("case when {rule} then {name} end").format(
                rule=sql.Identifier(name), name=sql.Literal(name)
            )
            for name in rejecting
        ),
        "is_rejected": sql.SQL("({})").format(sql.SQL(" or ").join(map(sql.Identifier, rejecting))),
        "version": version,
        "version_order": sql.SQL("{} desc nulls last,").format(version)
        if feed.version_column
        else sql.SQL(""),
        "is_newer": sql.SQL("coalesce(excluded.{0} >= stored.{0}, true)").format(version)
        if feed.version_column
        else sql.SQL("true"),
    }


def _list(names: Iterable[str], template: LiteralString = "{column}") -> sql.Composable:
    return sql.SQL(", ").join(sql.SQL(template).format(column=sql.Identifier(name)) for name in names)


def _value(column: str) -> sql.Composable:
    """Return a column; a reference that names no system speaks of the row's own source."""
    if column in REFERENCE_SOURCES:
        return sql.SQL("coalesce({column}, %(source_id)s) as {column}").format(column=sql.Identifier(column))
    return sql.Identifier(column)


def _count(cursor: psycopg.Cursor[Any]) -> int:
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def _move_watermark(connection: psycopg.Connection[Any], batch: LandedBatch) -> None:
    if batch.cursor is None:
        return
    connection.execute(
        sql.SQL(
            "update ops.watermarks"
            " set cursor_value = greatest(cursor_value, (select max({})::timestamptz from {}))"
            " where source_id = %s and feed = %s"
        ).format(sql.Identifier(batch.cursor), sql.Identifier("landing", batch.landing)),
        [batch.source_id, batch.feed.name],
    )


def _note_results(connection: psycopg.Connection[Any], batch: LandedBatch, counts: BatchCounts) -> None:
    connection.cursor().executemany(
        "insert into ops.check_results (batch_id, feed, expectation, severity, rows_failed, rows_total)"
        " values (%s, %s, %s, %s, %s, %s)",
        [
            (batch.batch_id, batch.feed.name, r.expectation, r.severity, r.rows_failed, r.rows_total)
            for r in batch.results
        ],
    )
    fields = list(counts.__dataclass_fields__)
    connection.execute(
        sql.SQL(
            "update ops.batches set status = 'committed', committed_at = clock_timestamp(), {}"
            " where batch_id = %s"
        ).format(sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in fields)),
        [*(getattr(counts, name) for name in fields), batch.batch_id],
    )
