"""Figures as they were sent, so that the next mail says which of them read otherwise today, and why."""

from typing import Any

import psycopg

from winback.report.definition import Report
from winback.report.period import Period
from winback.report.query import ReportRows
from winback.report.scope import Recipient


def note_figures(
    connection: psycopg.Connection[Any],
    report: Report,
    recipient: Recipient,
    period: Period,
    rows: ReportRows,
) -> None:
    """Note what a recipient's mail says, before it is handed over; a mail made anew takes the place."""
    figures = [(row["name"], row["value"]) for row in rows.blocks.get("figures", ())]
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into ops.report_figures (report, recipient, ends_on, figure, value)
            values (%s, %s, %s, %s, %s)
            on conflict (report, recipient, ends_on, figure)
            do update set value = excluded.value, noted_at = clock_timestamp()
            """,
            [(report.name, recipient.address.lower(), period.ends_on, *figure) for figure in figures],
        )
