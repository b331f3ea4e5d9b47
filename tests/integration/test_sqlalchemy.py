"""Any database through SQLAlchemy, shown with PostgreSQL: exact values, windows with zones, clear errors."""

from datetime import UTC, datetime

import psycopg
import pytest

from winback.config import FeedSource, SqlAlchemySystem
from winback.errors import WinbackError
from winback.extract import Window
from winback.extract.databases import database_table
from winback.extract.shaped import open_engine

SYSTEM = SqlAlchemySystem(connector="sqlalchemy", connection="test_shop", time_zone="Asia/Shanghai")
COLUMNS = {"order_id": "No", "ordered_at": "at", "amount": "amount", "updated_at": "updated"}


@pytest.fixture
def shop_url(new_database, monkeypatch) -> str:
    url = new_database()
    monkeypatch.setenv("WINBACK_CONN_TEST_SHOP", url.replace("postgresql://", "postgresql+psycopg://"))
    with psycopg.connect(url) as connection:
        connection.execute("create schema sales")
        connection.execute(
            'create table sales.orders ("No" numeric, at timestamp, updated timestamptz,'
            " rest jsonb, raw bytea)"
        )
        connection.execute(
            "insert into sales.orders values"
            """ (1.10, '2026-03-02 00:00', '2026-03-01 16:00+00', '{"a": ["中"]}', 'x'),"""
            " (2, '2026-03-03 00:00', '2026-03-02 16:00+00', null, '\\xff'), (3, null, null, null, null)"
        )
    return url


def rows_of(folder, window=None, **origin) -> list[tuple[str | None, ...]]:
    source = FeedSource(**{"source": "shop", "columns": COLUMNS, **(origin or {"table": "sales.orders"})})
    table = database_table(SYSTEM, source, window)
    with open_engine(folder) as engine:
        return engine.execute(f"select * from {table.relation(engine, folder)}").fetchall()


def test_values_arrive_as_exact_text(shop_url, tmp_path):
    first, second, third = rows_of(tmp_path)
    assert first[:2] == ("1.10", "2026-03-02 00:00:00")
    assert datetime.fromisoformat(str(first[2])) == datetime(2026, 3, 1, 16, tzinfo=UTC)
    assert first[3:] == ('{"a": ["中"]}', "x")
    assert second[3:] == (None, "ff")
    assert third == ("3", None, None, None, None)


@pytest.mark.parametrize("column", ["updated_at", "ordered_at"])
def test_a_window_is_cut_whether_the_column_has_a_zone_or_not(shop_url, tmp_path, column):
    window = Window(column, datetime(2026, 3, 1, 16, tzinfo=UTC), datetime(2026, 3, 2, 16, tzinfo=UTC))
    assert [row[0] for row in rows_of(tmp_path, window)] == ["1.10", "3"]


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ({"query": "select 1 as a, 2 as a"}, "a column occurs twice: 'a'"),
        ({"table": "sales.ordres"}, 'refused the query: relation "sales.ordres" does not exist'),
        ({"query": "select 'secret'::int"}, "refused the query: InvalidTextRepresentation"),
    ],
)
def test_a_query_that_cannot_be_read_is_named(shop_url, tmp_path, origin, said):
    with pytest.raises(WinbackError, match=said) as caught:
        rows_of(tmp_path, **origin)
    assert "secret" not in str(caught.value)


def test_a_wrong_password_is_named_without_quoting_it(shop_url, tmp_path, monkeypatch):
    place = shop_url.rsplit("@", 1)[1]
    monkeypatch.setenv("WINBACK_CONN_TEST_SHOP", f"postgresql+psycopg://postgres:wr0ng@{place}")
    with pytest.raises(WinbackError, match="password authentication failed") as caught:
        rows_of(tmp_path)
    assert "wr0ng" not in str(caught.value)
