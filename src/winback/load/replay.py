"""Rows out of quarantine, through the same checks and the same transaction as any other: each is loaded once.

A row that has been delivered anew since is older than that, and never overwrites it.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from winback import warehouse
from winback.check.landed import delivered_before, names_of, origins_name
from winback.check.rules import RowRule
from winback.check.suites import rules_for
from winback.config import FeedSource, Settings
from winback.errors import WinbackError
from winback.extract import Batch
from winback.feeds import FEEDS, Feed
from winback.load.attempt import attempt
from winback.load.checking import BatchCheck
from winback.load.commit import BatchCounts, LandedBatch, replay_batch
from winback.load.landing import land, landing_name
from winback.load.waiting import QUARANTINE_ID, batches_of, mended_batch

_SHOWN = 20


@dataclass(frozen=True)
class Replayed:
    """What a replay did: its rows' fates, why rows still wait, how many of a file wait no longer."""

    counts: BatchCounts
    refused: dict[int, tuple[str, ...]]
    not_open: int = 0


def replay(settings: Settings, feed_name: str, source_id: str, ids: Collection[int] = ()) -> Replayed:
    """Load rows that wait, by the rules and the mapping of today; all, unless some are named.

    Raises:
        WinbackError: a named row does not wait in quarantine, or a check stopped the replay.
    """
    with warehouse.connect(autocommit=True) as connection:
        place = _Place(connection, settings, FEEDS[feed_name], _source(settings, feed_name, source_id))
        with place.alone():
            waiting = place.waiting(ids)
            if missing := sorted(set(ids) - set(waiting)):
                raise WinbackError(
                    f"{feed_name} from {source_id}: {len(missing)} of {len(set(ids))} rows do not wait in "
                    f"quarantine ({', '.join(map(str, missing[:_SHOWN]))}); nothing was replayed.",
                    f"winback quarantine list {feed_name}",
                )
            done = place.replay(waiting)
        retry_waiting(connection, settings, feed_name)
    return done


def replay_file(settings: Settings, feed_name: str, source_id: str, file: Path) -> Replayed:
    """Load the rows of an exported file that a person has mended; those that wait no longer are let alone.

    Raises:
        WinbackError: the file cannot be read, a row has no number or the number of another row, or a check
            stopped the replay.
    """
    with warehouse.connect(autocommit=True) as connection:
        place = _Place(connection, settings, FEEDS[feed_name], _source(settings, feed_name, source_id))
        with place.alone():
            batch = mended_batch(place.feed, place.source, settings.systems[source_id], file)
            done = place.load(batch, place.newest_day(), file.name)
        retry_waiting(connection, settings, feed_name)
    return done


def retry_waiting(connection: psycopg.Connection[Any], settings: Settings, arrived: str) -> None:
    """Load what waited only for rows of a feed that has just been loaded, and then what waited for that."""
    for name, config in settings.feeds.items():
        waits = [rule for rule in rules_for(settings, name) if rule.waits_for is not None]
        if not any(arrived in (rule.waits_for, name) for rule in waits):
            continue
        loaded = 0
        for source in config.sources:
            place = _Place(connection, settings, FEEDS[name], source)
            with place.alone():
                if ids := place.no_longer_waiting(waits):
                    counts = place.replay(ids).counts
                    loaded += counts.rows_in - counts.rows_quarantined
        if loaded:  # fewer wait each time, so that this comes to an end
            retry_waiting(connection, settings, name)


def _source(settings: Settings, feed_name: str, source_id: str) -> FeedSource:
    feed = settings.feeds.get(feed_name)
    named = [source for source in feed.sources if source.source == source_id] if feed else []
    if not named:
        raise WinbackError(
            f"{feed_name} from {source_id}: no such source in winback.yml, so its rows cannot be read anew.",
            "configure it again, or discard its rows",
        )
    return named[0]


@dataclass(frozen=True)
class _Place:
    """The quarantine of one source of one feed."""

    connection: psycopg.Connection[Any]
    settings: Settings
    feed: Feed
    source: FeedSource

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Take turns with whoever else replays or discards rows of this feed."""
        with settling(self.connection, self.feed.name):
            yield

    def waiting(self, ids: Collection[int]) -> list[int]:
        """Return the numbers of the rows that wait: all, or those of some."""
        return self._ids("(%(ids)s::bigint[] = '{}' or quarantine_id = any(%(ids)s))", ids=list(ids))

    def no_longer_waiting(self, waits: list[RowRule]) -> list[int]:
        """Return the rows that wait for nothing but references, all of which are there now."""
        arrived = [
            sql.SQL("(not {} = any(waiting.reasons) or {})").format(
                sql.Literal(rule.name),
                sql.SQL(rule.has_arrived or "false").format(**names_of("", self.source.source)),
            )
            for rule in waits
        ]
        return self._ids(
            sql.SQL("reasons <@ %(names)s and ") + sql.SQL(" and ").join(arrived),
            names=[rule.name for rule in waits],
        )

    def _ids(self, condition: LiteralString | sql.Composable, **parameters: Any) -> list[int]:
        rows = self.connection.execute(
            sql.SQL(
                "select quarantine_id from {} as waiting"
                " where source_id = %(source_id)s and state = 'open' and {}"
            ).format(
                sql.Identifier("quarantine", self.feed.name),
                sql.SQL(condition) if isinstance(condition, str) else condition,
            ),
            {"source_id": self.source.source, **parameters},
        )
        return [quarantine_id for (quarantine_id,) in rows]

    def newest_day(self) -> date:
        """Return the last business day that a row which waits was delivered for."""
        row = self.connection.execute(
            sql.SQL(
                "select coalesce(max(business_day), current_date) from {}"
                " where source_id = %s and state = 'open'"
            ).format(sql.Identifier("quarantine", self.feed.name)),
            [self.source.source],
        ).fetchone()
        assert row is not None
        found: date = row[0]
        return found

    def replay(self, ids: list[int]) -> Replayed:
        """Load rows as they came."""
        system = self.settings.systems[self.source.source]
        done = Replayed(BatchCounts(), {})
        for batch in batches_of(self.feed, self.source, system, ids):
            part = self.load(batch, self.newest_day())
            done = Replayed(done.counts + part.counts, done.refused | part.refused)
        return done

    def load(self, batch: Batch, day: date, file: str | None = None) -> Replayed:
        """Take one batch through landing, checks and commit."""
        with attempt(
            self.connection, self.feed, self.source.source, day, files=file, kind="replay"
        ) as batch_id:
            landing = landing_name(self.feed, batch_id)
            rows = land(self.connection, self.feed, landing, batch)
            if file is not None:
                self._check_numbers(landing, file, rows)
            found = self._note_origins(landing, is_mended=file is not None)
            check = BatchCheck(self.connection, self.settings, self.feed, self.source, day, "replay")
            checked = check.run(batch_id, landing, delivered_before(landing))
            landed = LandedBatch(
                batch_id=batch_id,
                feed=self.feed,
                source_id=self.source.source,
                business_day=day,
                loaded_for=day,
                landing=landing,
                checked=checked,
            )
            counts, refused = replay_batch(self.connection, landed, is_mended=file is not None)
        return Replayed(counts, refused, rows - found)

    def _check_numbers(self, landing: str, file: str, rows: int) -> None:
        """Refuse a file in which rows cannot be told apart.

        Raises:
            WinbackError: rows without the number of a row in quarantine, or with the same.
        """
        row = self.connection.execute(
            sql.SQL(
                "select count(kept.quarantine_id), count(distinct kept.quarantine_id) from {} as landed"
                " left join {} as kept on kept.source_id = %s and kept.quarantine_id = {}"
            ).format(
                sql.Identifier("landing", landing),
                sql.Identifier("quarantine", self.feed.name),
                _NUMBER,
            ),
            [self.source.source],
        ).fetchone()
        assert row is not None
        known, distinct = row
        if known < rows or distinct < known:
            raise WinbackError(
                f"{file}: of {rows:,} rows, {rows - known:,} have no {QUARANTINE_ID} of {self.feed.name} "
                f"from {self.source.source}, and {known - distinct:,} repeat that of another; "
                "nothing was replayed.",
                f"keep the column {QUARANTINE_ID} of the export as it is, and each row once; "
                "rows that are new belong into the source",
            )

    def _note_origins(self, landing: str, *, is_mended: bool) -> int:
        """Note which waiting row each landed row is, and return how many are.

        What was found among the rows of its batch is known of a row as it came, not of a mended one.
        """
        table = sql.Identifier("landing", origins_name(landing))
        self.connection.execute(
            sql.SQL(
                "create unlogged table {} (row_number bigint, quarantine_id bigint, origin_day date,"
                " origin_batch_id bigint, origin_row bigint, reasons text[])"
            ).format(table)
        )
        noted = self.connection.execute(
            sql.SQL(
                "insert into {} select landed.row_number, kept.quarantine_id, kept.business_day,"
                " kept.load_batch_id, kept.row_number, case when %s then null else kept.reasons end"
                " from {} as landed inner join {} as kept on kept.source_id = %s and kept.state = 'open'"
                " and kept.quarantine_id = {}"
            ).format(
                table,
                sql.Identifier("landing", landing),
                sql.Identifier("quarantine", self.feed.name),
                _NUMBER,
            ),
            [is_mended, self.source.source],
        ).rowcount
        self.connection.execute(sql.SQL("analyze {}").format(table))
        return noted


# The number that a row carries among its texts; in a file that a person has edited it may be anything.
_NUMBER = sql.SQL(
    "case when landed.source_text::jsonb ->> 'quarantine_id' ~ '^[0-9]{1,18}$'"
    " then (landed.source_text::jsonb ->> 'quarantine_id')::bigint end"
)


@contextmanager
def settling(connection: psycopg.Connection[Any], feed: str) -> Iterator[None]:
    """Hold the lock under which rows of a feed's quarantine are settled by a person or a retry."""
    name = [f"winback quarantine {feed}"]
    connection.execute("select pg_advisory_lock(hashtextextended(%s, 0))", name)
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", name)
