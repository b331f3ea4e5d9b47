"""Read a feed from a PostgreSQL table or query by binary COPY."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg
from psycopg import sql

from winback import warehouse
from winback.config import ColumnMapping, DeletesByColumn, FeedSource, PostgresSystem
from winback.connections import connection_url
from winback.errors import WinbackError
from winback.extract import IS_DELETED, CopyData, SourceFile, Window
from winback.feeds import Feed

_TEXT_TYPES = ("text", "varchar", "bpchar", "name")


@dataclass
class PostgresBatch:
    """One COPY out of a source database; without a window, of the whole table."""

    system: PostgresSystem
    feed: Feed
    source: FeedSource
    window: Window | None = None
    files: tuple[SourceFile, ...] = ()
    copy_format: Literal["binary", "csv"] = "binary"
    source_columns: dict[str, str] = field(default_factory=dict, init=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the mapped canonical columns, and the mark of deletion if there is one."""
        deleted = (IS_DELETED,) if isinstance(self.source.deletes, DeletesByColumn) else ()
        return (*self._filled, *deleted)

    @property
    def _filled(self) -> tuple[str, ...]:
        filled = {*self.source.columns, *(("attributes",) if self.source.attributes else ())}
        return tuple(name for name in self.feed.column_names if name in filled)

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
        self.source_columns = types = self._source_types(connection)
        expressions = {name: self._expression(name, types) for name in self._filled}
        columns: list[sql.Composable] = [
            sql.SQL("{}::{} as {}").format(
                expression, sql.SQL(self.feed.column(name).type), sql.Identifier(name)
            )
            for name, expression in expressions.items()
        ]
        if isinstance(self.source.deletes, DeletesByColumn):
            columns.append(self._deleted(self.source.deletes, types))
        select = sql.SQL("select {} from {} as source").format(sql.SQL(", ").join(columns), self._relation)
        if self.window is None:
            return select
        return select + sql.SQL(" where ") + self._within(self.window, expressions[self.window.column])

    @staticmethod
    def _within(window: Window, expression: sql.Composable) -> sql.Composable:
        moment = sql.SQL("({})::timestamptz").format(expression)
        within = sql.SQL("{} < {}").format(moment, window.before)
        if window.after is not None:
            within += sql.SQL(" and {} >= {}").format(moment, window.after)
        if window.and_unknown:
            within += sql.SQL(" or {} is null").format(moment)
        return within

    def _deleted(self, deletes: DeletesByColumn, types: dict[str, str]) -> sql.Composable:
        if deletes.column not in types:
            raise WinbackError(
                f"{self._place}: no column {deletes.column!r} (wanted for deletes). "
                f"The source has: {', '.join(sorted(types))}.",
                "correct deletes.column in winback.yml",
            )
        return sql.SQL("coalesce(btrim(source.{}::text) in ({}), false)").format(
            sql.Identifier(deletes.column), sql.SQL(", ").join(map(sql.Literal, deletes.values))
        )

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
        if name not in self.source.columns:
            return self._unmapped(types)
        mapping: ColumnMapping = self.source.columns[name]
        if mapping.column is None:
            return sql.Literal(mapping.constant)
        if mapping.column in types:
            return self._converted(name, mapping, types[mapping.column])
        if self._may_lack(name):
            return sql.SQL("null")
        raise WinbackError(
            f"{self._place}: no column {mapping.column!r} (wanted for {name}). "
            f"The source has: {', '.join(sorted(types))}.",
            f"correct columns.{name} in winback.yml",
        )

    def _converted(self, name: str, mapping: ColumnMapping, source_type: str) -> sql.Composable:
        assert mapping.column is not None
        if mapping.formats or mapping.decimal != ".":
            raise WinbackError(
                f"{self._place}: columns.{name} states a format or a decimal sign, as text in files has; "
                "PostgreSQL would read the text in its own way.",
                "convert the column in a query of the source, e.g. to_timestamp(sold_at, 'DD.MM.YYYY')",
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
        if self.feed.column(name).type == "timestamptz" and source_type != "timestamptz":
            return sql.SQL("({}::timestamp at time zone {})").format(column, self.system.time_zone)
        if source_type in _TEXT_TYPES:
            return sql.SQL("nullif(btrim({}), '')").format(column)
        return column

    def _may_lack(self, name: str) -> bool:
        """Tell whether a mapped column may be gone: only where that is accepted, and never a required one."""
        return self.source.drift.column_gone == "accept" and name not in self.feed.required

    def _unmapped(self, types: dict[str, str]) -> sql.Composable:
        """Write the expression of a JSON object that holds what the mapping leaves over."""
        mapped = {mapping.column for mapping in self.source.columns.values()}
        if isinstance(self.source.deletes, DeletesByColumn):
            mapped.add(self.source.deletes.column)
        pairs = [
            sql.SQL("{}, source.{}").format(sql.Literal(name), sql.Identifier(name))
            for name in types
            if name not in mapped
        ]
        return sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(pairs))
