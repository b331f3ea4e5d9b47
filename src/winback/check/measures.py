"""What a whole batch measures: how many rows, how many of them rejected, empty columns, amounts, categories.

One scan groups the landed rows by the values of their categories; all numbers are sums over these few groups.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from winback.check.rules import RowRule, Severity, Suite
from winback.config_checks import Usual
from winback.days import day_end, day_start
from winback.feeds import Feed

VOLUME, QUARANTINED_SHARE = "volume", "quarantined_share"
# What stands in a mix for empty values, and for all that are not among the most frequent.
NULL, OTHER = "null", "other"
VALUES_KEPT = 20


def null_share_name(column: str) -> str:
    """Return the name of the check of a column's share of empty values."""
    return f"null_share_{column}"


def typical_name(column: str) -> str:
    """Return the name of the check of a column's typical amount."""
    return f"typical_{column}"


def mix_name(column: str) -> str:
    """Return the name of the check of a column's mix of values."""
    return f"mix_of_{column}"


@dataclass(frozen=True)
class Delivery:
    """Whose batch it is, and for which business day.

    `is_daily` tells that the batch brings the rows of its day; others bring all rows that their source has.
    """

    feed: Feed
    source_id: str
    day: date
    zone: ZoneInfo
    is_daily: bool

    @property
    def has_moments(self) -> bool:
        """Tell whether events have a moment, and not only a day."""
        event = self.feed.event_column
        return event is not None and self.feed.column(event).type == "timestamptz"

    def bounds(self, first: date) -> dict[str, date | datetime]:
        """Return where the events from a first day up to the business day begin and end."""
        if self.has_moments:
            return {"start": day_start(first, self.zone), "end": day_end(self.day, self.zone)}
        return {"start": first, "end": self.day + timedelta(days=1)}

    def day_of(self, event: date | datetime | None) -> date | None:
        """Return the business day of an event."""
        return event.astimezone(self.zone).date() if isinstance(event, datetime) else event


@dataclass(frozen=True)
class Measures:
    """What one batch measures; by column, its share of empty values, its typical amount, its mix of values.

    `rows` are the good ones, `volume` those of the business day where the batch is about one. `newest` is the
    day of the newest event up to then. `rows_failed` counts, by rule, the rows that break it. A batch of few
    rows measures nothing by column: a row could be told from it.
    """

    delivery: Delivery
    rows_in: int
    rows: int
    volume: int
    rows_failed: Mapping[str, int] = field(default_factory=dict)
    quarantined_share: float | None = None
    newest: date | None = None
    null_shares: Mapping[str, float | None] = field(default_factory=dict)
    typical: Mapping[str, float | None] = field(default_factory=dict)
    mixes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def measure(
    connection: psycopg.Connection[Any],
    delivery: Delivery,
    suite: Suite,
    rules: tuple[RowRule, ...],
    filled: Iterable[str],
    *,
    usual: Usual,
    rules_view: str,
    table: str,
) -> Measures:
    """Measure a landed batch: make a one-row table inside schema `landing`, and return what it says.

    `filled` are the columns that the source maps. Rows of the business day that are in the warehouse already
    count too: a day that is read once more lacks the rows that have changed since.
    """
    feed, mapped = delivery.feed, set(filled)
    optional = [name for name in feed.column_names if name in mapped and name not in feed.required]
    amounts = [name for name in suite.amounts if name in mapped]
    categories = [name for name in suite.categories if name in mapped]
    rejecting = [f'"{rule.name}" = 1' for rule in rules if rule.severity is Severity.REJECT]
    counted, measured = _rows(delivery)
    counted += [f'sum("{rule.name}") as "{rule.name}"' for rule in rules]
    for name in optional:
        counted.append(f"count({name}) as filled_{name}")
        measured.append(f"(1 - sum(filled_{name}) / sum(rows))::float8 as {null_share_name(name)}")
    for name in amounts:
        # Without zero, and without what float8 cannot hold.
        has_logarithm = f"filter (where abs({name}) between 1e-300 and 1e300)"
        counted.append(f"count(*) {has_logarithm} as logarithms_{name}")
        counted.append(f"sum(ln(abs({name}::float8))) {has_logarithm} as sum_{name}")
        measured.append(f"exp(sum(sum_{name}) / nullif(sum(logarithms_{name}), 0)) as {typical_name(name)}")
    measured += [_counts_of(name) for name in categories]
    failed = ", ".join(f'coalesce(sum("{rule.name}"), 0)' for rule in rules)
    statement = f"""
        create table landing.{table} as
        with counted as materialized (
            select ({" or ".join(rejecting) or "false"}) as is_rejected, {", ".join([*categories, *counted])}
            from landing.{rules_view}
            group by {", ".join(str(place) for place in range(1, len(categories) + 2))}
        ),

        good as (
            select * from counted where not is_rejected
        )

        select
            (select coalesce(sum(rows), 0)::bigint from counted) as rows_in,
            (
                select (coalesce(sum(rows) filter (where is_rejected), 0) / sum(rows))::float8 from counted
            ) as {QUARANTINED_SHARE},
            (select jsonb_build_array({failed}) from counted) as rows_failed,
            {", ".join(measured)}
        from good
    """
    # PostgreSQL takes no parameters for a table that it creates, so they are filled in here.
    with psycopg.ClientCursor(connection, row_factory=dict_row) as cursor:
        cursor.execute(statement, {"source_id": delivery.source_id, **delivery.bounds(delivery.day)})
        row = cursor.execute(f"select * from landing.{table}").fetchone()
    assert row is not None
    rows = row["rows_good"]
    tells = rows >= usual.rows
    return Measures(
        delivery=delivery,
        rows_in=row["rows_in"],
        rows=rows,
        volume=int(row[VOLUME]),
        rows_failed={rule.name: count for rule, count in zip(rules, row["rows_failed"], strict=True)},
        quarantined_share=row[QUARANTINED_SHARE],
        newest=delivery.day_of(row["newest"]),
        null_shares={name: row[null_share_name(name)] if tells else None for name in optional},
        typical={name: row[typical_name(name)] if tells else None for name in amounts},
        mixes={name: _shares(row[f"counts_of_{name}"], rows) if tells else {} for name in categories},
    )


def complete_measures(
    connection: psycopg.Connection[Any], table: str, observed: Mapping[str, float | None]
) -> None:
    """Add to the table of what a batch measures what only the comparison with earlier ones tells."""
    columns = [
        sql.SQL("add column if not exists {} float8 default {}").format(sql.Identifier(name), value)
        for name, value in observed.items()
    ]
    if columns:
        table_name = sql.Identifier("landing", table)
        connection.execute(sql.SQL("alter table {} {}").format(table_name, sql.SQL(", ").join(columns)))


def note_measures(
    connection: psycopg.Connection[Any], *, batch_id: int, feed: str, source_id: str, measures: Measures
) -> None:
    """Keep what a batch measures, for later batches of its source to be compared with."""
    batch = (batch_id, feed, source_id, measures.delivery.day)
    noted: list[tuple[str, str, float | None]] = [
        (VOLUME, "", measures.volume),
        (QUARANTINED_SHARE, "", measures.quarantined_share),
        *((null_share_name(name), "", share) for name, share in measures.null_shares.items()),
        *((typical_name(name), "", amount) for name, amount in measures.typical.items()),
        *(
            (mix_name(name), value, share)
            for name, shares in measures.mixes.items()
            for value, share in _most_frequent(shares).items()
        ),
    ]
    connection.cursor().executemany(
        "insert into ops.batch_measures (batch_id, feed, source_id, business_day, measure, subject, value)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        [(*batch, *number) for number in noted if number[-1] is not None],
    )


def _rows(delivery: Delivery) -> tuple[list[str], list[str]]:
    """Return what is counted of the rows of each group, and what the groups add up to."""
    counted, measured = ["count(*) as rows"], ["coalesce(sum(rows), 0)::bigint as rows_good"]
    event, volume, newest = delivery.feed.event_column, "sum(rows)", "null"
    if event is not None:
        of_day = f"{event} >= %(start)s and {event} < %(end)s"
        counted.append(f"count(*) filter (where {of_day}) as rows_of_day")
        counted.append(f"max({event}) filter (where {event} < %(end)s) as newest")
        newest = "max(newest)"
    if event is not None and delivery.is_daily:
        known = f"select count(*) from raw.{delivery.feed.name} where source_id = %(source_id)s and {of_day}"
        volume = f"greatest(sum(rows_of_day), ({known}))"
    return counted, [*measured, f"coalesce({volume}, 0)::float8 as {VOLUME}", f"{newest} as newest"]


def _counts_of(category: str) -> str:
    """Return the column that counts each value of a category, by a digest of it."""
    digest = f"left(encode(sha256(convert_to({category}::text, 'UTF8')), 'hex'), 16)"
    return (
        "(select jsonb_object_agg(value, rows) from"
        f" (select coalesce({digest}, '{NULL}') as value, sum(rows) as rows from good group by 1) as counts)"
        f" as counts_of_{category}"
    )


def _shares(counts: Mapping[str, int], rows: int) -> dict[str, float]:
    return {value: count / rows for value, count in counts.items()}


def _most_frequent(shares: Mapping[str, float]) -> dict[str, float]:
    """Keep the most frequent values, and count the rest together."""
    filled = sorted(shares.keys() - {NULL}, key=lambda value: (-shares[value], value))
    kept = {value: shares[value] for value in (*filled[:VALUES_KEPT], *(shares.keys() & {NULL}))}
    rest = filled[VALUES_KEPT:]
    return kept | ({OTHER: sum(shares[value] for value in rest)} if rest else {})
