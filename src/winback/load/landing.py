"""Landing tables: one per batch, unlogged, immutable once filled."""

import re
from typing import Any

import psycopg
from psycopg import sql

from winback.check.landed import found_name, measures_name, origins_name, rules_view
from winback.errors import WinbackError
from winback.extract import IS_DELETED, SOURCE_TEXT, UNREAD, Batch
from winback.feeds import Feed


def landing_name(feed: Feed, batch_id: int) -> str:
    """Return the name of a batch's landing table, inside schema `landing`."""
    return f"{feed.name}_{batch_id}"


def keys_name(feed: Feed, batch_id: int) -> str:
    """Return the name of the table that holds all keys of a batch's source, inside schema `landing`."""
    return f"{feed.name}_{batch_id}_keys"


def land(connection: psycopg.Connection[Any], feed: Feed, name: str, batch: Batch) -> int:
    """Copy a batch into a landing table of its own and return the number of rows.

    Raises:
        WinbackError: the warehouse's disk is full; nothing was loaded and the space is given back.
    """
    table = sql.Identifier("landing", name)
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.type)) for column in feed.columns
    ]
    # The text of a row becomes jsonb only if the row is set aside: parsing it is a third of the landing.
    columns += [sql.SQL("{} text").format(sql.Identifier(SOURCE_TEXT))]
    columns += [sql.SQL("{} jsonb").format(sql.Identifier(UNREAD))]
    columns.append(sql.SQL("{} boolean not null default false").format(sql.Identifier(IS_DELETED)))
    create = sql.SQL("create unlogged table {} (row_number bigint generated always as identity, {})").format(
        table, sql.SQL(", ").join(columns)
    )
    copy_in = sql.SQL("copy {} ({}) from stdin (format {})").format(
        table, sql.SQL(", ").join(map(sql.Identifier, batch.columns)), sql.SQL(batch.copy_format)
    )
    try:
        # Committed by itself, before a row comes. Were it rolled back with the rows, a server that loses its
        # power soon after would not start again: "could not create file" (PostgreSQL's bug 17731).
        connection.execute(create)
        try:
            with connection.cursor() as cursor:
                with cursor.copy(copy_in) as copy:
                    for chunk in batch.chunks():
                        copy.write(chunk)
                rows = cursor.rowcount
        except BaseException:
            if not connection.closed:
                connection.execute(sql.SQL("drop table {}").format(table))
            raise
        connection.execute(sql.SQL("analyze {}").format(table))
    except (psycopg.errors.DiskFull, psycopg.errors.OutOfMemory, psycopg.errors.ConfigurationLimitExceeded):
        raise WinbackError(
            f"{feed.name}: the warehouse's disk is full (while landing in landing.{name}). "
            "The batch was rolled back: no row was loaded and the watermark did not move.",
            "free space on the warehouse's disk, then run the same load again",
        ) from None
    except psycopg.DataError as error:
        # The server's message quotes the value, which may be personal: only place and kind are shown.
        place = re.search(r"line (\d+)(?:, column (\w+))?", error.diag.context or "")
        row = f"row {place[1]}{f', column {place[2]}' if place[2] else ''}" if place else "some row"
        raise WinbackError(
            f"{feed.name}: {row} holds what the warehouse cannot store ({type(error).__name__}); "
            "nothing of this batch was loaded.",
            "correct that row at the source, or leave it out by a query in winback.yml",
        ) from None
    return rows


def drop_landing(connection: psycopg.Connection[Any], feed: Feed, batch_id: int) -> None:
    """Drop a batch's landing table with all that stands beside it."""
    landing = landing_name(feed, batch_id)
    connection.execute(
        sql.SQL("drop view if exists {}").format(sql.Identifier("landing", rules_view(landing)))
    )
    beside = (found_name(landing), origins_name(landing), measures_name(landing))
    for name in (landing, keys_name(feed, batch_id), *beside):
        connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier("landing", name)))
