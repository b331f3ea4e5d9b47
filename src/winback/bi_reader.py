"""`bi_reader`: the role without login through which BI tools read the live marts, personal data left out.

Whom winback.yml names under `bi.contact_readers` may read contact details and birthdays of customers besides.

A table that dbt makes anew has no grants, so every build grants them before its marts go live. There are no
default privileges: they would open a table of personal data the moment it is made.
"""

import logging
from collections.abc import Collection
from typing import Any

import psycopg
from psycopg import sql

log = logging.getLogger(__name__)

CLOSED_TABLES = ("dim_customer_contact", "care_calendar")
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


def grant_contacts(connection: psycopg.Connection[Any], schema: str, readers: Collection[str]) -> None:
    """Let these roles, and nobody else, select contact details from a copy's tables, once they are let in."""
    tables = [table for table in CLOSED_TABLES if _columns(connection, schema, table)]
    if not tables:
        return
    there = _roles_there(connection, readers)
    for missing in sorted(set(readers) - set(there)):
        log.warning(
            "Nobody reads contact details as %s: winback.yml names the role under bi.contact_readers, and "
            "there is none. What to do: create it, or take it off the list; the next build grants it.",
            missing,
        )
    with connection.transaction():
        for table in (sql.Identifier(schema, name) for name in tables):
            connection.execute(sql.SQL("revoke all on {} from public").format(table))
            for role in _grantees(connection, table):
                connection.execute(sql.SQL("revoke all on {} from {}").format(table, sql.Identifier(role)))
            for role in there:
                connection.execute(sql.SQL("grant select on {} to {}").format(table, sql.Identifier(role)))


def let_in(
    connection: psycopg.Connection[Any], live: str, standby: str, contact_readers: Collection[str]
) -> None:
    """Let the roles into the live copy only."""
    for role in map(sql.Identifier, _roles_there(connection, ["bi_reader", *contact_readers])):
        connection.execute(sql.SQL(f"grant usage on schema {live} to {{}}").format(role))
        connection.execute(sql.SQL(f"revoke usage on schema {standby} from {{}}").format(role))


def _is_there(connection: psycopg.Connection[Any]) -> bool:
    return _roles_there(connection, ["bi_reader"]) != []


def _roles_there(connection: psycopg.Connection[Any], names: Collection[str]) -> list[str]:
    rows = connection.execute(
        "select rolname from pg_roles where rolname = any(%s) order by 1", [list(names)]
    )
    return [name for (name,) in rows]


def _grantees(connection: psycopg.Connection[Any], table: sql.Identifier) -> list[str]:
    """Return the roles that were granted anything on a table; its owner is none."""
    rows = connection.execute(
        "select distinct pg_roles.rolname from pg_class cross join lateral aclexplode(relacl) as granted"
        " inner join pg_roles on pg_roles.oid = granted.grantee"
        " where pg_class.oid = to_regclass(%s) and granted.grantee <> relowner",
        [table.as_string()],
    )
    return [name for (name,) in rows]


def _columns(connection: psycopg.Connection[Any], schema: str, table: str) -> list[str]:
    rows = connection.execute(
        "select column_name from information_schema.columns where table_schema = %s and table_name = %s",
        [schema, table],
    )
    return [column for (column,) in rows]
