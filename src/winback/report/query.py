"""Read what one report shows one recipient, all from one moment of the warehouse."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import dict_row

from winback.publish import reading_marts
from winback.report.definition import Report
from winback.report.period import Period
from winback.report.scope import Recipient, ScopedCustomers, create_scope_table, fill_scoped_customers

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ReportRows:
    """The rows of each block, and the scope that they were read for."""

    scope: ScopedCustomers
    blocks: Mapping[str, tuple[Row, ...]]


def read_rows(
    connection: psycopg.Connection[Any],
    report: Report,
    recipient: Recipient,
    period: Period,
    as_of_date: date,
) -> ReportRows | None:
    """Run a report's queries in one read-only snapshot; return None for a manager who left.

    Queries may use: as_of_date, starts_on, ends_on, language, and the parameters of `report.yml`.
    The connection must not be inside a transaction.
    """
    parameters = {
        **report.file.parameters,
        "as_of_date": as_of_date,
        "starts_on": period.starts_on,
        "ends_on": period.ends_on,
        "language": recipient.language,
    }
    with connection.transaction():
        create_scope_table(connection)  # a temp table cannot be made, but can be filled, in a read-only one
    with (
        reading_marts(connection),
        connection.transaction(),
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        cursor.execute("set transaction isolation level repeatable read read only")
        scope = fill_scoped_customers(connection, recipient, as_of_date)
        if scope is None:
            return None
        blocks = {block: tuple(cursor.execute(query, parameters)) for block, query in report.queries}
    return ReportRows(scope, blocks)
