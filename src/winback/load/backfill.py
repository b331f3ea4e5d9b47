"""Load history once more, in pieces: each is a batch of its own, and an interrupted run goes on."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

import psycopg

from winback import warehouse
from winback.config import FileSystem, Settings
from winback.errors import WinbackError
from winback.feeds import FEEDS
from winback.incidents import close_incidents
from winback.load import LoadResult, configured_feed, summed
from winback.load.replay import retry_waiting
from winback.load.source import SourceLoad, SourceResult
from winback.warehouse.schema import ensure_schema

Piece = tuple[date, date]


def backfill_feed(
    settings: Settings,
    feed_name: str,
    first: date,
    last: date,
    say: Callable[[str], None] = print,
    *,
    accepts: Iterable[str] = (),
) -> LoadResult:
    """Load the rows of business days `first` to `last` of every source of a feed, month by month.

    Safe beside the daily load, which takes turns with each piece; the watermark stays where it is. Pieces
    that an interrupted backfill of the same days has committed are not read again. `say` is told of each.
    `accepts` names checks that may fail instead of stopping a piece.

    Raises:
        WinbackError: the feed is not configured, the days are no range of past days, a source cannot be read,
            or a check stopped a piece; the pieces before the failing one stay.
    """
    feed = configured_feed(settings, feed_name)
    _check_range(first, last, datetime.now(settings.zone).date())
    outcomes: list[SourceResult] = []
    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        for source in feed.sources:
            load = SourceLoad(
                connection, settings, FEEDS[feed_name], source, last, accepts=frozenset(accepts)
            )
            if isinstance(load.system, FileSystem) or not load.has_range():
                pieces = [(first, last)]  # files are pieces already; a table without days is read whole
            else:
                pieces = months(first, last)
            done = _done(connection, feed_name, source.source)
            for number, piece in enumerate(pieces, 1):
                where = (
                    f"{feed_name} from {source.source}, {piece[0]} to {piece[1]} ({number} of {len(pieces)})"
                )
                if piece in done:
                    say(f"{where}: loaded before")
                    continue
                outcome = load.backfill(*piece)
                outcomes.append(outcome)
                say(f"{where}: {outcome.counts.rows_in:,} rows, {outcome.counts.rows_inserted:,} new")
            _forget(connection, feed_name, source.source, first, last)
        retry_waiting(connection, settings, feed_name)
        close_incidents(connection, "load", f"backfill of {feed_name}", last)
    return summed(feed_name, last, outcomes)


def months(first: date, last: date) -> list[Piece]:
    """Cut a range of days at the months' ends, so that the same days always give the same pieces."""
    pieces = []
    while first <= last:
        next_month = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        pieces.append((first, min(last, next_month - timedelta(days=1))))
        first = next_month
    return pieces


def _check_range(first: date, last: date, today: date) -> None:
    if first > last:
        raise WinbackError(f"from {first} to {last} holds no day.", "give the earlier day with --from")
    if last >= today:
        raise WinbackError(
            f"{last} is not over yet, so it cannot be loaded as history.",
            f"give a day before {today} with --to; the daily load brings the rest",
        )


def _done(connection: psycopg.Connection[Any], feed: str, source_id: str) -> set[Piece]:
    rows = connection.execute(
        "select from_day, to_day from ops.backfilled_days where feed = %s and source_id = %s",
        [feed, source_id],
    )
    return {(first, last) for first, last in rows}


def _forget(connection: psycopg.Connection[Any], feed: str, source_id: str, first: date, last: date) -> None:
    """Drop the notes of a backfill that is through: the next one of these days reads them again."""
    connection.execute(
        "delete from ops.backfilled_days"
        " where feed = %s and source_id = %s and from_day >= %s and to_day <= %s",
        [feed, source_id, first, last],
    )
