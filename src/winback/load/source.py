"""Load one source of one feed: which batches are due, and each batch's way from landing to commit."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from winback import warehouse
from winback.check import suite_for
from winback.check.evaluate import create_rules_view, evaluate
from winback.config import (
    DeletesByKeys,
    FeedSource,
    FileSystem,
    PostgresSystem,
    RestSystem,
    Settings,
    System,
)
from winback.days import day_end, day_start
from winback.errors import WinbackError
from winback.extract import Batch, SourceFile, Table, Window
from winback.extract.files import DatedFile, content_hash, find_files, open_file
from winback.extract.postgres import PostgresBatch
from winback.extract.shaped import ShapedBatch
from winback.feeds import Feed
from winback.load.commit import (
    BatchCounts,
    LandedBatch,
    MissingKeys,
    commit_batch,
    complete_day,
    read_watermark,
)
from winback.load.drift import check_drift, known_columns
from winback.load.landing import drop_landing, keys_name, land, landing_name, rules_view

_WORKER_LOCK = 7_246_004  # held, with the batch's number, by the worker that loads a batch
_NEVER_TOO_MANY = 1.0


@dataclass(frozen=True)
class SourceResult:
    """What the load of one source did; `notes` are differences that were accepted."""

    batches: int = 0
    counts: BatchCounts = field(default_factory=BatchCounts)
    is_stale: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Loaded:
    """What is known of a batch of files: whether all are, and by which batch those that state a day.

    `replaced` is the batch of a file whose name has had another content since.
    """

    is_whole: bool
    by: int | None
    replaced: int | None


@dataclass
class SourceLoad:
    """One source of one feed on one business day."""

    connection: psycopg.Connection[Any]
    settings: Settings
    feed: Feed
    source: FeedSource
    day: date
    accepts_deletes: bool = False
    _notes: list[str] = field(default_factory=list, init=False)

    @property
    def system(self) -> System:
        """Return the system that this source belongs to."""
        return self.settings.systems[self.source.source]

    @property
    def place(self) -> str:
        """Return how errors call this source."""
        return f"feeds.{self.feed.name} from {self.source.source}"

    def load(self) -> SourceResult:
        """Load whatever is due up to and including the business day."""
        if isinstance(self.system, FileSystem):
            return self._load_files(self.system)
        counts = self._load(
            self._batch(self._daily_window()),
            day=self._present_day(),
            completes_day=self.day,
            moves_watermark=True,
        )
        return SourceResult(1, counts, notes=tuple(self._notes))

    def backfill(self, first: date, last: date) -> SourceResult:
        """Load the rows of a range of business days once more, as one batch, without moving the watermark.

        The range is one of event days where the feed has such a column; else of the cursor. A table with
        neither is read whole. Files are those whose names state a day of the range.
        """
        if isinstance(self.system, FileSystem):
            return self._load_files(self.system, first)
        counts = self._load(
            self._batch(self._range_window(first, last)),
            day=self._present_day(),
            completes_day=last,
            moves_watermark=False,
            backfills=(first, last),
        )
        return SourceResult(1, counts, notes=tuple(self._notes))

    def has_range(self) -> bool:
        """Tell whether this source can be read in ranges of days."""
        return self._range_column() is not None

    def _range_column(self) -> str | None:
        if isinstance(self.system, RestSystem):  # a service is asked for what changed, not for what happened
            return self.source.cursor
        event = self.feed.event_column
        is_mapped = event in self.source.columns and self.source.columns[event].column is not None
        return event if event is not None and is_mapped else self.source.cursor

    def _range_window(self, first: date, last: date) -> Window | None:
        column, zone = self._range_column(), self.settings.zone
        if column is None:
            return None
        return Window(column, day_start(first, zone), day_end(last, zone), and_unknown=False)

    def _daily_window(self) -> Window | None:
        if self.source.cursor is None:
            return None
        watermark = read_watermark(self.connection, self.feed.name, self.source.source)
        zone = self.settings.zone
        # An older day is read again from its own start; a missed day from where the last load ended.
        after = min(watermark, day_start(self.day, zone)) - self.source.lookback if watermark else None
        return Window(self.source.cursor, after=after, before=day_end(self.day, zone))

    def _batch(self, window: Window | None, source: FeedSource | None = None) -> Batch:
        source, system = source or self.source, self.system
        if isinstance(system, PostgresSystem):
            return PostgresBatch(system=system, feed=self.feed, source=source, window=window)
        # A driver or an HTTP library is imported only where one is used.
        table: Table
        if isinstance(system, RestSystem):
            from winback.extract.rest import rest_records  # noqa: PLC0415

            table = rest_records(system, source, window)
        else:
            from winback.extract.databases import database_table  # noqa: PLC0415

            assert not isinstance(system, FileSystem)
            table = database_table(system, source, window)
        # The query has run in the source database already.
        shaped = source if isinstance(system, RestSystem) else source.model_copy(update={"query": None})
        return ShapedBatch(self.feed, shaped, system.time_zone, {"rows": table})

    def _present_day(self) -> date:
        """Return the day that rows without one are dated by: tables and undated files show the present.

        An older day that is loaded again must not date today's state back.
        """
        row = self.connection.execute(
            "select max(business_day) from ops.batches"
            " where feed = %s and source_id = %s and status = 'committed'",
            [self.feed.name, self.source.source],
        ).fetchone()
        return max(self.day, row[0]) if row and row[0] else self.day

    def _load_files(self, system: FileSystem, first: date | None = None) -> SourceResult:
        patterns = file_patterns(self.source)
        found = {table: find_files(system.folder, pattern) for table, pattern in patterns.items()}
        if first is not None:
            found = {
                table: [file for file in files if file.day is None or file.day >= first]
                for table, files in found.items()
            }
        counts, batches = BatchCounts(), 0
        for group, repeats in self._due_groups(found):
            files = tuple(SourceFile(file.path.name, content_hash(file.path)) for file in group.values())
            tables = {table: open_file(file.path, self.source) for table, file in group.items()}
            batch = ShapedBatch(self.feed, self.source, system.time_zone, tables, files)
            counts += self._load(
                batch, day=self._day_of(group), moves_watermark=False, group=group, repeats=repeats
            )
            batches += 1
        is_dated = any("%" in pattern for pattern in patterns.values())
        is_stale = is_dated and not has_arrived(system, self.source, self.day)
        complete_day(
            self.connection,
            self.feed.name,
            self.source.source,
            self.day if is_dated else self._newest_day(),
            is_stale=is_stale,
        )
        return SourceResult(batches, counts, is_stale, tuple(self._notes))

    def _day_of(self, group: dict[str, DatedFile]) -> date:
        """Return the day that a batch of files is dated by: what their names state, else the present one."""
        days = [file.day for file in group.values() if file.day is not None]
        return max(days) if days else self._present_day()

    def _due_groups(
        self, found: dict[str, list[DatedFile]]
    ) -> Iterator[tuple[dict[str, DatedFile], int | None]]:
        """Yield the batches of files that are due: one per file, or one per set that a query joins.

        Due are new files; once more, those of the days after a file that came late, since rows that they left
        as they were must not stay as the late file has them; and a file that is again what it was before its
        last load. Beside each stands the batch that it repeats.
        """
        if missing := [
            pattern
            for table, pattern in file_patterns(self.source).items()
            if not found[table] and "%" not in pattern
        ]:
            raise WinbackError(
                f"{self.place}: no file matches {', '.join(missing)}.",
                "put the file into the folder of that system, or correct the name in winback.yml",
            )
        newest = 0
        for group in batches_of_files(found, date.max):
            loaded = self._look_up(group)
            is_ahead = any(file.day is not None and file.day > self.day for file in group.values())
            if not loaded.is_whole and is_ahead:
                continue
            repeats = loaded.replaced
            if repeats is None and loaded.by is not None and loaded.by < newest:
                repeats = loaded.by
            if not loaded.is_whole or repeats is not None:
                yield group, repeats if loaded.is_whole else None
                loaded = self._look_up(group)
            newest = max(newest, loaded.by or 0)

    def _look_up(self, group: dict[str, DatedFile]) -> "_Loaded":
        """Ask which of a batch's files are known, by which batch.

        A file that is known by another name is the same file, but says nothing about the order of days.
        """
        files = {content_hash(file.path): file for file in group.values()}
        known = self.connection.execute(
            """
            select
                content_sha256, file, batch_id,
                exists (
                    select from ops.files as later
                    where
                        (later.source_id, later.feed, later.file) = (known.source_id, known.feed, known.file)
                        and later.batch_id > known.batch_id
                )
            from ops.files as known
            where source_id = %s and feed = %s and content_sha256 = any(%s)
            """,
            [self.source.source, self.feed.name, list(files)],
        ).fetchall()
        own = [
            (files[sha], batch, is_replaced)
            for sha, name, batch, is_replaced in known
            if files[sha].path.name == name
        ]
        return _Loaded(
            is_whole=len(known) == len(files),
            by=min((batch for file, batch, _ in own if file.day is not None), default=None),
            replaced=min((batch for _, batch, is_replaced in own if is_replaced), default=None),
        )

    def _newest_day(self) -> date:
        """Return the newest business day that the loaded rows speak of, else the day of this load."""
        if self.feed.event_column is None:
            return self.day
        row = self.connection.execute(
            f"select (max({self.feed.event_column}) at time zone %s)::date from raw.{self.feed.name}"
            " where source_id = %s",
            [self.settings.business.time_zone, self.source.source],
        ).fetchone()
        return row[0] if row and row[0] else self.day

    def _load(
        self,
        batch: Batch,
        *,
        day: date,
        moves_watermark: bool,
        completes_day: date | None = None,
        backfills: tuple[date, date] | None = None,
        group: dict[str, DatedFile] | None = None,
        repeats: int | None = None,
    ) -> BatchCounts:
        """Take one batch through landing, checks and commit; on failure note it and keep what was landed."""
        with self._attempt(batch.files) as batch_id:
            landing = landing_name(self.feed, batch_id)
            land(self.connection, self.feed, landing, batch)
            self._check_unchanged(group or {}, batch.files)
            known = known_columns(self.connection, self.feed.name, self.source.source)
            self._notes += check_drift(
                self.place, known, batch.source_columns, self.source.drift, self.source
            )
            missing_keys = self._land_keys(batch_id, is_whole=backfills is None)
            rules = suite_for(self.feed.name).row_rules()
            view = rules_view(landing)
            create_rules_view(self.connection, landing, view, rules)
            landed = LandedBatch(
                batch_id=batch_id,
                feed=self.feed,
                source_id=self.source.source,
                business_day=day,
                landing=landing,
                rules_view=view,
                rules=rules,
                results=evaluate(warehouse.url(), view, rules),
                files=batch.files,
                repeats=repeats,
                cursor=self.source.cursor if moves_watermark else None,
                missing_keys=missing_keys,
                source_columns=batch.source_columns,
            )
            counts = commit_batch(self.connection, landed, completes_day, backfills)
        if counts.rows_inserted or counts.rows_updated:
            # A build may follow at once, before the server gathers statistics by itself.
            self.connection.execute(sql.SQL("analyze {}").format(sql.Identifier("raw", self.feed.name)))
        return counts

    def _check_unchanged(self, group: dict[str, DatedFile], files: tuple[SourceFile, ...]) -> None:
        """Refuse a file that was written while it was read: it would be known by what was not loaded."""
        for found, file in zip(group.values(), files, strict=True):
            if content_hash(found.path) != file.content_sha256:
                raise WinbackError(
                    f"{self.place}: {file.name} changed while it was read; nothing of it was loaded.",
                    "run the same load again once the file is complete",
                )

    def _land_keys(self, batch_id: int, *, is_whole: bool) -> MissingKeys | None:
        """Land all keys of the source where missing keys are deletes; the rows themselves if they are all."""
        deletes = self.source.deletes
        if not isinstance(deletes, DeletesByKeys) or not is_whole:
            return None
        at_most = _NEVER_TOO_MANY if self.accepts_deletes else deletes.at_most
        if self.source.cursor is None or isinstance(self.system, FileSystem):
            return MissingKeys(landing_name(self.feed, batch_id), at_most)
        # After the rows: a key that is created in between may be here without its row, never the reverse.
        only_keys = self.source.model_copy(
            update={
                "columns": {name: self.source.columns[name] for name in self.feed.key},
                "cursor": None,
                "attributes": None,
            }
        )
        name = keys_name(self.feed, batch_id)
        land(self.connection, self.feed, name, self._batch(None, only_keys))
        return MissingKeys(name, at_most)

    @contextmanager
    def _attempt(self, files: tuple[SourceFile, ...]) -> Iterator[int]:
        """Note an attempt and what became of it; clear away what attempts that died have left behind."""
        self._clear_leftovers()
        names = ", ".join(file.name for file in files) or None
        # In one transaction: a batch that others can see is locked already.
        with self.connection.transaction():
            row = self.connection.execute(
                "insert into ops.batches (feed, source_id, business_day, status, file)"
                " values (%s, %s, %s, 'running', %s) returning batch_id",
                [self.feed.name, self.source.source, self.day, names],
            ).fetchone()
            assert row is not None
            batch_id = int(row[0])
            self.connection.execute("select pg_advisory_lock(%s, %s)", [_WORKER_LOCK, batch_id])
        try:
            with self._without_values():
                yield batch_id
        except Exception as error:
            # Other errors may quote a row: only their kind is noted.
            said = str(error) if isinstance(error, WinbackError) else type(error).__name__
            if not self.connection.closed:
                self.connection.execute(
                    "update ops.batches set status = 'failed', error = %s where batch_id = %s",
                    [said, batch_id],
                )
            raise
        finally:
            if not self.connection.closed:
                self.connection.execute("select pg_advisory_unlock(%s, %s)", [_WORKER_LOCK, batch_id])

    @contextmanager
    def _without_values(self) -> Iterator[None]:
        """Keep rows out of logs: what a server says of an error may quote them whole."""
        try:
            yield
        except psycopg.Error as error:
            diagnosis = (error.diag.table_name, error.diag.column_name, error.diag.constraint_name)
            named = ", ".join(name for name in diagnosis if name)
            raise WinbackError(
                f"{self.place}: a database broke off with {type(error).__name__}"
                f"{f' ({named})' if named else ''}; nothing of this batch was loaded.",
                "check that source and warehouse run, then run the same load again; the server's log says more",
            ) from None

    def _clear_leftovers(self) -> None:
        """Drop the landing tables of this source's earlier failures, and note workers that have died.

        A batch whose worker lives is let alone: that worker holds the batch's lock.
        """
        for (batch_id,) in self.connection.execute(
            "select batch_id from ops.batches where feed = %s and source_id = %s"
            " and status in ('running', 'failed') and landing_is_kept",
            [self.feed.name, self.source.source],
        ).fetchall():
            row = self.connection.execute(
                "select pg_try_advisory_lock(%s, %s)", [_WORKER_LOCK, batch_id]
            ).fetchone()
            if row is None or not row[0]:
                continue
            drop_landing(self.connection, self.feed, batch_id)
            self.connection.execute(
                "update ops.batches set landing_is_kept = false,"
                " status = 'failed', error = coalesce(error, 'the worker died')"
                " where batch_id = %s and status <> 'committed'",  # it may have, since it was found
                [batch_id],
            )
            self.connection.execute("select pg_advisory_unlock(%s, %s)", [_WORKER_LOCK, batch_id])


def file_patterns(source: FeedSource) -> dict[str, str]:
    """Return a source's file patterns by the name that its query calls them."""
    assert source.files is not None
    return source.files if isinstance(source.files, dict) else {"rows": source.files}


def has_arrived(system: FileSystem, source: FeedSource, day: date) -> bool:
    """Tell whether each dated file of a business day is there; undated files are never waited for."""
    return all(
        any(file.day == day for file in find_files(system.folder, pattern))
        for pattern in file_patterns(source).values()
        if "%" in pattern
    )


def batches_of_files(found: dict[str, list[DatedFile]], day: date) -> list[dict[str, DatedFile]]:
    """Return which files make a batch, oldest day first, up to a business day.

    A single pattern makes one batch per file. Files that a query joins make one batch per day on which each
    dated pattern has its file, with the latest of the undated ones beside them.
    """
    due = {
        table: [file for file in files if file.day is None or file.day <= day]
        for table, files in found.items()
    }
    for files in due.values():
        files.sort(key=lambda file: file.day or date.min)  # the order of names may be another
    if len(due) == 1:
        return [{table: file} for table, files in due.items() for file in files]
    if not all(due.values()):
        return []
    latest = {table: files[-1] for table, files in due.items()}
    by_day = {table: {file.day: file for file in files} for table, files in due.items() if files[-1].day}
    if not by_day:
        return [latest]
    common = sorted(set.intersection(*(set(days) for days in by_day.values())), key=str)
    return [latest | {table: days[day] for table, days in by_day.items()} for day in common]
