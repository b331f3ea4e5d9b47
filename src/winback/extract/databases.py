"""Read a feed from MySQL, MariaDB or any other database that SQLAlchemy has a dialect for.

The server filters and streams; the rows go through a file as text, so that memory does not grow with their
number and no float ever touches an amount.
"""

import importlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import duckdb
import sqlalchemy
from sqlalchemy import exc

from winback.config import FeedSource, MySqlSystem, SqlAlchemySystem
from winback.connections import connection_url
from winback.errors import WinbackError
from winback.extract import Window
from winback.extract.spool import open_spool, row_line, rows_relation

_ROWS_AT_ONCE = 2_000
_CONNECT_SECONDS = 15

# The types by the numbers of MySQL's protocol, which every driver of it hands on.
_MYSQL_TYPES = {
    0: "decimal",
    1: "tinyint",
    2: "smallint",
    3: "int",
    4: "float",
    5: "double",
    7: "timestamp",
    8: "bigint",
    9: "mediumint",
    10: "date",
    11: "time",
    12: "datetime",
    13: "year",
    16: "bit",
    245: "json",
    246: "decimal",
    252: "text",
    253: "varchar",
    254: "char",
}
_MYSQL_BIT = 16
_MYSQL_MOMENTS = (7, 10, 12)
_MYSQL_WRONG_LOGIN = (1045, 1698, 1862, 3118)
_MYSQL_FORBIDDEN = (1044, 1142, 1143, 1227)
_MYSQL_UNREACHABLE = {1040: "too many connections", 1049: "no such database", 2003: "no server answers there"}
_MYSQL_UNKNOWN_ZONE = 1298
_MYSQL_NO_TABLE = 1146
# What the server says of these quotes names and the query itself, but no value of a row.
_MYSQL_BAD_QUERY = (1052, 1054, 1055, 1060, 1064, 1066, 1109, 1111, 1140, 1222, 1247, 1248, 1267, 1305)

# Dialects that come in a package of another name than their driver.
_PACKAGES = {
    "clickhouse": "clickhouse-sqlalchemy",
    "db2": "ibm-db-sa",
    "dm": "dmSQLAlchemy",
    "hive": "pyhive",
    "MySQLdb": "mysqlclient",
    "snowflake": "snowflake-sqlalchemy",
}


@dataclass
class DatabaseRows:
    """All columns of a table or query, as text; of one window of moments, if one is given.

    `window_column` is the source's own column behind the window's canonical one. `column_types` holds the
    database's names of the columns' types, as its driver reports them; known once `relation` was called.
    """

    url: sqlalchemy.URL
    connection_name: str
    time_zone: str
    table: str | None = None
    query: str | None = None
    window: Window | None = None
    window_column: str | None = None
    column_types: dict[str, str] = field(default_factory=dict, init=False)

    @property
    def name(self) -> str:
        """Return the table's name, or a word for the query."""
        return self.table or "its query"

    def relation(self, engine: duckdb.DuckDBPyConnection, folder: Path) -> str:
        """Copy the rows into a file and return a relation of text columns."""
        spool = folder / "rows.jsonl"
        self._copy_rows(spool)
        return rows_relation(spool, self.column_types)

    def _copy_rows(self, target: Path) -> None:
        with self._connect() as connection, self._clear_errors():
            statement, values = self._select(connection)
            driver_connection = connection.connection.driver_connection
            result = connection.execution_options(stream_results=True).execute(statement, values)
            try:
                self._spool(result, target)
            except BaseException:
                # An orderly end would first read the rest of the rows, however many there are.
                _break_off(connection, driver_connection)
                with suppress(Exception):
                    result.close()
                raise

    def _spool(self, result: sqlalchemy.CursorResult[Any], target: Path) -> None:
        self.column_types = self._described(result)
        names = tuple(self.column_types)
        with open_spool(target) as out:
            for rows in result.partitions(_ROWS_AT_ONCE):
                out.writelines(row_line(dict(zip(names, map(as_text, row), strict=True))) for row in rows)

    # -- connecting -------------------------------------------------------------------------------------

    @contextmanager
    def _connect(self) -> Iterator[sqlalchemy.Connection]:
        """Open a read-only transaction; whatever interrupts it breaks the connection off at once."""
        engine = self._engine()
        try:
            with self._clear_errors(is_connecting=True):
                connection = engine.connect()
            driver_connection = connection.connection.driver_connection
            try:
                if self._is_mysql:
                    with self._clear_errors():
                        self._prepare_mysql(connection)
                yield connection
            except BaseException:
                # An orderly end would first read the rest of the rows, however many there are.
                _break_off(connection, driver_connection)
                raise
            finally:
                connection.close()
        finally:
            engine.dispose()

    def _engine(self) -> sqlalchemy.Engine:
        try:
            return sqlalchemy.create_engine(
                self.url, poolclass=sqlalchemy.NullPool, connect_args=_connect_arguments(self.url)
            )
        except exc.NoSuchModuleError:
            dialect = self.url.get_backend_name()
            package = _PACKAGES.get(dialect, "the package that brings SQLAlchemy its dialect")
            raise WinbackError(
                f"connection {self.connection_name}: no dialect for {self.url.drivername}:// is installed.",
                f"install it with: pip install {package}"
                if dialect in _PACKAGES
                else f"correct the URL's scheme, or install {package}",
            ) from None
        except ModuleNotFoundError as error:
            package = _PACKAGES.get(str(error.name), str(error.name))
            raise WinbackError(
                f"connection {self.connection_name}: no driver for {self.url.drivername}:// is installed.",
                f"install it with: pip install {package}",
            ) from None

    def _prepare_mysql(self, connection: sqlalchemy.Connection) -> None:
        """Read one snapshot, and see TIMESTAMP columns in the system's zone, like those without a zone."""
        connection.exec_driver_sql("set session transaction isolation level repeatable read, read only")
        try:
            connection.exec_driver_sql("set session time_zone = %s", (self.time_zone,))
        except exc.DBAPIError as error:
            if _mysql_code(error) != _MYSQL_UNKNOWN_ZONE:
                raise
            offset = fixed_offset(self.time_zone, datetime.now(UTC).year)
            if offset is None:
                raise WinbackError(
                    f"{self._place}: the server does not know the time zone {self.time_zone}.",
                    "let its administrator load them: mysql_tzinfo_to_sql /usr/share/zoneinfo | mysql mysql",
                ) from None
            connection.exec_driver_sql("set session time_zone = %s", (offset,))

    @property
    def _is_mysql(self) -> bool:
        return is_mysql(self.url)

    # -- asking -----------------------------------------------------------------------------------------

    def _select(self, connection: sqlalchemy.Connection) -> tuple[sqlalchemy.TextClause, dict[str, Any]]:
        quote = connection.dialect.identifier_preparer.quote
        if self.query is not None:
            relation = f"({_without_parameters(self.query.strip().rstrip(';'))})"
        else:
            assert self.table is not None
            relation = ".".join(map(quote, self.table.split(".")))
        select = f"select source.* from {relation} source"
        if self.window is None:
            return sqlalchemy.text(select), {}
        assert self.window_column is not None
        column = f"source.{quote(self.window_column)}"
        conditions, values = [f"{column} < :before"], {"before": self._bound(connection, self.window.before)}
        if self.window.after is not None:
            conditions.append(f"{column} >= :after")
            values["after"] = self._bound(connection, self.window.after)
        within = " and ".join(conditions)
        if self.window.and_unknown:
            within = f"({within}) or {column} is null"
        return sqlalchemy.text(f"{select} where {within}"), values

    def _bound(self, connection: sqlalchemy.Connection, moment: datetime) -> datetime | str:
        """Return a window's end as the column's values are: with a zone, or as its clocks show it."""
        if self._has_zone(connection):
            return moment
        local = moment.astimezone(ZoneInfo(self.time_zone)).replace(tzinfo=None)
        # SQLite keeps moments as text and compares them letter by letter.
        return str(local) if connection.dialect.name == "sqlite" else local

    def _has_zone(self, connection: sqlalchemy.Connection) -> bool:
        """Tell whether the window's column carries a zone; a query's and MySQL's never do."""
        if self.table is None or self._is_mysql:
            return False
        schema, _, table = self.table.rpartition(".")
        columns = sqlalchemy.inspect(connection).get_columns(table, schema or None)
        found = {column["name"]: column["type"] for column in columns}
        return bool(getattr(found.get(str(self.window_column)), "timezone", False))

    def _described(self, result: sqlalchemy.CursorResult[Any]) -> dict[str, str]:
        """Return the columns with their types; two columns of one name cannot be told apart."""
        assert result.cursor is not None
        described = [(str(column[0]), column[1]) for column in result.cursor.description]
        names = [name.casefold() for name, _ in described]
        if twice := sorted({name for name, _ in described if names.count(name.casefold()) > 1}):
            raise WinbackError(
                f"{self._place}: a column occurs twice: {', '.join(map(repr, twice))}.",
                "name the columns that the query returns, each with a name of its own (select ... as ...)",
            )
        return {name: self._type_name(code) for name, code in described}

    def _type_name(self, code: Any) -> str:
        if self._is_mysql:
            return _MYSQL_TYPES.get(code, str(code))
        return (
            "unknown" if code is None else str(getattr(code, "name", getattr(code, "__name__", code))).lower()
        )

    # -- failing ----------------------------------------------------------------------------------------

    @property
    def _place(self) -> str:
        port = f":{self.url.port}" if self.url.port else ""
        server = f"{self.url.host}{port}/" if self.url.host else ""
        return f"{self.name} in the source database at {server}{self.url.database or ''}"

    @contextmanager
    def _clear_errors(self, *, is_connecting: bool = False) -> Iterator[None]:
        """Turn the database's errors, which may quote values, into ones that say what to do."""
        try:
            yield
        except exc.NoSuchTableError:
            raise self._no_table() from None
        except exc.DBAPIError as error:
            explain = self._mysql_error if self._is_mysql else self._other_error
            raise explain(error, is_connecting) from None
        except UnicodeError:
            raise WinbackError(
                f"{self._place}: a text is not in the character set that its column states.",
                "find it with a query by hand and correct it, or leave that column out by a query",
            ) from None

    def _mysql_error(self, error: exc.DBAPIError, is_connecting: bool) -> WinbackError:
        code = _mysql_code(error)
        if code in _MYSQL_WRONG_LOGIN:
            return WinbackError(
                f"{self._place}: user {self.url.username} is refused: wrong password, or no such user.",
                f"correct user and password in the connection {self.connection_name}",
            )
        if code == _MYSQL_NO_TABLE:
            return self._no_table()
        if code in _MYSQL_FORBIDDEN:
            return WinbackError(
                f"{self._place}: user {self.url.username} may not read it (error {code}).",
                f"grant select on {self.name} to that user",
            )
        if code in _MYSQL_BAD_QUERY:
            return self._refused(str(error.orig.args[1] if error.orig else ""))
        if is_connecting:
            return self._unreachable(_MYSQL_UNREACHABLE.get(cast(int, code), f"error {code}"))
        return self._broken(error, f"error {code}")

    def _other_error(self, error: exc.DBAPIError, is_connecting: bool) -> WinbackError:
        said = (str(error.orig).strip().splitlines() or [""])[0]
        if self.url.password:
            said = said.replace(str(self.url.password), "***")
        if is_connecting:
            return self._unreachable(said)
        if isinstance(error, exc.ProgrammingError | exc.OperationalError):
            return self._broken(error, said)
        # Errors about data quote them: only the kind of error and its number are shown.
        number = re.match(r"[A-Z]{2,5}-\d+", said)
        return self._broken(error, number[0] if number else type(error.orig).__name__)

    def _unreachable(self, reason: str) -> WinbackError:
        return WinbackError(
            f"{self._place} cannot be reached as user {self.url.username or '(default)'}: {reason}.",
            "check that the server runs, then host, port, database, user and password in"
            f" the connection {self.connection_name}",
        )

    def _broken(self, error: exc.DBAPIError, reason: str) -> WinbackError:
        if not error.connection_invalidated:
            return self._refused(reason)
        return WinbackError(
            f"{self._place}: the connection was lost while rows were read; nothing of this batch was loaded.",
            "check that the server runs and load again",
        )

    def _no_table(self) -> WinbackError:
        return WinbackError(
            f"{self._place}: the source has no such table{'' if self.table else ' as the query names'}.",
            "check the name and its schema in winback.yml, and that this user may read it",
        )

    def _refused(self, reason: str) -> WinbackError:
        return WinbackError(
            f"{self._place}: the source refused the query: {reason}",
            "run the query by hand in the source database and mend it in winback.yml",
        )


def database_table(
    system: MySqlSystem | SqlAlchemySystem, source: FeedSource, window: Window | None
) -> DatabaseRows:
    """Return the rows of a database's table or query, within a window by a canonical column.

    Raises:
        WinbackError: the window's column is not a column of the source, or the connection is no database URL.
    """
    column = None
    if window is not None:
        mapping = source.columns.get(window.column)
        column = mapping.column if mapping else None
        if column is None:
            raise WinbackError(
                f"{source.source}: the cursor {window.column} is not read from a column of the source.",
                f"map columns.{window.column} to the source's column, or name another cursor in winback.yml",
            )
    url = database_url(connection_url(system.connection), system.connection)
    if isinstance(system, MySqlSystem) and not is_mysql(url):
        raise WinbackError(
            f"connection {system.connection}: {url.drivername}:// is no MySQL or MariaDB.",
            "begin its URL with mysql://, or state connector: postgres or sqlalchemy in winback.yml",
        )
    return DatabaseRows(
        url=url,
        connection_name=system.connection,
        time_zone=system.time_zone,
        table=source.table,
        query=source.query,
        window=window,
        window_column=column,
    )


def database_url(text: str, connection_name: str) -> sqlalchemy.URL:
    """Read a database's URL; MySQL without a driver gets PyMySQL, and utf8mb4 unless it states a charset."""
    try:
        url = sqlalchemy.make_url(text)
    except (exc.ArgumentError, ValueError):  # neither message may be shown: it quotes the password
        raise WinbackError(
            f"connection {connection_name}: no database URL.",
            "write it as dialect://user:password@host:port/database, special characters as %40 and the like",
        ) from None
    if not is_mysql(url):
        return url
    if "+" not in url.drivername:
        url = url.set(drivername=f"{url.drivername}+pymysql")
    return url if "charset" in url.query else url.update_query_dict({"charset": "utf8mb4"})


def is_mysql(url: sqlalchemy.URL) -> bool:
    """Tell whether a URL names a MySQL or MariaDB."""
    return url.get_backend_name() in ("mysql", "mariadb")


def fixed_offset(time_zone: str, year: int) -> str | None:
    """Return a zone's offset as `+08:00`, None if its clocks change during the year."""
    winter, summer = (datetime(year, month, 1, tzinfo=ZoneInfo(time_zone)).strftime("%z") for month in (1, 7))
    return f"{winter[:3]}:{winter[3:]}" if winter == summer else None


def as_text(value: Any) -> str | None:
    """Write a database's value as text: exact, ISO 8601, bytes as UTF-8 or else in hexadecimal."""
    match value:
        case str() | None:
            text = value
        case bool():
            text = "true" if value else "false"
        case Decimal():
            text = format(value, "f")
        case datetime():
            text = value.isoformat(sep=" ")
        case date() | time():
            text = value.isoformat()
        case timedelta():
            text = _clock(value)
        case bytes() | bytearray() | memoryview():
            text = _bytes_as_text(bytes(value))
        case dict() | list():
            text = json.dumps(value, ensure_ascii=False, default=str)
        case _:
            text = str(value)
    return text


def _clock(duration: timedelta) -> str:
    seconds = abs(duration) // timedelta(seconds=1)
    sign = "-" if duration < timedelta(0) else ""
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _bytes_as_text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex()


def _without_parameters(query: str) -> str:
    """Keep SQLAlchemy from taking `:word` in a user's query for a parameter."""
    return query.replace(":", "\\:")


def _mysql_code(error: exc.DBAPIError) -> int | None:
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def _connect_arguments(url: sqlalchemy.URL) -> dict[str, Any]:
    """Have PyMySQL hand on values as the server writes them: exact, whatever they are.

    Its own conversion takes half of the reading time. MySQL's zero dates mean that there is none.
    """
    if url.get_driver_name() != "pymysql":
        return {}
    conversions: dict[Any, Any] = dict(importlib.import_module("pymysql.converters").encoders)
    conversions |= dict.fromkeys(_MYSQL_MOMENTS, _mysql_moment)
    conversions[_MYSQL_BIT] = lambda value: str(int.from_bytes(value, "big"))
    return {"conv": conversions, "connect_timeout": _CONNECT_SECONDS}


def _mysql_moment(value: str) -> str | None:
    return None if value.startswith("0000-00-00") else value


def _break_off(connection: sqlalchemy.Connection, driver_connection: Any) -> None:
    """Close a connection without waiting for what the server still sends."""
    # PyMySQL would go on to read the rest of the rows from the closed connection, and complain.
    unfinished = getattr(driver_connection, "_result", None)
    if unfinished is not None:
        unfinished.unbuffered_active = False
    connection.invalidate()
