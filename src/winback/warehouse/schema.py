"""The tables that the loader writes: raw, quarantine and ops. The marts are dbt's."""

from importlib import resources
from typing import Any

import psycopg
from psycopg import sql

from winback.feeds import FEEDS, REFERENCE_SOURCES, Feed

# Raise it with every change of this module or of ops.sql: the schema is brought up to date once.
SCHEMA_VERSION = 1
_SCRIPTS = (("winback.warehouse", "ops.sql"), ("winback.report", "deliveries.sql"))
_LOCK = 7_246_001  # any number of our own: two processes that create the schema at once take turns


def ensure_schema(connection: psycopg.Connection[Any]) -> None:
    """Create or extend the loader's tables; a warehouse that is up to date costs one query."""
    with connection.transaction():
        if _version(connection) >= SCHEMA_VERSION:
            return
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        for package, file in _SCRIPTS:
            connection.execute(resources.files(package).joinpath(file).read_text("utf-8"))
        for feed in FEEDS.values():
            connection.execute(_create_raw(feed))
            connection.execute(_create_quarantine(feed))
        connection.execute("delete from ops.schema_version")
        connection.execute("insert into ops.schema_version values (%s)", [SCHEMA_VERSION])


def _version(connection: psycopg.Connection[Any]) -> int:
    found = connection.execute("select to_regclass('ops.schema_version')").fetchone()
    if found is None or found[0] is None:
        return 0
    row = connection.execute("select version from ops.schema_version").fetchone()
    return int(row[0]) if row else 0


def _create_raw(feed: Feed) -> sql.Composed:
    """Make the table of accepted rows: one per key, the newest version."""
    columns = [
        sql.SQL("{} {}{}").format(
            sql.Identifier(column.name),
            sql.SQL(column.type),
            sql.SQL(" not null" if column.is_required or column.name in REFERENCE_SOURCES else ""),
        )
        for column in feed.columns
    ]
    return sql.SQL(
        "create table if not exists {table} (source_id text not null, {columns},"
        " load_batch_id bigint not null, loaded_at timestamptz not null, primary key (source_id, {key}))"
    ).format(
        table=sql.Identifier("raw", feed.name),
        columns=sql.SQL(", ").join(columns),
        key=sql.SQL(", ").join(map(sql.Identifier, feed.key)),
    )


def _create_quarantine(feed: Feed) -> sql.Composed:
    """Make the table of rejected rows: whole, with reasons, batch and time."""
    return sql.SQL(
        "create table if not exists {table} ("
        " quarantine_id bigint generated always as identity primary key,"
        " source_id text not null, load_batch_id bigint not null, row_number bigint not null,"
        " reasons text[] not null, typed_values jsonb not null, source_text jsonb,"
        " quarantined_at timestamptz not null)"
    ).format(table=sql.Identifier("quarantine", feed.name))
