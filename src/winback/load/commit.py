"""One short transaction per batch: lock the watermark, route the rows, note what became of them.

Whoever holds the lock on a source's watermark is the only one who writes that source's rows, so a plain
insert of the new keys and an update of the changed ones are safe, and faster than `insert ... on conflict`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from winback.check.evaluate import CheckResult
from winback.check.rules import RowRule, Severity
from winback.errors import WinbackError
from winback.extract import IS_DELETED, SourceFile
from winback.feeds import REFERENCE_SOURCES, Feed
from winback.warehouse.schema import VERSIONED_FEEDS


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
    `cursor` is the column that moves the watermark, if this batch does.
    """

    batch_id: int
    feed: Feed
    source_id: str
    business_day: date
    landing: str
    rules_view: str
    rules: tuple[RowRule, ...]
    results: list[CheckResult]
    files: tuple[SourceFile, ...] = ()
    repeats: int | None = None
    cursor: str | None = None
    missing_keys: MissingKeys | None = None
    source_columns: dict[str, str] | None = None


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
        RuntimeError: the transaction and Great Expectations disagree on how many rows break a rule.
        WinbackError: far more rows than usual are gone from the source.
    """
    with connection.transaction():
        _lock_watermark(connection, batch)
        rows_in = _count_landed(connection, batch)
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
        _note_results(connection, batch, counts)
        _drop_landing(connection, batch)
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
    """Take files over from the batch that loaded them before, with what it set aside."""
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
    connection.execute(
        sql.SQL("delete from {} where load_batch_id = %s").format(
            sql.Identifier("quarantine", batch.feed.name)
        ),
        [repeats],
    )
    return claimed > 0


def _count_landed(connection: psycopg.Connection[Any], batch: LandedBatch) -> int:
    """Count the landed rows, and per rule the rows that break it, against Great Expectations' counts."""
    names = [result.expectation for result in batch.results]
    row = connection.execute(
        sql.SQL("select count(*) {} from {}").format(
            sql.SQL("").join(sql.SQL(", sum({})").format(sql.Identifier(name)) for name in names),
            sql.Identifier("landing", batch.rules_view),
        )
    ).fetchone()
    assert row is not None
    counted = {name: count or 0 for name, count in zip(names, row[1:], strict=True)}
    expected = {result.expectation: result.rows_failed for result in batch.results}
    if counted != expected:
        differing = sorted(name for name in names if counted[name] != expected[name])
        raise RuntimeError(
            f"batch {batch.batch_id}: check and load disagree on {', '.join(differing)}; nothing was loaded"
        )
    return int(row[0])


def _route(connection: psycopg.Connection[Any], batch: LandedBatch, rows_in: int) -> BatchCounts:
    """Put bad rows into quarantine, the newest good version of each key into raw, and mark what is gone."""
    statements = _Statements(connection, batch)
    has_rejects = any(r.rows_failed for r in batch.results if r.severity is Severity.REJECT)
    quarantined = statements.run(_QUARANTINE).rowcount if has_rejects else 0
    good = rows_in - quarantined
    landed = _LANDED
    if good and statements.one(_HAS_REPEATED_KEYS):
        statements.run(_NEWEST)
        landed = "newest"
    keys, inserted, updated, older = statements.write(landed) if good else (0, 0, 0, 0)
    return BatchCounts(
        rows_in=rows_in,
        rows_inserted=inserted,
        rows_updated=updated,
        rows_unchanged=keys - inserted - updated - older,
        rows_superseded=good - keys + older,
        rows_quarantined=quarantined,
        rows_deleted=_mark_missing(statements, batch),
    )


def _mark_missing(statements: "_Statements", batch: LandedBatch) -> int:
    """Mark the live rows whose keys the source no longer has; far too many at once are a broken source."""
    if batch.missing_keys is None:
        return 0
    live, missing = statements.row(_COUNT_MISSING)
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
        statements.write(_MISSING)
    return int(missing)


class _Statements:
    """The statements below, filled in for one batch."""

    def __init__(self, connection: psycopg.Connection[Any], batch: LandedBatch) -> None:
        self._connection = connection
        self._parts = _sql_parts(batch)
        self._parameters = {
            "source_id": batch.source_id,
            "batch_id": batch.batch_id,
            "day": batch.business_day,
        }
        self._is_versioned = batch.feed.name in VERSIONED_FEEDS

    def run(self, statement: LiteralString) -> psycopg.Cursor[Any]:
        return self._connection.execute(sql.SQL(statement).format(**self._parts), self._parameters)

    def row(self, statement: LiteralString) -> tuple[Any, ...]:
        row = self.run(statement).fetchone()
        assert row is not None
        return tuple(row)

    def one(self, statement: LiteralString) -> Any:
        return self.row(statement)[0]

    def write(self, relation: LiteralString) -> tuple[int, int, int, int]:
        """Write rows, one per key, into raw; return how many keys came, are new, changed, and older."""
        self._parts["landed"] = sql.SQL(relation).format(**self._parts)
        keys, new, changed, older = self.row(_FATES)
        if self._is_versioned and new + changed:
            self.run(_KEEP_VERSIONS)
        if changed:
            assert self.run(_UPDATE).rowcount == changed
        if new:
            assert self.run(_INSERT).rowcount == new
        return keys, new, changed, older


_QUARANTINE: LiteralString = """
insert into {quarantine}
    (source_id, load_batch_id, row_number, reasons, typed_values, source_text, quarantined_at)
select
    %(source_id)s,
    %(batch_id)s,
    row_number,
    array_remove(array[{reasons}], null),
    (select to_jsonb(typed) from (select {columns}) as typed),
    source_text::jsonb,
    clock_timestamp()
from {view}
where {is_rejected}
"""

_HAS_REPEATED_KEYS: LiteralString = """
select count(*) > count(distinct ({key})) from {view} where not {is_rejected}
"""

# The good rows of a batch in which no key is repeated.
_LANDED: LiteralString = "(select {values}, {is_deleted} from {view} where not {is_rejected})"

# Of several versions of one row in a batch the newest stays; without a version, the last one written.
_NEWEST: LiteralString = """
create temp table newest on commit drop as
select distinct on ({key}) {values}, {is_deleted}
from {view}
where not {is_rejected}
order by {key}, {version_order} row_number desc
"""

_COUNT_MISSING: LiteralString = """
select
    count(*),
    count(*) filter (where not exists (select from {present} as present where {is_present}))
from {raw} as kept
where source_id = %(source_id)s and deleted_on is null and {is_not_later}
"""

# The live rows that the source no longer has, as if it had sent them with a mark.
_MISSING: LiteralString = """(
    select {columns}, true as {is_deleted}
    from {raw} as kept
    where
        source_id = %(source_id)s and deleted_on is null and {is_not_later}
        and not exists (select from {present} as present where {is_present})
)"""

_FATES: LiteralString = """
select
    count(*),
    count(*) filter (where stored.source_id is null),
    count(*) filter (where stored.source_id is not null and {differs} and {is_newer}),
    count(*) filter (where stored.source_id is not null and {differs} and not {is_newer})
from {landed} as landed
left join {raw} as stored on stored.source_id = %(source_id)s and {same_key}
"""

# What a change on the same business day replaces is that day's version, not a version of the past.
_KEEP_VERSIONS: LiteralString = """
insert into {versions} as kept
    (source_id, {columns}, valid_from, deleted_on, load_batch_id, loaded_at)
select
    %(source_id)s,
    {landed_columns},
    case
        when stored.source_id is null then '-infinity'
        when stored.business_day < %(day)s then %(day)s
        else (
            select max(earlier.valid_from)
            from {versions} as earlier
            where earlier.source_id = %(source_id)s and {same_key_of_earlier}
        )
    end,
    case when landed.{is_deleted} then %(day)s::date end,
    %(batch_id)s,
    clock_timestamp()
from {landed} as landed
left join {raw} as stored on stored.source_id = %(source_id)s and {same_key}
where stored.source_id is null or ({differs} and {is_newer})
on conflict (source_id, {key}, valid_from) do update
set
    {excluded_assignments},
    deleted_on = excluded.deleted_on,
    load_batch_id = excluded.load_batch_id,
    loaded_at = excluded.loaded_at
"""

_UPDATE: LiteralString = """
update {raw} as stored
set
    {assignments},
    business_day = greatest(stored.business_day, %(day)s),
    deleted_on = case when landed.{is_deleted} then %(day)s::date end,
    load_batch_id = %(batch_id)s,
    loaded_at = clock_timestamp()
from {landed} as landed
where stored.source_id = %(source_id)s and {same_key} and {differs} and {is_newer}
"""

_INSERT: LiteralString = """
insert into {raw} (source_id, {columns}, business_day, deleted_on, load_batch_id, loaded_at)
select
    %(source_id)s,
    {landed_columns},
    %(day)s,
    case when landed.{is_deleted} then %(day)s::date end,
    %(batch_id)s,
    clock_timestamp()
from {landed} as landed
where not exists (
    select from {raw} as stored
    where stored.source_id = %(source_id)s and {same_key}
)
"""


def _sql_parts(batch: LandedBatch) -> dict[str, sql.Composable]:
    """Return the feed's names and lists that the statements above are made of."""
    feed = batch.feed
    rejecting = [rule.name for rule in batch.rules if rule.severity is Severity.REJECT]
    values = [name for name in feed.column_names if name not in feed.key]
    present = batch.missing_keys.landing if batch.missing_keys else batch.landing
    parts: dict[str, sql.Composable] = {
        "quarantine": sql.Identifier("quarantine", feed.name),
        "raw": sql.Identifier("raw", feed.name),
        "versions": sql.Identifier("raw", f"{feed.name}_versions"),
        "view": sql.Identifier("landing", batch.rules_view),
        "present": sql.Identifier("landing", present),
        "key": _list(feed.key),
        "same_key": _pairs(feed.key, "stored.{0} = landed.{0}"),
        "is_present": _pairs(feed.key, "kept.{0} = present.{0}"),
        "same_key_of_earlier": _pairs(feed.key, "earlier.{0} = landed.{0}"),
        "columns": _list(feed.column_names),
        "landed_columns": _list(feed.column_names, "landed.{}"),
        "values": sql.SQL(", ").join(map(_value, feed.column_names)),
        "assignments": _list(values, "{0} = landed.{0}"),
        "excluded_assignments": _list(values, "{0} = excluded.{0}"),
        "is_deleted": sql.Identifier(IS_DELETED),
        "differs": sql.SQL(
            "(({}) is distinct from ({}) or (stored.deleted_on is not null) <> landed.{})"
        ).format(_list(values, "stored.{}"), _list(values, "landed.{}"), sql.Identifier(IS_DELETED)),
        "reasons": sql.SQL(", ").join(
            sql.SQL("case when {rule} = 1 then {name} end").format(
                rule=sql.Identifier(name), name=sql.Literal(name)
            )
            for name in rejecting
        ),
        "is_rejected": sql.SQL("({})").format(
            sql.SQL(" or ").join(sql.SQL("{} = 1").format(sql.Identifier(name)) for name in rejecting)
        ),
        "version_order": sql.SQL(""),
        # What a batch that began later has written on the same day is newer, whichever commits first.
        "is_newer": sql.SQL("(stored.business_day, stored.load_batch_id) <= (%(day)s, %(batch_id)s)"),
        "is_not_later": sql.SQL("(business_day, load_batch_id) <= (%(day)s, %(batch_id)s)"),
    }
    if feed.version_column:
        version = sql.Identifier(feed.version_column)
        parts["version_order"] = sql.SQL("{} desc nulls last,").format(version)
        # Where a stamp is missing, or the same, the business day decides.
        parts["is_newer"] = sql.SQL(
            "case when landed.{0} <> stored.{0} then landed.{0} > stored.{0} else {1} end"
        ).format(version, parts["is_newer"])
    return parts


def _list(names: Iterable[str], template: LiteralString = "{}") -> sql.Composable:
    return sql.SQL(", ").join(sql.SQL(template).format(sql.Identifier(name)) for name in names)


def _pairs(names: Iterable[str], template: LiteralString) -> sql.Composable:
    return sql.SQL(" and ").join(sql.SQL(template).format(sql.Identifier(name)) for name in names)


def _value(column: str) -> sql.Composable:
    """Return a column; a reference that names no system speaks of the row's own source."""
    if column in REFERENCE_SOURCES:
        return sql.SQL("coalesce({column}, %(source_id)s) as {column}").format(column=sql.Identifier(column))
    return sql.Identifier(column)


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
            "update ops.batches set status = 'committed', committed_at = clock_timestamp(),"
            " landing_is_kept = false, {} where batch_id = %s"
        ).format(sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in fields)),
        [*(getattr(counts, name) for name in fields), batch.batch_id],
    )


def _drop_landing(connection: psycopg.Connection[Any], batch: LandedBatch) -> None:
    connection.execute(sql.SQL("drop view {}").format(sql.Identifier("landing", batch.rules_view)))
    tables = {batch.landing, batch.missing_keys.landing if batch.missing_keys else batch.landing}
    for table in tables:
        connection.execute(sql.SQL("drop table {}").format(sql.Identifier("landing", table)))
