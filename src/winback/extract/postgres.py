"""Read a feed from a PostgreSQL table or query by binary COPY."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import sql

from winback import warehouse
from winback.config import ColumnMapping, FeedSource, PostgresSystem
from winback.connections import connection_url
from winback.errors import WinbackError
from winback.extract import CopyData, SourceFile, Window
from winback.feeds import Feed

_TEXT_TYPES = ("text", "varchar", "bpchar", "name")


@dataclass(frozen=True)
class PostgresBatch:
    """One COPY out of a source database."""

    system: PostgresSystem
    feed: Feed
    source: FeedSource
    window: Window
    files: tuple[SourceFile, ...] = ()
    copy_format: Literal["binary", "csv"] = "binary"

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the mapped canonical columns, in the feed's order."""
        return tuple(name for name in self.feed.column_names if name in self.source.columns)

    def chunks(self) -> Iterator[CopyData]:
        """Yield binary COPY data from one read-only transaction of the source."""
        url = connection_url(self.system.connection)
        what = f"{self.feed.name} from {self.source.source}: the source database"
        setting = f"the connection {self.system.connection}"
        with warehouse.connect_to(url, what, setting) as connection:
            connection.read_only = True
            select = self._select(connection)
            try:
                with connection.cursor().copy(
                    sql.SQL("copy ({}) to stdout (format binary)").format(select)
                ) as copy:
                    yield from copy
            except (psycopg.DataError, psycopg.errors.CannotCoerce) as error:
                # The server's message quotes the value, which may be personal: only its kind is shown.
                raise WinbackError(
                    f"{self._place}: a value does not fit its column's type ({type(error).__name__}).",
                    "cast or clean that column in a query of the source",
                ) from None

    def _select(self, connection: psycopg.Connection[Any]) -> sql.Composed:
        types = self._source_types(connection)
        expressions = {name: self._expression(name, types) for name in self.columns}
        select = sql.SQL("select {} from {} as source").format(
            sql.SQL(", ").join(
                sql.SQL("{}::{} as {}").format(
                    expression, sql.SQL(self.feed.column(name).type), sql.Identifier(name)
                )
                for name, expression in expressions.items()
            ),
            self._relation,
        )
        if self.source.cursor is None:
            return select
        cursor = expressions[self.source.cursor]
        where = [sql.SQL("({})::timestamptz < {}").format(cursor, self.window.before)]
        if self.window.after is not None:
            where.append(sql.SQL("({})::timestamptz > {}").format(cursor, self.window.after))
        return select + sql.SQL(" where ") + sql.SQL(" and ").join(where)

    @property
    def _place(self) -> str:
        return f"feeds.{self.feed.name} from {self.source.source}"

    @property
    def _relation(self) -> sql.Composable:
        if self.source.query is not None:
            return sql.SQL("({})").format(sql.SQL(self.source.query.strip().rstrip(";")))
        assert self.source.table is not None
        return sql.Identifier(*self.source.table.split("."))

    def _source_types(self, connection: psycopg.Connection[Any]) -> dict[str, str]:
        """Ask the source for its columns and their types, without reading a row."""
        try:
            cursor = connection.execute(sql.SQL("select * from {} as source limit 0").format(self._relation))
        except psycopg.errors.UndefinedTable:
            raise WinbackError(
                f"{self._place}: the source has no table {self.source.table or 'that the query names'}.",
                "check the name and its schema in winback.yml, and that this user may read it",
            ) from None
        except psycopg.ProgrammingError as error:
            raise WinbackError(
                f"{self._place}: the source refused the query: {error.diag.message_primary}",
                "run the query by hand in the source database and mend it in winback.yml",
            ) from None
        return {
            column.name: connection.adapters.types[column.type_code].name
            if connection.adapters.types.get(column.type_code)
            else "unknown"
            for column in cursor.description or ()
        }

    def _expression(self, name: str, types: dict[str, str]) -> sql.Composable:
        """Write the source expression of one canonical column, before its cast."""
        mapping: ColumnMapping = self.source.columns[name]
        if mapping.column is None:
            return sql.Literal(mapping.constant)
        if mapping.column not in types:
            raise WinbackError(
                f"{self._place}: no column {mapping.column!r} (wanted for {name}). "
                f"The source has: {', '.join(sorted(types))}.",
                f"correct columns.{name} in winback.yml",
            )
        column: sql.Composable = sql.SQL("source.{}").format(sql.Identifier(mapping.column))
        if mapping.codes:
            branches = [
                sql.SQL("when {} then {}").format(sql.Literal(found), sql.Literal(meant))
                for found, meant in mapping.codes.items()
            ]
            return sql.SQL("case {column}::text {branches} else {column}::text end").format(
                column=column, branches=sql.SQL(" ").join(branches)
            )
        if self.feed.column(name).type == "timestamptz" and types[mapping.column] != "timestamptz":
            return sql.SQL("({}::timestamp at time zone {})").format(column, self.system.time_zone)
        if types[mapping.column] in _TEXT_TYPES:
            return sql.SQL("nullif(btrim({}), '')").format(column)
        return column
