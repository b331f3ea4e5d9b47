"""One attempt at a batch: noted, known to be dead when its worker is, and cleared away."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, Literal

import psycopg

from winback.errors import WinbackError
from winback.feeds import Feed
from winback.load.landing import drop_landing

WORKER_LOCK = 7_246_004  # held, with the batch's number, by the worker that loads a batch


class BatchStopped(WinbackError):
    """A check stopped a batch: nothing of it is loaded until it is mended, or a person accepts it."""


@contextmanager
def attempt(
    connection: psycopg.Connection[Any],
    feed: Feed,
    source_id: str,
    day: date,
    *,
    files: str | None,
    kind: Literal["load", "backfill", "replay"] = "load",
) -> Iterator[int]:
    """Note an attempt and what became of it, and yield its number; clear away what dead attempts have left.

    Raises:
        WinbackError: a database broke off; its words, which may quote rows, are left out.
    """
    clear_leftovers(connection, feed, source_id)
    # In one transaction: a batch that others can see is locked already.
    with connection.transaction():
        row = connection.execute(
            "insert into ops.batches (feed, source_id, business_day, status, file, kind)"
            " values (%s, %s, %s, 'running', %s, %s) returning batch_id",
            [feed.name, source_id, day, files, kind],
        ).fetchone()
        assert row is not None
        batch_id = int(row[0])
        connection.execute("select pg_advisory_lock(%s, %s)", [WORKER_LOCK, batch_id])
    try:
        with _without_values(f"feeds.{feed.name} from {source_id}"):
            yield batch_id
    except Exception as error:
        # Other errors may quote a row: only their kind is noted.
        said = str(error) if isinstance(error, WinbackError) else type(error).__name__
        if not connection.closed:
            status = "stopped" if isinstance(error, BatchStopped) else "failed"
            connection.execute(
                "update ops.batches set status = %s, error = %s where batch_id = %s", [status, said, batch_id]
            )
        raise
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(%s, %s)", [WORKER_LOCK, batch_id])


@contextmanager
def _without_values(place: str) -> Iterator[None]:
    """Keep rows out of logs: what a server says of an error may quote them whole."""
    try:
        yield
    except psycopg.Error as error:
        diagnosis = (error.diag.table_name, error.diag.column_name, error.diag.constraint_name)
        named = ", ".join(name for name in diagnosis if name)
        raise WinbackError(
            f"{place}: a database broke off with {type(error).__name__}{f' ({named})' if named else ''}; "
            "nothing of this batch was loaded.",
            "check that source and warehouse run, then load again; the log of the server says more",
        ) from None


def clear_leftovers(connection: psycopg.Connection[Any], feed: Feed, source_id: str) -> None:
    """Drop the landing tables of this source's earlier failures, and note workers that have died.

    A batch whose worker lives is let alone: that worker holds the batch's lock.
    """
    left = connection.execute(
        "select batch_id from ops.batches where feed = %s and source_id = %s"
        " and status in ('running', 'failed', 'stopped') and landing_is_kept",
        [feed.name, source_id],
    ).fetchall()
    for (batch_id,) in left:
        row = connection.execute("select pg_try_advisory_lock(%s, %s)", [WORKER_LOCK, batch_id]).fetchone()
        if row is None or not row[0]:
            continue
        drop_landing(connection, feed, batch_id)
        connection.execute(
            "update ops.batches set landing_is_kept = false,"
            " status = case status when 'stopped' then status else 'failed' end,"
            " error = coalesce(error, 'the worker died')"
            " where batch_id = %s and status <> 'committed'",  # it may have, since it was found
            [batch_id],
        )
        connection.execute("select pg_advisory_unlock(%s, %s)", [WORKER_LOCK, batch_id])
