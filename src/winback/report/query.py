"""Read what one report shows one recipient, all from one moment of the warehouse."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from winback.publish import reading_marts
from winback.report.definition import Report
from winback.report.period import Period
from winback.report.scope import Recipient, ScopedCustomers, create_scope_table, fill_scoped_customers

Row = Mapping[str, Any]

# `feeds`: what came in since, about days that the mail was about.
_FILL_FIGURES_AS_SENT = """
insert into figures_as_sent (name, value, feeds)
select
    sent.figure,
    sent.value,
    array(
        select distinct batches.feed
        from ops.batches
        where batches.status = 'committed'
            and batches.committed_at > sent.noted_at
            and batches.business_day <= sent.ends_on
            and batches.rows_inserted + batches.rows_updated + batches.rows_deleted > 0
        order by batches.feed
    )
from ops.report_figures as sent
where sent.report = %(report)s and sent.recipient = lower(%(address)s) and sent.ends_on = %(ends_on)s
"""


@dataclass(frozen=True)
class ReportRows:
    """The rows of each block, those of the page that is attached, and the scope that they were read for."""

    scope: ScopedCustomers
    blocks: Mapping[str, tuple[Row, ...]]
    page: Mapping[str, tuple[Row, ...]] | None = None


def read_rows(
    connection: psycopg.Connection[Any],
    report: Report,
    recipient: Recipient,
    period: Period,
    as_of_date: date,
) -> ReportRows | None:
    """Run a report's queries in one read-only snapshot; return None for a manager who left.

    Queries may use: as_of_date, starts_on, ends_on, before_ends_on (the end of the period before),
    year_before_ends_on, language, scope_kind, scope_key, and the parameters of `report.yml`; those of a page
    also customer_keys, and `page.yml`'s parameters instead. The connection must not be inside a transaction.
    """
    before_ends_on = period.starts_on - timedelta(days=1)
    parameters = {
        "as_of_date": as_of_date,
        "starts_on": period.starts_on,
        "ends_on": period.ends_on,
        "before_ends_on": before_ends_on,
        "year_before_ends_on": period.year_before,
        "language": recipient.language,
        "scope_kind": recipient.scope.kind,
        "scope_key": recipient.scope.key,
    }
    with connection.transaction():  # a temp table cannot be made, but can be filled, in a read-only one
        create_scope_table(connection)
        connection.execute(
            "create temp table if not exists figures_as_sent (name text, value numeric, feeds text[])"
            " on commit delete rows"
        )
    with (
        reading_marts(connection),
        connection.transaction(),
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        cursor.execute("set transaction isolation level repeatable read read only")
        scope = fill_scoped_customers(connection, recipient, as_of_date)
        if scope is None:
            return None
        sent = {"report": report.name, "address": recipient.address, "ends_on": before_ends_on}
        cursor.execute(_FILL_FIGURES_AS_SENT, sent)
        blocks = _run(cursor, report, parameters)
        page = None
        if report.page is not None and report.file.page is not None:
            keys = report.file.page.customers(blocks)
            page = _run(cursor, report.page, {**parameters, "customer_keys": keys}) if keys else {}
    return ReportRows(scope, blocks, page)


def _run(
    cursor: psycopg.Cursor[dict[str, Any]], report: Report, parameters: Mapping[str, Any]
) -> dict[str, tuple[Row, ...]]:
    values = {**report.file.parameters, **parameters}
    return {block: tuple(cursor.execute(query, values)) for block, query in report.queries}
