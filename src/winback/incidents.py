"""Incidents: what went wrong, from the first time until it is right again (`ops.incidents`).

A place is a stage and a subject: load of `orders from erp`, build of the `warehouse`, report
`weekly_retention`. Texts hold no row's values: of an error that users are not meant to read, only the kind
is noted.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import psycopg

from winback.errors import WinbackError

Stage = Literal["load", "build", "report"]


@dataclass(frozen=True)
class Incident:
    """Where something went wrong, on which business day."""

    incident_id: int
    stage: Stage
    subject: str
    business_day: date


def open_incident(  # noqa: PLR0917 -- where (three), and what (two)
    connection: psycopg.Connection[Any],
    stage: Stage,
    subject: str,
    day: date,
    problem: str,
    what_to_do: str,
    batch_id: int | None = None,
) -> int:
    """Note what went wrong and return the incident's number; an open one is brought up to date."""
    row = connection.execute(
        """
        insert into ops.incidents (stage, subject, business_day, problem, what_to_do, batch_id)
        values (%s, %s, %s, %s, %s, %s)
        on conflict (stage, subject, business_day) where closed_at is null do update set
            problem = excluded.problem,
            what_to_do = excluded.what_to_do,
            batch_id = excluded.batch_id
        returning incident_id
        """,
        [stage, subject, day, problem, what_to_do, batch_id],
    ).fetchone()
    assert row is not None
    return int(row[0])


def close_incidents(connection: psycopg.Connection[Any], stage: Stage, subject: str, day: date) -> None:
    """Close a place's incidents up to and including a day: what succeeds makes up for earlier days too."""
    connection.execute(
        "update ops.incidents set closed_at = clock_timestamp()"
        " where closed_at is null and stage = %s and subject = %s and business_day <= %s",
        [stage, subject, day],
    )


def stopped_days(connection: psycopg.Connection[Any], subject: str, before: date) -> list[date]:
    """Return the business days before another that a check stopped, and that nobody has accepted yet."""
    rows = connection.execute(
        "select business_day from ops.incidents where closed_at is null and stage = 'load'"
        " and subject = %s and business_day < %s order by business_day",
        [subject, before],
    )
    return [day for (day,) in rows]


def is_incident_open(connection: psycopg.Connection[Any], stage: Stage, subject: str, day: date) -> bool:
    """Tell whether an incident is open for a place or a part of it: `orders from erp` is one of `orders`."""
    row = connection.execute(
        "select exists (select from ops.incidents"
        " where closed_at is null and stage = %(stage)s and business_day = %(day)s"
        " and (subject = %(subject)s or starts_with(subject, %(subject)s || ' from ')))",
        {"stage": stage, "subject": subject, "day": day},
    ).fetchone()
    return row is not None and bool(row[0])


def open_incidents(connection: psycopg.Connection[Any]) -> tuple[Incident, ...]:
    """Return what is wrong now, by business day."""
    rows = connection.execute(
        "select incident_id, stage, subject, business_day from ops.incidents where closed_at is null"
        " order by business_day, incident_id"
    )
    return tuple(Incident(*row) for row in rows)


@contextmanager
def incident_on_failure(
    connection: psycopg.Connection[Any], stage: Stage, subject: str, day: date
) -> Iterator[None]:
    """Open an incident when what happens inside fails, close the place's incidents when it succeeds.

    The error goes on as it was, even where the incident cannot be noted.
    """
    try:
        yield
    except Exception as error:
        with suppress(psycopg.Error):
            open_incident(connection, stage, subject, day, *described(error, f"The {stage} ({subject})"))
        raise
    close_incidents(connection, stage, subject, day)


def described(error: BaseException | None, what: str) -> tuple[str, str]:
    """Return what went wrong and what to do about it, without what an error may quote of a row."""
    if isinstance(error, WinbackError):
        return error.problem, error.fix
    how = f"failed with {type(error).__name__}" if error else "ended without a word: its process was killed"
    return f"{what} {how}.", "read the task's log in Airflow, mend the cause, and run the task again"
