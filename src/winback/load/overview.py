"""Where every feed stands: last batch, watermark, lag, rows. For a person at the command line."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql

from winback.config import Settings


@dataclass(frozen=True)
class FeedStatus:
    """One source of one feed; `lag_days` counts the business days since the newest one that is loaded."""

    feed: str
    source: str
    last_batch: str | None
    last_batch_at: datetime | None
    watermark: datetime | None
    newest_day: date | None
    lag_days: int | None
    rows: int
    deleted: int
    quarantined: int


def feed_statuses(connection: psycopg.Connection[Any], settings: Settings, today: date) -> list[FeedStatus]:
    """Return where each configured source of each feed stands; a source never loaded has no days."""
    return [
        _status(connection, feed, source.source, today)
        for feed, config in settings.feeds.items()
        for source in config.sources
    ]


def _status(connection: psycopg.Connection[Any], feed: str, source_id: str, today: date) -> FeedStatus:
    parameters = {"feed": feed, "source_id": source_id}
    row = connection.execute(
        sql.SQL(
            """
            select
                last_batch.status,
                coalesce(last_batch.committed_at, last_batch.started_at),
                (
                    select cursor_value from ops.watermarks
                    where feed = %(feed)s and source_id = %(source_id)s
                ),
                (
                    select max(business_day) from ops.feed_days
                    where feed = %(feed)s and source_id = %(source_id)s and not is_stale
                ),
                kept.live,
                kept.deleted,
                (select count(*) from {quarantine} where source_id = %(source_id)s)
            from (
                select count(*) filter (where deleted_on is null), count(deleted_on)
                from {raw} where source_id = %(source_id)s
            ) as kept (live, deleted)
            left join lateral (
                select status, started_at, committed_at from ops.batches
                where feed = %(feed)s and source_id = %(source_id)s
                order by batch_id desc limit 1
            ) as last_batch on true
            """
        ).format(raw=sql.Identifier("raw", feed), quarantine=sql.Identifier("quarantine", feed)),
        parameters,
    ).fetchone()
    assert row is not None
    status, at, watermark, newest, live, deleted, quarantined = row
    lag = (today - newest).days - 1 if newest else None
    return FeedStatus(feed, source_id, status, at, watermark, newest, lag, live, deleted, quarantined)


def as_table(statuses: list[FeedStatus], zone: Any) -> str:
    """Write the statuses as a table, moments in the business time zone, `-` where there is none yet."""
    head = (
        "feed",
        "source",
        "last batch",
        "at",
        "watermark",
        "newest day",
        "lag",
        "rows",
        "deleted",
        "quarantined",
    )
    lines = [head] + [
        (
            one.feed,
            one.source,
            one.last_batch or "never",
            _moment(one.last_batch_at, zone),
            _moment(one.watermark, zone),
            str(one.newest_day or "-"),
            "-" if one.lag_days is None else f"{max(one.lag_days, 0)} d",
            f"{one.rows:,}",
            f"{one.deleted:,}",
            f"{one.quarantined:,}",
        )
        for one in statuses
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _moment(moment: datetime | None, zone: Any) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M") if moment else "-"
