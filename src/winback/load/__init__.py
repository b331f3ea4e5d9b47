"""Load a feed for a business day: extract, land, check, commit. Safe to repeat, in any order, by twins."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from winback import warehouse
from winback.check import suite_for
from winback.check.evaluate import create_rules_view, evaluate
from winback.config import FeedSource, FileSystem, PostgresSystem, Settings
from winback.days import day_end, day_start, deadline
from winback.errors import WinbackError
from winback.extract import Batch, SourceFile, Window
from winback.extract.files import DatedFile, content_hash, find_files, open_file
from winback.extract.postgres import PostgresBatch
from winback.extract.shaped import ShapedBatch
from winback.feeds import FEEDS, Feed
from winback.load.commit import BatchCounts, LandedBatch, commit_batch, complete_day, read_watermark
from winback.load.landing import land, landing_name
from winback.warehouse.schema import ensure_schema


@dataclass(frozen=True)
class LoadResult:
    """What a load did: counts only, fit for logs and XCom."""

    feed: str
    business_day: date
    batches: int
    counts: BatchCounts
    is_stale: bool

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "feed": self.feed,
            "business_day": self.business_day.isoformat(),
            "batches": self.batches,
            "is_stale": self.is_stale,
            **asdict(self.counts),
        }


def load_feed(settings: Settings, feed_name: str, day: date) -> LoadResult:
    """Load every source of a feed up to and including a business day.

    A day without rows is complete all the same. A dated file that has not come makes the day stale:
    the build may go ahead without it, and the reports say so.

    Raises:
        WinbackError: the feed is not configured, or a source cannot be read; nothing of the failing
            batch is loaded.
    """
    if feed_name not in settings.feeds:
        raise WinbackError(
            f"feeds.{feed_name}: not configured; configured are {', '.join(sorted(settings.feeds))}.",
            "add it to winback.yml or load another feed",
        )
    feed = FEEDS[feed_name]
    outcomes: list[LoadResult] = []
    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        for source in settings.feeds[feed_name].sources:
            system = settings.systems[source.source]
            loader = _SourceLoad(connection, settings, feed, source, day)
            outcomes.append(
                loader.load_files(system) if isinstance(system, FileSystem) else loader.load_database(system)
            )
    return LoadResult(
        feed=feed_name,
        business_day=day,
        batches=sum(outcome.batches for outcome in outcomes),
        counts=sum((outcome.counts for outcome in outcomes), BatchCounts()),
        is_stale=any(outcome.is_stale for outcome in outcomes),
    )


def may_go_ahead(settings: Settings, feed_name: str, day: date, now: datetime | None = None) -> bool:
    """Tell whether waiting for a feed's day is over: its files are there, or the deadline has passed."""
    config = settings.feeds[feed_name]
    if config.deadline is not None and (now or datetime.now(UTC)) >= deadline(
        day, config.deadline, settings.zone
    ):
        return True
    systems = ((source, settings.systems[source.source]) for source in config.sources)
    return all(
        _has_arrived(system, source, day) for source, system in systems if isinstance(system, FileSystem)
    )


def batches_of_files(found: dict[str, list[DatedFile]], day: date) -> list[dict[str, Path]]:
    """Return which files make a batch, oldest day first, up to a business day.

    A single pattern makes one batch per file. Files that a query joins make one batch per day on which each
    dated pattern has its file, with the latest of the undated ones beside them.
    """
    due = {
        table: [file for file in files if file.day is None or file.day <= day]
        for table, files in found.items()
    }
    if len(due) == 1:
        return [{table: file.path} for table, files in due.items() for file in files]
    if not all(due.values()):
        return []
    latest = {table: files[-1].path for table, files in due.items()}
    by_day = {table: {file.day: file.path for file in files} for table, files in due.items() if files[-1].day}
    if not by_day:
        return [latest]
    common = sorted(set.intersection(*(set(days) for days in by_day.values())), key=str)
    return [latest | {table: days[day] for table, days in by_day.items()} for day in common]


def _has_arrived(system: FileSystem, source: FeedSource, day: date) -> bool:
    """Tell whether each dated file of a business day is there; undated files are never waited for."""
    return all(
        any(file.day == day for file in find_files(system.folder, pattern))
        for pattern in _patterns(source).values()
        if "%" in pattern
    )


def _patterns(source: FeedSource) -> dict[str, str]:
    assert source.files is not None
    return source.files if isinstance(source.files, dict) else {"rows": source.files}


@dataclass(frozen=True)
class _SourceLoad:
    """One source of one feed on one business day."""

    connection: psycopg.Connection[Any]
    settings: Settings
    feed: Feed
    source: FeedSource
    day: date

    def load_database(self, system: PostgresSystem) -> LoadResult:
        watermark = read_watermark(self.connection, self.feed.name, self.source.source)
        zone = self.settings.zone
        # An older day is read again from its own start; a missed day from where the last load ended.
        after = min(watermark, day_start(self.day, zone)) - self.source.lookback if watermark else None
        cursor = self.source.cursor
        window = Window(cursor, after=after, before=day_end(self.day, zone)) if cursor else None
        batch = PostgresBatch(system=system, feed=self.feed, source=self.source, window=window)
        return self._result(1, self._load(batch, completes_day=self.day), is_stale=False)

    def load_files(self, system: FileSystem) -> LoadResult:
        found = {
            table: find_files(system.folder, pattern) for table, pattern in _patterns(self.source).items()
        }
        groups = self._groups(found)
        counts = BatchCounts()
        for tables in groups:
            files = tuple(SourceFile(path.name, content_hash(path)) for path in tables.values())
            batch = ShapedBatch(
                feed=self.feed,
                source=self.source,
                time_zone=system.time_zone,
                tables={table: open_file(path, self.source) for table, path in tables.items()},
                files=files,
            )
            counts += self._load(batch, completes_day=None)
        is_dated = any("%" in pattern for pattern in _patterns(self.source).values())
        is_stale = is_dated and not _has_arrived(system, self.source, self.day)
        complete_day(
            self.connection,
            self.feed.name,
            self.source.source,
            self.day if is_dated else self._newest_day(),
            is_stale=is_stale,
        )
        return self._result(len(groups), counts, is_stale=is_stale)

    def _groups(self, found: dict[str, list[DatedFile]]) -> list[dict[str, Path]]:
        """Return the batches of files that are new: one per file, or one per set that a query joins."""
        if missing := [
            pattern
            for table, pattern in _patterns(self.source).items()
            if not found[table] and "%" not in pattern
        ]:
            raise WinbackError(
                f"feeds.{self.feed.name} from {self.source.source}: no file matches {', '.join(missing)}.",
                "put the file into the folder of that system, or correct the name in winback.yml",
            )
        groups = batches_of_files(found, self.day)
        return [tables for tables in groups if not self._is_known(tables)]

    def _is_known(self, tables: dict[str, Path]) -> bool:
        hashes = [content_hash(path) for path in tables.values()]
        row = self.connection.execute(
            "select count(distinct content_sha256) from ops.files"
            " where source_id = %s and feed = %s and content_sha256 = any(%s)",
            [self.source.source, self.feed.name, hashes],
        ).fetchone()
        return row is not None and row[0] == len(set(hashes))

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

    def _result(self, batches: int, counts: BatchCounts, *, is_stale: bool) -> LoadResult:
        return LoadResult(self.feed.name, self.day, batches, counts, is_stale)

    def _load(self, batch: Batch, completes_day: date | None) -> BatchCounts:
        """Take one batch through landing, checks and commit; on failure note it and keep what was landed."""
        batch_id = self._begin(batch.files)
        try:
            land(self.connection, self.feed, batch_id, batch)
            landing = landing_name(self.feed, batch_id)
            view = f"{landing}_checked"
            rules = suite_for(self.feed.name).row_rules()
            create_rules_view(self.connection, landing, view, rules)
            landed = LandedBatch(
                batch_id=batch_id,
                feed=self.feed,
                source_id=self.source.source,
                landing=landing,
                rules_view=view,
                rules=rules,
                results=evaluate(warehouse.url(), view, rules),
                files=batch.files,
                cursor=self.source.cursor,
            )
            counts = commit_batch(self.connection, landed, completes_day)
        except Exception as error:
            # Other errors may quote a row: only their kind is noted.
            said = str(error) if isinstance(error, WinbackError) else type(error).__name__
            self.connection.execute(
                "update ops.batches set status = 'failed', error = %s where batch_id = %s", [said, batch_id]
            )
            raise
        if counts.rows_inserted or counts.rows_updated:
            # A build may follow at once, before the server gathers statistics by itself.
            self.connection.execute(sql.SQL("analyze {}").format(sql.Identifier("raw", self.feed.name)))
        return counts

    def _begin(self, files: tuple[SourceFile, ...]) -> int:
        row = self.connection.execute(
            "insert into ops.batches (feed, source_id, business_day, status, file)"
            " values (%s, %s, %s, 'running', %s) returning batch_id",
            [self.feed.name, self.source.source, self.day, ", ".join(file.name for file in files) or None],
        ).fetchone()
        assert row is not None
        return int(row[0])
