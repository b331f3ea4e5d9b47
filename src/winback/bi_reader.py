"""`bi_reader`: the role without login through which BI tools read the live marts, personal data left out.

A table that dbt makes anew has no grants, so every build grants them before its marts go live. There are no
default privileges: they would open a table of personal data the moment it is made.
"""

import logging
from typing import Any

import psycopg
from psycopg import sql

log = logging.getLogger(__name__)

CLOSED_TABLES = ("dim_customer_contact",)
CLOSED_COLUMNS = {"dim_account_manager": ("email",)}


def ensure_role(connection: psycopg.Connection[Any]) -> None:
    """Create the role if it is missing; who may not is told what to ask for, and the build goes on."""
    if _is_there(connection):
        return
    try:
        with connection.transaction():
            connection.execute("create role bi_reader")
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        return  # another database of this server was faster
    except psycopg.errors.InsufficientPrivilege:
        log.warning(
            "BI tools cannot read the marts: the role bi_reader is missing, and user %s may not create it. "
            "What to do: run as a superuser: create role bi_reader; the next build grants it the marts.",
            connection.info.user,
        )


def grant_tables(connection: psycopg.Connection[Any], schema: str) -> None:
    """Let the role select from a copy's tables, once it is let into the schema; personal data left out."""
    if not _is_there(connection):
        return
    with connection.transaction():
        database = sql.Identifier(connection.info.dbname)  # which may be closed to everybody not named
        connection.execute(sql.SQL("grant connect on database {} to bi_reader").format(database))
        connection.execute(f"revoke all on all tables in schema {schema} from bi_reader")
        connection.execute(f"grant select on all tables in schema {schema} to bi_reader")
        for table in (*CLOSED_TABLES, *CLOSED_COLUMNS):
            if columns := _columns(connection, schema, table):
                connection.execute(f"revoke select on {schema}.{table} from bi_reader")
                closed = CLOSED_COLUMNS.get(table, columns)
                if opened := [column for column in columns if column not in closed]:
                    connection.execute(f"grant select ({', '.join(opened)}) on {schema}.{table} to bi_reader")


def let_in(connection: psycopg.Connection[Any], live: str, standby: str) -> None:
    """Let the role into the live copy only."""
    if _is_there(connection):
        connection.execute(f"grant usage on schema {live} to bi_reader")
        connection.execute(f"revoke usage on schema {standby} from bi_reader")


def _is_there(connection: psycopg.Connection[Any]) -> bool:
    row = connection.execute("select to_regrole('bi_reader') is not null").fetchone()
    return row is not None and bool(row[0])


def _columns(connection: psycopg.Connection[Any], schema: str, table: str) -> list[str]:
    rows = connection.execute(
        "select column_name from information_schema.columns where table_schema = %s and table_name = %s",
        [schema, table],
    )
    return [column for (column,) in rows]
