"""Read a sample of a source through the loader's own extraction, into a table that vanishes by itself."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from winback.config import ANSWERS, FeedSource, FileSystem, MySqlSystem, PostgresSystem, RestSystem, Settings
from winback.errors import WinbackError
from winback.extract import IS_DELETED, SOURCE_TEXT, UNREAD, Batch, Table, Window
from winback.extract.conversions import literal, quoted
from winback.extract.files import find_files, open_file
from winback.extract.postgres import PostgresBatch
from winback.extract.shaped import ShapedBatch
from winback.feeds import FEEDS, Feed
from winback.load.arrivals import batches_of_files, file_patterns
from winback.onboarding.samples import SAMPLE_ROWS

_RECENT = timedelta(days=7)  # how much of a web service is asked for
_DRAWN = f"reservoir({SAMPLE_ROWS} rows) repeatable (1)"
_WITHOUT_LIMIT = ("mssql", "oracle")  # dialects that do not know `limit`: their tables are read whole


@dataclass(frozen=True)
class SampledSource:
    """One source of one feed, and the system it belongs to."""

    settings: Settings
    feed: Feed
    source: FeedSource

    @property
    def place(self) -> str:
        """Return how findings call this source."""
        return f"{self.feed.name} from {self.source.source}"

    def batch(self, filter_column: str | None = None, values: tuple[str, ...] = ()) -> Batch:
        """Return a batch of at most `SAMPLE_ROWS` rows; of those with given values in a column, if asked.

        Raises:
            WinbackError: the source cannot be opened.
        """
        system = self.settings.systems[self.source.source]
        match system:
            case PostgresSystem():
                return PostgresBatch(system, self.feed, self._limited(filter_column, values))
            case FileSystem():
                tables = {
                    name: open_file(path, self.source) for name, path in self.newest_files(system).items()
                }
                source = self._limited(filter_column, values)
            case RestSystem():
                from winback.extract.rest import rest_records  # noqa: PLC0415

                tables = {"rows": rest_records(system, self.source, self._recent())}
                source = self._limited(filter_column, values)
            case _:
                from winback.extract.databases import database_table  # noqa: PLC0415

                limited = self._limited(filter_column, values)
                tables = {"rows": database_table(system, limited, None)}
                source = limited.model_copy(update={"query": None})
        shaped: dict[str, Table] = dict(tables)
        return ShapedBatch(self.feed, source, system.time_zone, shaped)

    def newest_files(self, system: FileSystem) -> dict[str, Path]:
        """Return the files of the newest batch, by the names that the source's query calls them.

        Raises:
            WinbackError: a pattern has no file, or dated files of no day are all there.
        """
        patterns = file_patterns(self.source)
        found = {name: find_files(system.folder, pattern) for name, pattern in patterns.items()}
        if missing := [patterns[name] for name, files in found.items() if not files]:
            raise WinbackError(
                f"{self.place}: no file of {system.folder} matches {', '.join(missing)}",
                "put the file there, or correct folder or files in winback.yml",
            )
        groups = batches_of_files(found, date.max)
        if not groups:
            raise WinbackError(
                f"{self.place}: on no day are the files of all patterns there",
                "check that the days in the file names agree",
            )
        return {name: file.path for name, file in groups[-1].items()}

    def _recent(self) -> Window | None:
        now = datetime.now(UTC)
        return Window(self.source.cursor, now - _RECENT, now) if self.source.cursor else None

    def _limited(self, filter_column: str | None, values: tuple[str, ...]) -> FeedSource:
        """Return the source with a query that yields a sample; of files, drawn from all rows."""
        system = self.settings.systems[self.source.source]
        rows = f"({self._query(system)}) as every_row"
        where = ""
        if filter_column is not None:
            name = f"`{filter_column}`" if isinstance(system, MySqlSystem) else quoted(filter_column)
            kind = "char" if isinstance(system, MySqlSystem) else "varchar"
            where = f" where trim(cast({name} as {kind})) in ({', '.join(map(literal, values))})"
        query = f"select * from {rows}{where}"
        if isinstance(system, FileSystem | RestSystem):
            query = f"select * from ({query}) as matching using sample {_DRAWN}"
        elif not self._has_no_limit(system.connection):
            query += f" limit {SAMPLE_ROWS}"
        return self.source.model_copy(update={"table": None, "query": query})

    def _query(self, system: object) -> str:
        if self.source.query is not None:
            return self.source.query.strip().rstrip(";")
        if self.source.table is None:
            return 'select * from "rows"'
        if isinstance(system, PostgresSystem):
            return f"select * from {'.'.join(map(quoted, self.source.table.split('.')))}"
        return f"select * from {self.source.table}"

    @staticmethod
    def _has_no_limit(connection: str) -> bool:
        from winback.connections import connection_url  # noqa: PLC0415

        return connection_url(connection).split("://")[0].split("+")[0] in _WITHOUT_LIMIT


def land_sample(connection: psycopg.Connection[Any], name: str, feed: Feed, batch: Batch) -> int:
    """Copy a batch into a temporary table like a landing table and return its number of rows."""
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.type)) for column in feed.columns
    ]
    columns += [sql.SQL("{} jsonb").format(sql.Identifier(one)) for one in (SOURCE_TEXT, UNREAD)]
    columns.append(sql.SQL("{} boolean not null default false").format(sql.Identifier(IS_DELETED)))
    table = sql.Identifier("pg_temp", name)
    connection.execute(
        sql.SQL("create temporary table {} (row_number bigint generated always as identity, {})").format(
            sql.Identifier(name), sql.SQL(", ").join(columns)
        )
    )
    copy_in = sql.SQL("copy {} ({}) from stdin (format {})").format(
        table, sql.SQL(", ").join(map(sql.Identifier, batch.columns)), sql.SQL(batch.copy_format)
    )
    try:
        with connection.cursor() as cursor:
            with cursor.copy(copy_in) as copy:
                for chunk in batch.chunks():
                    copy.write(chunk)
            return cursor.rowcount
    except psycopg.DataError as error:
        # The server's message quotes the value, which may be personal.
        raise WinbackError(
            f"{feed.name}: a value is nothing that the warehouse can store ({type(error).__name__})",
            "correct it at the source, or leave it out by a query in winback.yml",
        ) from None


def sampled_sources(settings: Settings, feeds: tuple[str, ...]) -> list[SampledSource]:
    """Return the sources of the named feeds, of all feeds if none is named.

    What workbooks of tasks bring back is left out: nobody configures it, and there may be none yet.

    Raises:
        WinbackError: a feed is not configured.
    """
    if unknown := [feed for feed in feeds if feed not in settings.feeds]:
        raise WinbackError(
            f"feeds.{unknown[0]}: not configured; configured are {', '.join(sorted(settings.feeds))}.",
            "name one of these, or none for all of them",
        )
    return [
        SampledSource(settings, FEEDS[name], source)
        for name in feeds or tuple(settings.feeds)
        for source in settings.feeds[name].sources
        if source.source != ANSWERS
    ]
