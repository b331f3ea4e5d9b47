"""Which rows wait in quarantine, and one of them whole."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql

from winback.config import Settings
from winback.errors import WinbackError
from winback.feeds import FEEDS

OPEN = "open"


@dataclass(frozen=True)
class WaitingRows:
    """How many rows of a source are in quarantine for the same reasons."""

    feed: str
    source_id: str
    reasons: tuple[str, ...]
    state: str
    rows: int
    first_day: date
    last_day: date


@dataclass(frozen=True)
class QuarantinedRow:
    """One row with all that is known of it; `values` are personal, and for the eyes of whoever asked."""

    quarantine_id: int
    source_id: str
    business_day: date
    batch_id: int
    row_number: int
    state: str
    settled_at: datetime | None
    settled_because: str | None
    reasons: dict[str, str]
    values: dict[str, str | None]


def list_rows(
    connection: psycopg.Connection[Any], feeds: list[str], *, state: str | None = OPEN
) -> list[WaitingRows]:
    """Count the rows in quarantine by feed, source, reasons and state; `state` None means all."""
    found = []
    for feed in feeds:
        rows = connection.execute(
            sql.SQL(
                "select source_id, reasons, state, count(*), min(business_day), max(business_day) from {}"
                " where %(state)s::text is null or state = %(state)s"
                " group by source_id, reasons, state order by source_id, count(*) desc, reasons"
            ).format(sql.Identifier("quarantine", feed)),
            {"state": state},
        )
        found += [
            WaitingRows(feed, source, tuple(reasons), state_of, *rest)
            for source, reasons, state_of, *rest in rows
        ]
    return found


def read_row(connection: psycopg.Connection[Any], feed: str, quarantine_id: int) -> QuarantinedRow:
    """Return one row of a feed's quarantine, with what each of its reasons protects.

    Raises:
        WinbackError: there is no such row.
    """
    row = connection.execute(
        sql.SQL(
            "select quarantine_id, source_id, business_day, load_batch_id, row_number, state, settled_at,"
            " settled_because, reasons, {} from {} where quarantine_id = %s"
        ).format(TEXT_OF_ROW, sql.Identifier("quarantine", feed)),
        [quarantine_id],
    ).fetchone()
    if row is None:
        raise WinbackError(
            f"{feed}: no row {quarantine_id} in quarantine.", f"winback quarantine list {feed} --state all"
        )
    number, source, day, batch, place, state, settled_at, because, reasons, values = row
    protects = dict(
        connection.execute("select expectation, protects_en from ops.expectations where feed = %s", [feed])
    )
    return QuarantinedRow(
        quarantine_id=number,
        source_id=source,
        business_day=day,
        batch_id=batch,
        row_number=place,
        state=state,
        settled_at=settled_at,
        settled_because=because,
        reasons={name: protects.get(name, "") for name in reasons},
        values=values,
    )


# A row as its source wrote it, or its values under the feed's names where the source is typed; text either
# way, since a number must not pass through a float.
TEXT_OF_ROW = sql.SQL(
    "coalesce(source_text, (select jsonb_object_agg(key, value) from jsonb_each_text(typed_values)))"
)


def in_reading_order(settings: Settings, feed: str, source_id: str, names: Iterable[str]) -> list[str]:
    """Sort the columns of a source's rows: first what the mapping reads, as the feed has it, then by name.

    The warehouse keeps no order of its own.
    """
    configured = settings.feeds.get(feed)
    sources = [source for source in configured.sources if source.source == source_id] if configured else []
    columns = sources[0].columns if sources else {}
    mapped = [str(columns[name].column) if name in columns else name for name in FEEDS[feed].column_names]
    places = {name: place for place, name in enumerate((*mapped, *FEEDS[feed].column_names))}
    return sorted(names, key=lambda name: (places.get(name, len(places)), name))


def check_feed(feed: str) -> str:
    """Return a feed's name.

    Raises:
        WinbackError: there is no such feed.
    """
    if feed not in FEEDS:
        raise WinbackError(f"No feed is called {feed!r}.", f"choose among: {', '.join(FEEDS)}")
    return feed


def the_source(connection: psycopg.Connection[Any], feed: str, named: str | None) -> str:
    """Return the source that is meant: the one that is named, or the only one of which rows wait.

    Raises:
        WinbackError: none is named, and rows of several wait, or of none.
    """
    if named is not None:
        return named
    found = [
        source
        for (source,) in connection.execute(
            sql.SQL("select distinct source_id from {} where state = 'open' order by 1").format(
                sql.Identifier("quarantine", feed)
            )
        )
    ]
    if len(found) != 1:
        raise WinbackError(
            f"{feed}: rows of {', '.join(found)} wait." if found else f"{feed}: no row waits.",
            "name one with --source" if found else "winback quarantine list --state all",
        )
    return str(found[0])


def as_table(found: list[WaitingRows]) -> str:
    """Write what is in quarantine as a table."""
    lines = [("feed", "source", "rows", "days", "state", "reasons")] + [
        (
            one.feed,
            one.source_id,
            f"{one.rows:,}",
            str(one.first_day) if one.first_day == one.last_day else f"{one.first_day} to {one.last_day}",
            one.state,
            ", ".join(one.reasons),
        )
        for one in found
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def as_page(settings: Settings, feed: str, row: QuarantinedRow) -> str:
    """Write one row whole."""
    names = in_reading_order(settings, feed, row.source_id, row.values)
    settled = f" {row.settled_at:%Y-%m-%d %H:%M}" if row.settled_at else ""
    because = f" ({row.settled_because})" if row.settled_because else ""
    width = max(map(len, row.values), default=0)
    return "\n".join(
        [
            f"{feed} from {row.source_id}, row {row.quarantine_id}: {row.state}{settled}{because}",
            f"delivered for {row.business_day}, batch {row.batch_id}, row {row.row_number} of it",
            "",
            *(f"  {name}: {protects}" for name, protects in row.reasons.items()),
            "",
            *(f"  {name.ljust(width)}  {row.values[name] or '-'}" for name in names),
        ]
    )
