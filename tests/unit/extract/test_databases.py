"""Databases: what values become, what a URL means, and the whole path with SQLite."""

import sqlite3
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
import sqlalchemy

from winback.config import FeedSource, MySqlSystem, SqlAlchemySystem
from winback.errors import WinbackError
from winback.extract import Window
from winback.extract.databases import as_text, database_table, database_url, fixed_offset
from winback.extract.shaped import open_engine
from winback.extract.spool import open_spool, row_line

SYSTEM = SqlAlchemySystem(connector="sqlalchemy", connection="test_shop", time_zone="Asia/Shanghai")
COLUMNS = {"order_id": "no", "ordered_at": "at", "amount": "amount", "updated_at": "updated at"}


@pytest.fixture
def shop(tmp_path, monkeypatch) -> sqlite3.Connection:
    monkeypatch.setenv("WINBACK_CONN_TEST_SHOP", f"sqlite:///{tmp_path / 'shop.db'}")
    connection = sqlite3.connect(tmp_path / "shop.db", isolation_level=None)
    connection.execute('create table orders (no, at, amount, "updated at")')
    return connection


def source_of(**changes) -> FeedSource:
    origin = {} if "query" in changes else {"table": "orders"}
    return FeedSource(**{"source": "shop", **origin, "columns": COLUMNS, **changes})


def rows_of(folder, source, window=None) -> list[tuple[str | None, ...]]:
    table = database_table(SYSTEM, source, window)
    with open_engine(folder) as engine:
        return engine.execute(f"select * from {table.relation(engine, folder)}").fetchall()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.10"), "-0.10"),
        (12345678901234567890, "12345678901234567890"),
        (0.1, "0.1"),
        (True, "true"),
        (datetime(2026, 3, 2, 9, 5), "2026-03-02 09:05:00"),
        (datetime(2026, 3, 2, 9, 5, tzinfo=UTC), "2026-03-02 09:05:00+00:00"),
        (date(2026, 3, 2), "2026-03-02"),
        (time(9, 5), "09:05:00"),
        (timedelta(hours=25, seconds=7), "25:00:07"),
        (-timedelta(minutes=1), "-00:01:00"),
        ("中".encode(), "中"),
        (b"\xff\x00", "ff00"),
        ({"a": ["中", Decimal("0.10")]}, '{"a": ["中", "0.10"]}'),
    ],
)
def test_a_value_becomes_exact_text(value, text):
    assert as_text(value) == text


def test_rows_come_back_as_they_were(shop, tmp_path):
    row = ("A1", "2026-03-02\r\n\n10:00", '"中",😀\\u0000', None)
    shop.executemany("insert into orders values (?, ?, ?, ?)", [row, ("", "\\N", None, None)])
    assert rows_of(tmp_path, source_of()) == [row, ("", "\\N", None, None)]


def test_nul_characters_are_left_out_and_broken_ones_marked(tmp_path):
    with open_spool(tmp_path / "rows") as out:
        out.write(row_line({"a": "x\0\\u0000", "b": None, "c": "\ud83d!"}))
    assert (tmp_path / "rows").read_text() == '{"a": "x\\\\u0000", "b": null, "c": "?!"}\n'


def test_a_lone_column_keeps_its_nulls(shop, tmp_path):
    shop.execute("insert into orders (no) values (null), ('')")
    assert rows_of(tmp_path, source_of(query="select no from orders order by no")) == [(None,), ("",)]


def test_an_empty_table_has_its_columns_and_no_rows(shop, tmp_path):
    table = database_table(SYSTEM, source_of(), None)
    with open_engine(tmp_path) as engine:
        assert engine.execute(f"select * from {table.relation(engine, tmp_path)}").fetchall() == []
    assert table.column_types == dict.fromkeys(("no", "at", "amount", "updated at"), "unknown")


@pytest.mark.parametrize(
    ("after", "and_unknown", "expected"),
    [
        (datetime(2026, 3, 1, 16, tzinfo=UTC), True, "2 3 5"),
        (datetime(2026, 3, 1, 16, tzinfo=UTC), False, "2 3"),
        (None, True, "1 2 3 5"),
    ],
)
def test_a_window_is_cut_by_the_source_column(shop, tmp_path, after, and_unknown, expected):
    moments = [
        "2026-03-01 23:59:59",
        "2026-03-02 00:00:00",
        "2026-03-02 23:59:59",
        "2026-03-03 00:00:00",
        None,
    ]
    shop.executemany('insert into orders (no, "updated at") values (?, ?)', enumerate(moments, 1))
    window = Window("updated_at", after, datetime(2026, 3, 2, 16, tzinfo=UTC), and_unknown)
    assert " ".join(row[0] for row in rows_of(tmp_path, source_of(), window)) == expected


@pytest.mark.parametrize("columns", [{**COLUMNS, "updated_at": {"constant": "now"}}, {"order_id": "no"}])
def test_a_window_by_what_is_no_source_column_is_refused(shop, columns):
    window = Window("updated_at", None, datetime(2026, 3, 2, tzinfo=UTC))
    with pytest.raises(
        WinbackError, match="shop: the cursor updated_at is not read from a column of the source"
    ):
        database_table(SYSTEM, source_of(columns=columns), window)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"table": "ordres"}, "refused the query: no such table: ordres"),
        ({"query": "select nonesuch from orders"}, "refused the query: no such column: nonesuch"),
    ],
)
def test_a_wrong_table_or_query_is_named(shop, tmp_path, source, said):
    with pytest.raises(WinbackError, match=said):
        rows_of(tmp_path, source_of(**source))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "oracle+oracledb://u:s3cret@h/x",
            "no driver for oracle\\+oracledb://.*[\\s\\S]*pip install oracledb",
        ),
        (
            "mysql+mysqldb://u:s3cret@h/x",
            "no driver for mysql\\+mysqldb://.*[\\s\\S]*pip install mysqlclient",
        ),
        ("dm://u:s3cret@h/x", "no dialect for dm:// .*[\\s\\S]*pip install dmSQLAlchemy"),
        ("nonsense://u:s3cret@h/x", "no dialect for nonsense://.*[\\s\\S]*correct the URL's scheme"),
        ("u:s3cret@h", "connection test_shop: no database URL"),
        ("mysql://u:s3cret@h:port/x", "connection test_shop: no database URL"),
        ("sqlite:////no/such/folder/s3cret.db", "cannot be reached .* unable to open database file"),
    ],
)
def test_a_connection_that_cannot_work_says_why(tmp_path, monkeypatch, url, said):
    monkeypatch.setenv("WINBACK_CONN_TEST_SHOP", url)
    with pytest.raises(WinbackError, match=said) as caught:
        rows_of(tmp_path, source_of())
    assert ":s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "driver", "charset"),
    [
        ("mysql://u:p@h/d", "mysql+pymysql", "utf8mb4"),
        ("mariadb://u:p@h/d", "mariadb+pymysql", "utf8mb4"),
        ("mysql+mysqldb://u:p@h/d?charset=gbk", "mysql+mysqldb", "gbk"),
        ("sqlite:///x", "sqlite", None),
    ],
)
def test_mysql_speaks_utf8mb4_through_pymysql_unless_the_url_says_otherwise(given, driver, charset):
    url = database_url(given, "shop")
    assert (url.drivername, url.query.get("charset")) == (driver, charset)


def test_a_mysql_system_wants_a_mysql_url(monkeypatch):
    monkeypatch.setenv("WINBACK_CONN_TEST_SHOP", "sqlite:///x")
    system = MySqlSystem(connector="mysql", connection="test_shop", time_zone="Asia/Shanghai")
    with pytest.raises(WinbackError, match="sqlite:// is no MySQL or MariaDB"):
        database_table(system, source_of(), None)


@pytest.mark.parametrize(
    ("zone", "offset"),
    [("Asia/Shanghai", "+08:00"), ("Asia/Kolkata", "+05:30"), ("UTC", "+00:00"), ("Europe/Berlin", None)],
)
def test_a_zone_has_a_fixed_offset_if_its_clocks_never_change(zone, offset):
    assert fixed_offset(zone, 2026) == offset


class _DataError(Exception):
    """What a driver raises for a value that does not fit; its text quotes the value."""


def test_an_error_about_data_is_not_quoted(shop, tmp_path, monkeypatch):
    def fail(*_):
        raise sqlalchemy.exc.DataError(
            "select 1", {}, _DataError('ORA-01722: unable to convert "13800001234"')
        )

    monkeypatch.setattr("winback.extract.databases.row_line", fail)
    shop.execute("insert into orders (no) values (1)")
    with pytest.raises(WinbackError, match="refused the query: ORA-01722\n") as caught:
        rows_of(tmp_path, source_of())
    assert "138" not in str(caught.value)
