"""What checks look at: a landed batch, which rows rules that look beyond a row have found, a column per rule.

All of it is fixed before the first check, so that checks and load can never disagree on what a bad row is: a
rule reads no clock, and what it looks up elsewhere is looked up once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from psycopg import sql

from winback.check.rules import RowRule
from winback.feeds import FEEDS


@dataclass(frozen=True)
class Origin:
    """When and where each row of a batch was delivered: `origin_day`, `origin_batch_id`, `origin_row`.

    They tell which of two deliveries of a row is newer.
    """

    columns: sql.Composable
    join: sql.Composable


def delivered_now(day: date, batch_id: int) -> Origin:
    """Return the origin of rows that come with their own batch."""
    return Origin(
        sql.SQL(
            "{}::date as origin_day, {}::bigint as origin_batch_id, landed.row_number as origin_row"
        ).format(day, batch_id),
        sql.SQL(""),
    )


def delivered_before(landing: str) -> Origin:
    """Return the origin of rows out of quarantine, as the table of origins tells it."""
    return Origin(
        sql.SQL("origins.quarantine_id, origins.origin_day, origins.origin_batch_id, origins.origin_row"),
        sql.SQL("inner join {} as origins on landed.row_number = origins.row_number").format(
            sql.Identifier("landing", origins_name(landing))
        ),
    )


def found_name(landing: str) -> str:
    """Return the name of the table of rows that were found to break a rule, inside schema `landing`."""
    return f"{landing}_found"


def measures_name(landing: str) -> str:
    """Return the name of the one-row table of what the whole batch measures, inside schema `landing`."""
    return f"{landing}_measures"


def origins_name(landing: str) -> str:
    """Return the name of the table of what rows out of quarantine were, inside schema `landing`."""
    return f"{landing}_origins"


def rules_view(landing: str) -> str:
    """Return the name of the view that shows, beside each landed row, which rules it breaks."""
    return f"{landing}_checked"


def find(
    connection: psycopg.Connection[Any],
    landing: str,
    rules: tuple[RowRule, ...],
    source_id: str,
    *,
    is_replay: bool = False,
) -> None:
    """Make the table of the rows that break rules which look beyond a row, with the names of these rules.

    Rows out of quarantine come without the rows that they once were compared with: what was found then, the
    table of origins tells.
    """
    queries: list[sql.Composable] = [sql.SQL("select ''::text as rule, 0::bigint as row_number where false")]
    for rule in rules:
        if rule.finds is None:
            continue
        names = names_of(landing, source_id)
        if _is_worth_it(connection, rule, names):
            found = sql.SQL(rule.finds).format(**names)
            queries.append(
                sql.SQL("select {}::text as rule, row_number from ({}) as broken").format(rule.name, found)
            )
        if is_replay and rule.compares_rows:
            queries.append(
                sql.SQL("select {0}::text as rule, row_number from {1} where {0} = any(reasons)").format(
                    rule.name, sql.Identifier("landing", origins_name(landing))
                )
            )
    table = sql.Identifier("landing", found_name(landing))
    # Created by itself, like the landing table: see load/landing.py.
    connection.execute(
        sql.SQL("create unlogged table {} (row_number bigint not null, rules text[] not null)").format(table)
    )
    connection.execute(
        sql.SQL(
            "insert into {} select row_number, array_agg(rule) from ({}) as found group by row_number"
        ).format(table, sql.SQL(" union all ").join(queries))
    )
    connection.execute(sql.SQL("analyze {}").format(table))


def _is_worth_it(
    connection: psycopg.Connection[Any], rule: RowRule, names: Mapping[str, sql.Composable]
) -> bool:
    if rule.finds_if is None:
        return True
    row = connection.execute(sql.SQL(rule.finds_if).format(**names)).fetchone()
    return row is not None and bool(row[0])


def names_of(landing: str, source_id: str) -> dict[str, sql.Composable]:
    """Return what `{name}` in the queries of rules stands for."""
    return {f"raw_{feed}": sql.Identifier("raw", feed) for feed in FEEDS} | {
        "landing": sql.Identifier("landing", landing),
        "source_id": sql.Literal(source_id),
    }


def create_rules_view(
    connection: psycopg.Connection[Any],
    landing: str,
    rules: tuple[RowRule, ...],
    thresholds: Mapping[str, sql.Literal],
    origin: Origin,
) -> str:
    """Make the view of every landed row with its origin and, per rule, 1 where the row breaks it, else 0.

    Return the view's name, inside schema `landing`.
    """
    broken = [
        sql.SQL("(case when {} then 1 else 0 end) as {}").format(
            sql.SQL("(" + rule.fails_when + ")").format(**thresholds),
            sql.Identifier(rule.name),
        )
        for rule in rules
    ]
    view = rules_view(landing)
    connection.execute(
        sql.SQL("create view {} as select landed.*, {}, {} from {} {}").format(
            sql.Identifier("landing", view),
            origin.columns,
            sql.SQL(", ").join(broken),
            as_landed(sql.Identifier("landing", landing), sql.Identifier("landing", found_name(landing))),
            origin.join,
        )
    )
    return view


def count_broken(
    connection: psycopg.Connection[Any], view: str, rules: tuple[RowRule, ...]
) -> dict[str, int]:
    """Count, by rule, the rows of a rules view that break it."""
    sums = [sql.SQL("coalesce(sum({}), 0)").format(sql.Identifier(rule.name)) for rule in rules]
    row = connection.execute(
        sql.SQL("select {} from {}").format(sql.SQL(", ").join(sums), sql.Identifier("landing", view))
    ).fetchone()
    assert row is not None
    return {rule.name: int(count) for rule, count in zip(rules, row, strict=True)}


def as_landed(table: sql.Identifier, found: sql.Identifier | None = None) -> sql.Composed:
    """Return what rules speak of: a table's rows, what was found about them, one moment for all checks."""
    moment = sql.Literal(datetime.now(UTC))
    if found is None:
        return sql.SQL(
            "(select *, {}::timestamptz as checked_at, null::text[] as found from {}) as landed"
        ).format(moment, table)
    return sql.SQL(
        "(select batch.*, {}::timestamptz as checked_at, found.rules as found"
        " from {} as batch left join {} as found using (row_number)) as landed"
    ).format(moment, table, found)
