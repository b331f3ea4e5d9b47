"""One short transaction per batch: lock the watermark, route the rows, note what became of them.

Whoever holds the lock on a source's watermark is the only one who writes that source's rows, so a plain
insert of the new keys and an update of the changed ones are safe, and faster than `insert ... on conflict`.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql

from winback.check.measures import note_measures
from winback.check.results import note_results
from winback.check.rules import KEY_IS_NOT_REPEATED
from winback.errors import WinbackError
from winback.extract import SourceFile
from winback.feeds import Feed
from winback.incidents import close_incidents
from winback.load import statements
from winback.load.checking import Checked
from winback.load.landing import drop_landing
from winback.load.statements import Statements


@dataclass(frozen=True)
class BatchCounts:
    """What became of the rows of one batch; the five fates add up to `rows_in`.

    `rows_deleted` are rows of the warehouse that the source no longer has; they did not come in.
    """

    rows_in: int = 0
    rows_inserted: int = 0
    rows_updated: int = 0
    rows_unchanged: int = 0
    rows_superseded: int = 0
    rows_quarantined: int = 0
    rows_deleted: int = 0

    def __add__(self, other: "BatchCounts") -> "BatchCounts":
        return BatchCounts(
            *(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__)
        )


@dataclass(frozen=True)
class MissingKeys:
    """Where all keys of the source lie, and what share of the live rows may be missing from them at once."""

    landing: str
    at_most: float


@dataclass(frozen=True)
class LandedBatch:
    """A batch that lies in its landing table, checked, and waits to be committed.

    `business_day` dates its rows: of two versions of a row that carry no stamp of their own, the one of the
    later day is newer. `repeats` is the batch that loaded these files before, if they are loaded once more.
    `cursor` is the column that moves the watermark, if this batch does. `loaded_for` is the business day that
    the load was asked for, which incidents are about.
    """

    batch_id: int
    feed: Feed
    source_id: str
    business_day: date
    loaded_for: date
    landing: str
    checked: Checked
    files: tuple[SourceFile, ...] = ()
    repeats: int | None = None
    cursor: str | None = None
    missing_keys: MissingKeys | None = None
    source_columns: dict[str, str] | None = None

    @property
    def subject(self) -> str:
        """Return how incidents and errors call the source."""
        return f"{self.feed.name} from {self.source_id}"


def commit_batch(
    connection: psycopg.Connection[Any],
    batch: LandedBatch,
    completes_day: date | None,
    backfills: tuple[date, date] | None = None,
) -> BatchCounts:
    """Load a landed batch, all of it or nothing.

    The watermark's row is locked first, so that two attempts at the same load take turns: the second
    finds its rows unchanged and its files known. `completes_day` is the business day that this batch
    makes complete, if it does; `backfills` the first and last day of the piece of history that it loads.

    Raises:
        WinbackError: far more rows than usual are gone from the source.
    """
    with connection.transaction():
        _lock_watermark(connection, batch)
        rows_in = batch.checked.rows_in
        if _is_loaded_already(connection, batch):
            counts = BatchCounts(rows_in=rows_in, rows_unchanged=rows_in)
        else:
            counts = _route(connection, batch, rows_in)
            _move_watermark(connection, batch)
            _note_columns(connection, batch)
        if completes_day is not None:
            complete_day(connection, batch.feed.name, batch.source_id, completes_day, is_stale=False)
        if backfills is not None:
            _note_backfill(connection, batch, *backfills)
        close_incidents(connection, "load", batch.subject, batch.loaded_for)
        _note_batch(connection, batch, counts)
    return counts


def replay_batch(
    connection: psycopg.Connection[Any], batch: LandedBatch, *, is_mended: bool
) -> tuple[BatchCounts, dict[int, tuple[str, ...]]]:
    """Load rows out of quarantine; return what became of them, and why those that are still bad wait on.

    What waits on is kept as its source delivered it; of rows that nobody mended, it is noted why, now.
    """
    with connection.transaction():
        _lock_watermark(connection, batch)
        rows_in = batch.checked.rows_in
        sql_of = _statements(connection, batch)
        refused = {number: tuple(reasons) for number, reasons in sql_of.run(statements.STILL_BAD)}
        if refused and not is_mended:
            sql_of.run(statements.WAIT_ON)
        sql_of.run(statements.SETTLE)
        counts = _write_good(sql_of, batch, rows_in, quarantined=len(refused), is_replay=True)
        _note_batch(connection, batch, counts)
    return counts, refused


def _note_batch(connection: psycopg.Connection[Any], batch: LandedBatch, counts: BatchCounts) -> None:
    """Note what became of a batch and what was found in it, and drop its landing tables."""
    checked = batch.checked
    key: dict[str, Any] = {
        "batch_id": batch.batch_id,
        "feed": batch.feed.name,
        "source_id": batch.source_id,
    }
    note_results(connection, **key, day=batch.loaded_for, rules=checked.rules, results=checked.results)
    if checked.measures is not None:
        note_measures(connection, **key, measures=checked.measures)
    fields = list(counts.__dataclass_fields__)
    connection.execute(
        sql.SQL(
            "update ops.batches set status = 'committed', committed_at = clock_timestamp(),"
            " landing_is_kept = false, {} where batch_id = %s"
        ).format(sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in fields)),
        [*(getattr(counts, name) for name in fields), batch.batch_id],
    )
    drop_landing(connection, batch.feed, batch.batch_id)


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
    if batch.repeats is not None:
        return not _claim_again(connection, batch, batch.repeats)
    claimed = 0
    for file in batch.files:
        claimed += connection.execute(
            "insert into ops.files (source_id, feed, content_sha256, file, batch_id)"
            " values (%s, %s, %s, %s, %s) on conflict do nothing",
            [batch.source_id, batch.feed.name, file.content_sha256, file.name, batch.batch_id],
        ).rowcount
    if claimed:  # files that are joined belong to the batch that joined them last
        connection.execute(
            "update ops.files set batch_id = %s"
            " where source_id = %s and feed = %s and content_sha256 = any(%s)",
            [
                *(batch.batch_id, batch.source_id, batch.feed.name),
                [file.content_sha256 for file in batch.files],
            ],
        )
    return bool(batch.files) and claimed == 0


def _claim_again(connection: psycopg.Connection[Any], batch: LandedBatch, repeats: int) -> bool:
    """Take files over from the batch that loaded them before."""
    claimed = connection.execute(
        """
        with noted as (
            select * from ops.files where source_id = %s and feed = %s and content_sha256 = any(%s)
        )

        update ops.files set batch_id = %s from noted
        where
            (files.source_id, files.feed, files.content_sha256)
            = (noted.source_id, noted.feed, noted.content_sha256)
            and exists (select from noted where batch_id = %s)
        """,
        [
            *(batch.source_id, batch.feed.name, [file.content_sha256 for file in batch.files]),
            *(batch.batch_id, repeats),
        ],
    ).rowcount
    return claimed > 0


def _route(connection: psycopg.Connection[Any], batch: LandedBatch, rows_in: int) -> BatchCounts:
    """Put the newest good version of each key into raw, bad rows into quarantine, and mark what is gone."""
    sql_of = _statements(connection, batch)
    measures = batch.checked.measures
    assert measures is not None  # only replays have none
    quarantined = rows_in - measures.rows
    counts = _write_good(sql_of, batch, rows_in, quarantined=quarantined)
    if quarantined:  # after the good ones, which may be newer
        sql_of.run(statements.QUARANTINE)
    return replace(counts, rows_deleted=_mark_missing(sql_of, batch))


def _statements(connection: psycopg.Connection[Any], batch: LandedBatch) -> Statements:
    return Statements(
        connection,
        batch.feed,
        batch.checked.rules,
        view=batch.checked.view,
        present=batch.missing_keys.landing if batch.missing_keys else batch.landing,
        parameters={
            "source_id": batch.source_id,
            "batch_id": batch.batch_id,
            "day": batch.business_day,
            "delivery": " ".join(sorted(file.name for file in batch.files)),
        },
    )


def _write_good(
    sql_of: Statements, batch: LandedBatch, rows_in: int, *, quarantined: int, is_replay: bool = False
) -> BatchCounts:
    """Write the newest good version of each key, and resolve the older rows of its key that wait.

    Where rows wait, one that came again unchanged is noted to be as new as that: what waits may be older.
    """
    good = rows_in - quarantined
    keys, inserted, updated, older = 0, 0, 0, 0
    if good:
        sql_of.choose(statements.LANDED)
        has_twins = batch.checked.rows_failed.get(KEY_IS_NOT_REPEATED, rows_in)  # unknown where it is off
        if has_twins and sql_of.one(statements.HAS_REPEATED_KEYS):
            sql_of.run(statements.NEWEST)
            sql_of.choose("newest")
        keys, inserted, updated, older = sql_of.write()
        has_waiting = sql_of.one(statements.HAS_WAITING)
        if is_replay or (batch.files and (quarantined or has_waiting)):
            sql_of.run(statements.CONFIRM)
        if has_waiting:
            sql_of.run(statements.RESOLVE)
    return BatchCounts(
        rows_in=rows_in,
        rows_inserted=inserted,
        rows_updated=updated,
        rows_unchanged=keys - inserted - updated - older,
        rows_superseded=good - keys + older,
        rows_quarantined=quarantined,
    )


def _mark_missing(sql_of: Statements, batch: LandedBatch) -> int:
    """Mark the live rows whose keys the source no longer has; far too many at once are a broken source."""
    if batch.missing_keys is None:
        return 0
    live, missing = sql_of.row(statements.COUNT_MISSING)
    at_most = batch.missing_keys.at_most
    # The quotient, not the product: 0.29 × 100 is a little less than 29.
    if at_most < 1 and missing and (missing == live or (missing > 1 and missing / live > at_most)):
        raise WinbackError(
            f"{batch.feed.name} from {batch.source_id}: {missing:,} of {live:,} live rows are gone from the "
            f"source, more than the {at_most:.0%} that may go at once; "
            "nothing of this batch was loaded or deleted.",
            "look at the source first; if the rows are really gone: "
            f"winback load {batch.feed.name} --day {batch.business_day} --accept-deletes",
        )
    if missing:
        sql_of.choose(statements.MISSING)
        sql_of.write()
    return int(missing)


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


def _note_columns(connection: psycopg.Connection[Any], batch: LandedBatch) -> None:
    """Keep what columns the source showed; an unchanged list is not written again."""
    if batch.source_columns is None:
        return
    key = [batch.source_id, batch.feed.name]
    names, types = list(batch.source_columns), list(batch.source_columns.values())
    connection.execute(
        "delete from ops.source_columns where source_id = %s and feed = %s and column_name <> all(%s)",
        [*key, names],
    )
    connection.execute(
        """
        insert into ops.source_columns as noted (source_id, feed, column_name, column_type, batch_id)
        select %s, %s, shown.name, shown.type, %s
        from unnest(%s::text[], %s::text[]) as shown (name, type)
        on conflict (source_id, feed, column_name) do update
        set column_type = excluded.column_type, batch_id = excluded.batch_id
        where noted.column_type <> excluded.column_type
        """,
        [*key, batch.batch_id, names, types],
    )


def _note_backfill(connection: psycopg.Connection[Any], batch: LandedBatch, first: date, last: date) -> None:
    connection.execute(
        "insert into ops.backfilled_days (source_id, feed, from_day, to_day, batch_id)"
        " values (%s, %s, %s, %s, %s) on conflict do nothing",
        [batch.source_id, batch.feed.name, first, last, batch.batch_id],
    )
