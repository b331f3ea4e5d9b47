"""Look into a user's database: which tables may be feeds, and a sample of each."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import sqlalchemy
from psycopg import sql

from winback import warehouse
from winback.errors import WinbackError
from winback.extract.conversions import quoted
from winback.extract.databases import database_url, is_mysql
from winback.onboarding.samples import SAMPLE_ROWS, SourceTable, SystemNames, SystemProposal
from winback.onboarding.words import feed_scores

# A table whose headers fit no feed at least this well is not read at all.
WORTH_A_LOOK = 0.5
_TABLES = """
    select table_schema, table_name, array_agg(column_name::text order by ordinal_position),
        array_agg(data_type::text order by ordinal_position)
    from information_schema.columns
    where table_schema not in ('pg_catalog', 'information_schema')
    group by table_schema, table_name
    order by table_schema, table_name
"""
_POSTGRES = ("postgresql", "postgres")


@dataclass(frozen=True)
class _Found:
    """A table of a database: its name as `winback.yml` writes it, and its columns with their types."""

    name: str
    types: dict[str, str]


def open_database(engine: duckdb.DuckDBPyConnection, url: str, names: SystemNames) -> Iterator[SourceTable]:
    """Yield a sample of every table that may be a feed.

    Raises:
        WinbackError: the URL is none, the database cannot be reached, or no table of it fits any feed.
    """
    address = database_url(url, "of this source")
    kind = address.get_backend_name()
    connector = "postgres" if kind in _POSTGRES else "mysql" if is_mysql(address) else "sqlalchemy"
    shown = without_secrets(address)
    system = names.system(
        shown,
        Path(address.database or kind).stem,  # of a database that is a file, its name
        SystemProposal("", connector, url_without_password=shown),
    )
    tables = _postgres(url) if connector == "postgres" else _sqlalchemy(address)
    found = False
    for table, rows in tables:
        found = True
        yield _sample(engine, system, table, rows)
    if not found:
        raise WinbackError(
            f"{shown}: no table whose columns fit a feed.",
            "check the database's name and that this user may read its tables; or map a query by hand",
        )


def without_secrets(address: sqlalchemy.URL) -> str:
    """Return a URL as it may be shown: the password to be filled in, secrets among its options left out."""
    secret = [option for option in address.query if re.search("pass|pwd|secret|token|key", option.lower())]
    plain = address.difference_update_query(secret)
    plain = plain.set(password="PASSWORD") if plain.password else plain
    return plain.render_as_string(hide_password=False)


def _postgres(url: str) -> Iterator[tuple[_Found, Sequence[Sequence[Any]]]]:
    with warehouse.connect_to(url, "the source database", "the URL") as connection:
        connection.read_only = True
        for schema, name, columns, types in connection.execute(_TABLES).fetchall():
            if not _may_be_a_feed(name, columns):
                continue
            texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(one)) for one in columns)
            select = sql.SQL("select {} from {} limit {}").format(
                texts, sql.Identifier(schema, name), SAMPLE_ROWS
            )
            try:
                with connection.transaction():
                    rows = connection.execute(select).fetchall()
            except psycopg.errors.InsufficientPrivilege:
                continue  # what this user may not read is no source
            yield _Found(f"{schema}.{name}", dict(zip(columns, types, strict=True))), rows


def _sqlalchemy(address: sqlalchemy.URL) -> Iterator[tuple[_Found, Sequence[Sequence[Any]]]]:
    try:
        database = sqlalchemy.create_engine(address)
        inspector = sqlalchemy.inspect(database)
        for name in [*inspector.get_table_names(), *inspector.get_view_names()]:
            columns = {column["name"]: str(column["type"]).lower() for column in inspector.get_columns(name)}
            if not _may_be_a_feed(name, list(columns)):
                continue
            table = sqlalchemy.table(name, *map(sqlalchemy.column, columns))
            with database.connect() as connection:
                rows = connection.execute(sqlalchemy.select(table).limit(SAMPLE_ROWS)).fetchall()
            yield _Found(name, columns), rows
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        # A driver's message may carry the URL's password: only its kind is shown.
        raise WinbackError(
            f"{address.render_as_string(hide_password=True)}: cannot be read ({type(error).__name__}).",
            "check host, port, user, password and that the driver of this database is installed",
        ) from None


def _may_be_a_feed(name: str, columns: list[str]) -> bool:
    return next(iter(feed_scores(name, columns).values())) >= WORTH_A_LOOK


def _sample(
    engine: duckdb.DuckDBPyConnection,
    system: SystemProposal,
    table: _Found,
    rows: Sequence[Sequence[Any]],
) -> SourceTable:
    """Put the sample into DuckDB, as text."""
    name = f"{system.name}: {table.name}"
    columns = ", ".join(f"{quoted(column)} varchar" for column in table.types)
    engine.execute(f"create table {quoted(name)} ({columns})")
    if rows:
        by_column = [
            [None if value is None else str(value) for value in column] for column in zip(*rows, strict=True)
        ]
        unnested = ", ".join("unnest(cast(? as varchar[]))" for _ in table.types)
        engine.execute(f"insert into {quoted(name)} select {unnested}", by_column)
    is_whole = len(rows) < SAMPLE_ROWS
    note = f"looked at {'all' if is_whole else 'the first'} {len(rows):,} rows"
    return SourceTable(name, system, table.types, name, name, is_whole, {"table": table.name}, (note,))
