"""MySQL: every type arrives exact, the server cuts windows, memory stays flat, errors say what to do."""

import csv
import gc
import io
import json
import pkgutil
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.company import DAY, ZONE
from tests.mariadb import MariaDb, is_installed
from winback.config import FeedSource, MySqlSystem, load_settings
from winback.errors import WinbackError
from winback.extract import Window
from winback.extract.databases import database_table
from winback.extract.shaped import ShapedBatch, open_engine
from winback.feeds import FEEDS
from winback.load import load_feed

pytestmark = pytest.mark.skipif(
    not is_installed(), reason="mariadbd is not on the PATH (Debian: mariadb-server-core)"
)

COLUMNS = {"order_id": "no", "ordered_at": "at", "amount": "amount", "customer_id": "customer"}
SYSTEM = MySqlSystem(connector="mysql", connection="test_shop", time_zone=ZONE)
ORDERS = (
    "create or replace table orders (no bigint unsigned primary key, at datetime null, amount decimal(20,4),"
    " customer varchar(50), updated datetime(3) null) character set utf8mb4"
)


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariaDb]:
    database = MariaDb()
    database.start()
    yield database
    database.remove()


@pytest.fixture
def shop(mariadb, monkeypatch, tmp_path) -> MariaDb:
    monkeypatch.setenv("WINBACK_CONN_TEST_SHOP", mariadb.url())
    monkeypatch.setenv("WINBACK_STATE", str(tmp_path / "state"))
    mariadb.execute(ORDERS)
    return mariadb


def source_of(**changes) -> FeedSource:
    origin = {} if "query" in changes else {"table": "orders"}
    return FeedSource(**{"source": "shop", **origin, "columns": COLUMNS, **changes})


def rows_of(tmp_path, source=None, window=None) -> list[dict[str, str | None]]:
    """Read all columns of the source, as text."""
    folder = tmp_path / "spool"
    folder.mkdir(exist_ok=True)
    table = database_table(SYSTEM, source or source_of(), window)
    with open_engine(folder) as engine:
        found = engine.execute(f"select * from {table.relation(engine, folder)}")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def refusal(tmp_path, source=None) -> str:
    with pytest.raises(WinbackError) as caught:
        rows_of(tmp_path, source)
    message = str(caught.value)
    assert "What to do:" in message
    assert "s3cret" not in message
    return message


@pytest.mark.parametrize(
    ("type_name", "value", "text"),
    [
        ("decimal(30,10)", "12345678901234567890.0123456789", "12345678901234567890.0123456789"),
        ("decimal(10,2)", "-0.10", "-0.10"),
        ("bigint unsigned", "18446744073709551615", "18446744073709551615"),
        ("tinyint(1)", "true", "1"),
        ("bit(8)", "b'00000101'", "5"),
        ("double", "0.1", "0.1"),
        ("date", "'2024-02-29'", "2024-02-29"),
        ("date", "'0000-00-00'", None),
        ("datetime", "'0000-00-00 00:00:00'", None),
        ("datetime(6)", "'2026-03-02 09:05:06.123456'", "2026-03-02 09:05:06.123456"),
        ("time", "'-01:02:03'", "-01:02:03"),
        ("year", "2026", "2026"),
        ("json", """'{"级别": [1, 0.10]}'""", '{"级别": [1, 0.10]}'),
        ("text character set utf8mb4", "'客户说：“好”😀'", "客户说：“好”😀"),
        ("varchar(20) character set gbk", "'投诉'", "投诉"),
        ("varchar(20) character set latin1", "'Café'", "Café"),
        ("enum('open','closed')", "'closed'", "closed"),
        ("blob", "x'e5a5bd'", "好"),
        ("blob", "x'ff00'", "ff00"),
        ("varchar(99)", r"""'a,"b"\r\n\\N\tc'""", 'a,"b"\r\n\\N\tc'),
        ("varchar(9)", "'\\\\N'", "\\N"),
        ("varchar(9)", "''", ""),
        ("varchar(9)", "null", None),
    ],
)
def test_every_type_arrives_as_the_server_writes_it(shop, tmp_path, type_name, value, text):
    shop.execute(
        f"create or replace table orders (value {type_name})",
        "set sql_mode = ''",
        f"insert into orders values ({value})",
    )
    assert rows_of(tmp_path) == [{"value": text}]


def test_a_moment_that_the_server_keeps_in_utc_arrives_in_the_systems_zone(shop, tmp_path):
    # The server's own zone is UTC, and it does not know Asia/Shanghai by name.
    shop.execute(
        "create or replace table orders (at timestamp null)",
        "insert into orders values ('2026-03-01 16:30:00')",
    )
    assert rows_of(tmp_path) == [{"at": "2026-03-02 00:30:00"}]


def test_a_zone_with_summer_time_that_the_server_does_not_know_is_refused(shop, tmp_path):
    system = SYSTEM.model_copy(update={"time_zone": "Europe/Berlin"})
    with pytest.raises(
        WinbackError, match=r"does not know the time zone Europe/Berlin[\s\S]*mysql_tzinfo_to_sql"
    ):
        database_table(system, source_of(), None).relation(None, tmp_path)


def test_a_window_is_cut_in_the_systems_zone(shop, tmp_path):
    shop.execute(
        "insert into orders (no, updated) values (1, '2026-03-01 23:59:59.999'), (2, '2026-03-02 00:00:00'),"
        " (3, '2026-03-02 23:59:59.999'), (4, '2026-03-03 00:00:00'), (5, null)"
    )
    source = source_of(cursor="updated_at", columns={**COLUMNS, "updated_at": "updated"})
    # The day of 2 March in Shanghai.
    after, before = datetime(2026, 3, 1, 16, tzinfo=UTC), datetime(2026, 3, 2, 16, tzinfo=UTC)

    def numbers(*window) -> list[str | None]:
        return sorted(str(row["no"]) for row in rows_of(tmp_path, source, Window("updated_at", *window)))

    assert numbers(after, before) == ["2", "3", "5"]
    assert numbers(after, before, False) == ["2", "3"]
    assert numbers(None, before) == ["1", "2", "3", "5"]


def test_a_query_runs_in_the_source_with_its_own_colons_and_percent_signs(shop, tmp_path):
    shop.execute("insert into orders (no, customer) values (1, 'a:b'), (2, 'a;b')")
    query = "select max(no) as no, '10 % :x' as note from orders where customer like '%:b';"
    assert rows_of(tmp_path, source_of(query=query)) == [{"no": "1", "note": "10 % :x"}]


def test_rows_are_read_in_one_read_only_snapshot(shop, tmp_path):
    query = "select @@tx_isolation as isolation, @@tx_read_only as is_read_only"
    assert rows_of(tmp_path, source_of(query=query)) == [
        {"isolation": "REPEATABLE-READ", "is_read_only": "1"}
    ]


def test_the_types_of_the_source_are_known_after_reading(shop, tmp_path):
    table = database_table(SYSTEM, source_of(), None)
    with open_engine(tmp_path) as engine:
        table.relation(engine, tmp_path)
    assert table.column_types == {
        "no": "bigint",
        "at": "datetime",
        "amount": "decimal",
        "customer": "varchar",
        "updated": "datetime",
    }


def test_rows_become_those_of_the_feed(shop):
    shop.execute(
        "insert into orders values (18446744073709551615, '2026-03-02 00:30', 12.5, '王😀', null),"
        " (2, null, 1, '', null)"
    )
    source = source_of()
    batch = ShapedBatch(FEEDS["orders"], source, ZONE, {"rows": database_table(SYSTEM, source, None)})
    data = b"".join(bytes(chunk) for chunk in batch.chunks()).decode()
    first, second = sorted(csv.reader(io.StringIO(data)), reverse=True, key=lambda row: row[1])
    assert first[0::2][:2] == ["18446744073709551615", "12.5000"]
    assert first[1].startswith("2026-03-02 00:30:00")
    assert first[1].endswith(ZONE)
    assert first[3] == "王😀"
    assert second[:4] == ["2", "", "1.0000", ""]
    assert json.loads(second[4]) == {
        "no": "2",
        "at": None,
        "amount": "1.0000",
        "customer": "",
        "updated": None,
    }


# -- errors ---------------------------------------------------------------------------------------------


def test_a_wrong_password_is_named_as_such(shop, tmp_path, monkeypatch):
    monkeypatch.setenv("WINBACK_CONN_TEST_SHOP", shop.url("s3cret-too"))
    message = refusal(tmp_path)
    assert "user reader is refused: wrong password" in message
    assert "connection test_shop" in message


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "mysql://reader:s3cret@127.0.0.1:1/shop",
            "127.0.0.1:1/shop cannot be reached as user reader: no server",
        ),
        ("postgresql://reader:s3cret@127.0.0.1/shop", "postgresql:// is no MySQL"),
        ("mysql+nothing://reader:s3cret@127.0.0.1/shop", r"no dialect for mysql\+nothing://"),
        ("mysql+asyncmy://reader:s3cret@127.0.0.1/shop", "no driver for .*[\\s\\S]*pip install asyncmy"),
        ("reader:s3cret@127.0.0.1", "no database URL"),
    ],
)
def test_a_url_that_leads_nowhere_is_explained(tmp_path, monkeypatch, url, said):
    monkeypatch.setenv("WINBACK_CONN_TEST_SHOP", url)
    assert re.search(said, refusal(tmp_path))


def test_a_database_that_the_user_may_not_open_is_named(shop, tmp_path, monkeypatch):
    monkeypatch.setenv("WINBACK_CONN_TEST_SHOP", shop.url().replace("/shop", "/shed"))
    assert "user reader may not read it" in refusal(tmp_path)


def test_a_stopped_server_is_named(shop, tmp_path):
    shop.stop()
    try:
        message = refusal(tmp_path)
        assert f"127.0.0.1:{shop.port}/shop cannot be reached as user reader: no server answers" in message
    finally:
        shop.start()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"table": "ordres"}, "ordres in the source database at .* has no such table"),
        ({"query": "select * from ordres"}, "no such table as the query names"),
        ({"query": "selct 1"}, "refused the query: You have an error in your SQL syntax"),
        ({"query": "select nothing from orders"}, "Unknown column 'nothing'"),
        ({"query": "select no, at as NO from orders"}, "Duplicate column name 'NO'"),
    ],
)
def test_a_wrong_table_or_query_is_named(shop, tmp_path, source, said):
    with pytest.raises(WinbackError, match=said):
        rows_of(tmp_path, source_of(**source))


def test_an_error_about_a_value_does_not_quote_it(shop, tmp_path):
    shop.execute("insert into orders (no, customer) values (1, '13800001234')")
    message = refusal(
        tmp_path, source_of(query="select st_geomfromtext(customer) + exp(no * 9999) as no from orders")
    )
    assert "refused the query: error" in message
    assert "138" not in message


def test_a_server_that_dies_while_rows_are_read_is_named(shop, tmp_path):
    query = "select seq as no, if(seq = 400000, sleep(30), 0) as pause from seq_1_to_900000"
    table = database_table(SYSTEM, source_of(query=query), None)
    killer = subprocess.Popen(["sh", "-c", f"sleep 3; kill -9 {shop.process.pid}"])
    try:
        with pytest.raises(WinbackError, match="the connection was lost while rows were read"):
            table.relation(None, tmp_path)
    finally:
        killer.wait()
        shop.process.wait()
        shop.start()


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "place", ["winback.extract.databases.row_line", "pymysql.connections.MySQLResult._read_row_from_packet"]
)
def test_an_interrupt_ends_the_reading_at_once(shop, tmp_path, monkeypatch, place):
    original, calls = pkgutil.resolve_name(place), iter(range(5000))

    def interrupted(*arguments):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(place, interrupted)
    table = database_table(SYSTEM, source_of(query="select seq from seq_1_to_100000000"), None)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        table.relation(None, tmp_path)
    gc.collect()
    assert time.monotonic() - began < 10


# -- size and the whole way -----------------------------------------------------------------------------

MEASURE = """
    import resource, sys
    from pathlib import Path
    from winback.config import FeedSource, MySqlSystem
    from winback.extract.databases import database_table

    system = MySqlSystem(connector="mysql", connection="test_shop", time_zone="Asia/Shanghai")
    def read(rows):
        texts = ", ".join(f"concat('value {n} of ', seq) as value_{n}" for n in range(5))
        query = f"select seq, {texts} from seq_1_to_{rows}"
        source = FeedSource(source="shop", query=query, columns={"order_id": "seq"})
        database_table(system, source, None).relation(None, Path(sys.argv[1]))
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

    before = read(1000)
    print(read(500_000) - before)
"""


def test_memory_does_not_grow_with_the_number_of_rows(shop, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEASURE), str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert (tmp_path / "rows.jsonl").read_bytes().count(b"\n") == 500_000
    assert int(done.stdout) < 100, "MB"


def test_a_database_is_loaded_day_by_day(shop, warehouse, query, tmp_path):
    shop.execute(
        "insert into orders values (1, '2026-03-02 00:30', 12.50, 'C1', '2026-03-02 00:30'),"
        " (2, '2026-03-03 08:00', 7, 'C2', '2026-03-03 08:00')"
    )
    settings = shop_settings(tmp_path)
    assert load_feed(settings, "orders", DAY).counts.rows_inserted == 1
    row = query("select source_id, order_id, ordered_at, amount::text, customer_id from raw.orders")
    assert row == [("shop", "1", datetime(2026, 3, 1, 16, 30, tzinfo=UTC), "12.5000", "C1")]


def shop_settings(folder: Path):
    columns = {**COLUMNS, "updated_at": "updated"}
    source = {"source": "shop", "table": "orders", "cursor": "updated_at", "columns": columns}
    config = {
        "company": {"name_en": "Test", "name_zh": "测试"},
        "business": {"time_zone": ZONE},
        "systems": {"shop": SYSTEM.model_dump()},
        "feeds": {"orders": {"sources": [source]}},
    }
    (folder / "winback.yml").write_text(json.dumps(config), encoding="utf-8")
    return load_settings(folder / "winback.yml")
