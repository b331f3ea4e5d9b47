"""Load one source of one feed: which batches are due, and each batch's way from landing to commit."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from winback.check.landed import delivered_now
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
from winback.extract import Batch, SourceFile, Table, Window
from winback.extract.files import DatedFile, content_hash, find_files, open_file
from winback.extract.postgres import PostgresBatch
from winback.extract.shaped import ShapedBatch
from winback.feeds import Feed
from winback.load.arrivals import (
    check_unchanged,
    due_groups,
    file_patterns,
    first_delivery,
    has_arrived,
)
from winback.load.attempt import attempt
from winback.load.checking import BatchCheck, Kind
from winback.load.commit import (
    BatchCounts,
    LandedBatch,
    MissingKeys,
    commit_batch,
    complete_day,
    read_watermark,
)
from winback.load.drift import check_drift, known_columns
from winback.load.landing import keys_name, land, landing_name

_NEVER_TOO_MANY = 1.0


@dataclass(frozen=True)
class SourceResult:
    """What the load of one source did; `notes` are differences that were accepted."""

    batches: int = 0
    counts: BatchCounts = field(default_factory=BatchCounts)
    is_stale: bool = False
    notes: tuple[str, ...] = ()


@dataclass
class SourceLoad:
    """One source of one feed on one business day."""

    connection: psycopg.Connection[Any]
    settings: Settings
    feed: Feed
    source: FeedSource
    day: date
    accepts_deletes: bool = False
    accepts: frozenset[str] = frozenset()
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
        for group, repeats in due_groups(self.connection, self.feed.name, self.source, found, self.day):
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
        names = ", ".join(file.name for file in batch.files) or None
        kind: Kind = "backfill" if backfills is not None else "load"
        with attempt(
            self.connection, self.feed, self.source.source, self.day, files=names, kind=kind
        ) as batch_id:
            landing = landing_name(self.feed, batch_id)
            land(self.connection, self.feed, landing, batch)
            check_unchanged(self.place, group or {}, batch.files)
            known = known_columns(self.connection, self.feed.name, self.source.source)
            self._notes += check_drift(
                self.place, known, batch.source_columns, self.source.drift, self.source
            )
            missing_keys = self._land_keys(batch_id, is_whole=backfills is None)
            check = BatchCheck(
                self.connection, self.settings, self.feed, self.source, self.day, kind, self.accepts
            )
            about = day if group else self.day
            # A file that is read once more was delivered when it was first read.
            delivered_by = batch_id
            if repeats is not None:
                delivered_by = (
                    first_delivery(self.connection, self.feed.name, self.source.source, batch.files)
                    or batch_id
                )
            checked = check.run(batch_id, landing, delivered_now(day, delivered_by), about)
            landed = LandedBatch(
                batch_id=batch_id,
                feed=self.feed,
                source_id=self.source.source,
                business_day=day,
                loaded_for=self.day,
                landing=landing,
                checked=checked,
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
