"""Load a feed for a business day: extract, land, check, commit. Safe to repeat, in any order, by twins."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from winback import warehouse
from winback.check.suites import in_load_order
from winback.config import FeedConfig, FileSystem, Settings
from winback.days import deadline
from winback.errors import WinbackError
from winback.feeds import FEEDS
from winback.incidents import close_incidents, stopped_days
from winback.load.arrivals import has_arrived
from winback.load.commit import BatchCounts
from winback.load.replay import retry_waiting
from winback.load.source import SourceLoad, SourceResult
from winback.warehouse.schema import ensure_schema

# A batch's keys are sorted and joined several times; by default each sort of over 4 MB uses the disk.
_SORT_IN_MEMORY = "set work_mem = '64MB'"


@dataclass(frozen=True)
class LoadResult:
    """What a load did: counts and names of columns only, fit for logs and XCom."""

    feed: str
    business_day: date
    batches: int
    counts: BatchCounts
    is_stale: bool
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "feed": self.feed,
            "business_day": self.business_day.isoformat(),
            "batches": self.batches,
            "is_stale": self.is_stale,
            **asdict(self.counts),
            **({"notes": list(self.notes)} if self.notes else {}),
        }


def load_feed(
    settings: Settings,
    feed_name: str,
    day: date,
    *,
    accepts_deletes: bool = False,
    accepts: Iterable[str] = (),
) -> LoadResult:
    """Load every source of a feed up to and including a business day.

    A day without rows is complete all the same. A dated file that has not come makes the day stale:
    the build may go ahead without it, and the reports say so. `accepts_deletes` lets any number of rows
    that the source no longer has be marked as deleted, once. `accepts` names checks that may fail for this
    day instead of stopping a batch. A source that was stopped on an earlier day goes on with that day: what
    was held back must not come in with the next day unjudged. Rows in quarantine that waited for these are
    retried.

    Raises:
        WinbackError: the feed is not configured, a source cannot be read, or a check stopped a batch; nothing
            of that batch is loaded.
    """
    feed = configured_feed(settings, feed_name)
    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        connection.execute(_SORT_IN_MEMORY)
        outcomes = [
            SourceLoad(
                connection,
                settings,
                FEEDS[feed_name],
                source,
                due,
                accepts_deletes,
                frozenset(accepts if due == day else ()),
            ).load()
            for source in feed.sources
            for due in (*stopped_days(connection, f"{feed_name} from {source.source}", day), day)
        ]
        retry_waiting(connection, settings, feed_name)
        close_incidents(connection, "load", feed_name, day)
    return summed(feed_name, day, outcomes)


def configured_feed(settings: Settings, feed_name: str) -> FeedConfig:
    """Return a feed of this deployment.

    Raises:
        WinbackError: it is not configured.
    """
    if feed_name not in settings.feeds:
        raise WinbackError(
            f"feeds.{feed_name}: not configured; configured are {', '.join(sorted(settings.feeds))}.",
            "add it to winback.yml or load another feed",
        )
    return settings.feeds[feed_name]


def chosen_feeds(settings: Settings, named: Iterable[str]) -> list[str]:
    """Return the feeds that are named, or all that are configured where none is, in the order to load them.

    Raises:
        WinbackError: one of them is not configured.
    """
    chosen = [name for name in named if configured_feed(settings, name)]
    return in_load_order(settings, chosen or settings.feeds)


def summed(feed_name: str, day: date, outcomes: list[SourceResult]) -> LoadResult:
    """Add up what the loads of a feed's sources did."""
    return LoadResult(
        feed=feed_name,
        business_day=day,
        batches=sum(outcome.batches for outcome in outcomes),
        counts=sum((outcome.counts for outcome in outcomes), BatchCounts()),
        is_stale=any(outcome.is_stale for outcome in outcomes),
        notes=tuple(note for outcome in outcomes for note in outcome.notes),
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
        has_arrived(system, source, day) for source, system in systems if isinstance(system, FileSystem)
    )
