"""Wrong input and broken surroundings: a clear error, nothing lost, and the same load works once mended."""

import os
import subprocess
import uuid
from pathlib import Path

import psycopg
import pytest

from tests.company import DAY, days_after
from winback.errors import WinbackError
from winback.load import load_feed

pytestmark = pytest.mark.usefixtures("quick_checks")


def refusal(company, feed="orders") -> str:
    with pytest.raises(WinbackError) as caught:
        load_feed(company.settings, feed, DAY)
    message = str(caught.value)
    assert "What to do:" in message
    return message


def with_source(company, feed="orders", **changes):
    """Return the company with other words in the feed's source."""
    old = company.settings.feeds[feed]
    source = old.sources[0].model_copy(update=changes)
    feeds = {**company.settings.feeds, feed: old.model_copy(update={"sources": (source,)})}
    company.settings = company.settings.model_copy(update={"feeds": feeds})
    return company


def test_an_unreachable_source_is_named_without_its_password(company, monkeypatch):
    monkeypatch.setenv("WINBACK_CONN_TEST_ERP", "postgresql://reader:s3cret@127.0.0.1:1/erp")
    message = refusal(company)
    assert (
        "orders from erp: the source database at 127.0.0.1:1/erp cannot be reached as user reader" in message
    )
    assert "connection test_erp" in message
    assert "s3cret" not in message


def test_a_wrong_password_is_named_as_such(company, monkeypatch):
    url = psycopg.conninfo.conninfo_to_dict(company.erp_url)
    monkeypatch.setenv(
        "WINBACK_CONN_TEST_ERP",
        f"postgresql://{url['user']}:wrong@{url['host']}:{url['port']}/{url['dbname']}",
    )
    assert "password authentication failed" in refusal(company)


def test_an_unreachable_warehouse_is_named(company, monkeypatch):
    monkeypatch.setenv("WINBACK_WAREHOUSE_URL", "postgresql://w:pw@127.0.0.1:1/warehouse")
    assert "the warehouse at 127.0.0.1:1/warehouse cannot be reached" in refusal(company)


def test_an_unknown_column_lists_what_the_source_has(company):
    source = company.settings.feeds["orders"].sources[0]
    columns = {**source.columns, "amount": source.columns["amount"].model_copy(update={"column": "netto"})}
    message = refusal(with_source(company, columns=columns))
    assert "no column 'netto' (wanted for amount)" in message
    assert "amount, at, customer, no, updated" in message


def test_an_unknown_table_is_named(company):
    assert "no table sales.orders" in refusal(with_source(company, table="sales.orders"))


def test_a_broken_query_is_quoted_back(company):
    message = refusal(with_source(company, table=None, query="select nothing from orders"))
    assert 'column "nothing" does not exist' in message


def test_a_value_that_does_not_fit_is_not_quoted(company, query):
    with psycopg.connect(company.erp_url) as connection:
        connection.execute("alter table orders alter amount type text")
    company.sell(("A1", "2026-03-02 10:00", "zehn Mark", "C1", "2026-03-02 10:00"))
    message = refusal(company)
    assert "a value does not fit its column's type" in message
    assert "Mark" not in message
    assert query("select status, rows_inserted from ops.batches") == [("failed", None)]


def test_a_file_in_another_encoding_loads_once_the_encoding_is_stated(company, query):
    company.complain(DAY, "T1,2026-03-02 10:00,C1,已结案,4", encoding="utf-16")
    assert "not gb18030" in refusal(company, "complaints")
    load_feed(with_source(company, "complaints", encoding="utf-16").settings, "complaints", DAY)
    assert query("select status from raw.complaints") == [("已结案",)]


def test_a_row_that_postgres_cannot_store_is_named_by_place_only(company, query):
    company.complain(DAY, "T1,2026-03-02 10:00,C1,已结案,4", "T2,2026-03-02 10:00,C\0secret,已结案,4")
    message = refusal(company, "complaints")
    assert "NUL byte at line 3" in message
    assert "secret" not in message
    assert query("select count(*) from raw.complaints") == [(0,)]


def test_an_empty_file_is_refused_and_its_day_stays_open(company, query):
    (company.folder / f"投诉_{DAY}.csv").touch()
    assert "the file is empty" in refusal(company, "complaints")
    assert query("select count(*) from ops.feed_days") == [(0,)]


def test_a_missing_undated_file_is_named(company):
    assert "no file matches complaints.csv" in refusal(
        with_source(company, "complaints", files="complaints.csv"), "complaints"
    )


def test_a_feed_that_is_not_configured_is_named(company):
    assert "configured are complaints, orders" in refusal(company, "contacts")


@pytest.fixture
def tiny_disk(server):
    """Mount a disk of one megabyte and make it a tablespace of the server."""
    name = f"tiny_{uuid.uuid4().hex[:8]}"
    folder = server.home / name
    if os.geteuid() != 0:
        pytest.skip("a small disk can only be mounted by root")
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    owner = Path(server.home / "data").stat()
    os.chown(folder, owner.st_uid, owner.st_gid)
    try:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"create tablespace {name} location '{folder}'")
        yield name
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"drop tablespace {name}")
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_while_landing_loses_nothing(tiny_disk, company, warehouse, query):
    load_feed(company.settings, "orders", DAY)
    company.sell(
        *((f"A{n}", "2026-03-02 10:00", n, f"customer {n:0200}", "2026-03-02 10:00") for n in range(9_000))
    )
    name = warehouse.rsplit("/", 1)[1]
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute(f"alter database {name} set default_tablespace = {tiny_disk}")
    message = refusal(company)
    assert "the warehouse's disk is full" in message
    assert "no row was loaded and the watermark did not move" in message
    assert query("select count(*) from raw.orders") == [(0,)]
    assert query("select relname from pg_class where relnamespace = 'landing'::regnamespace") == []
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute(f"alter database {name} reset default_tablespace")
    assert load_feed(company.settings, "orders", DAY).counts.rows_inserted == 9_000


def test_a_row_that_the_warehouse_refuses_is_not_quoted(company, warehouse, query):
    load_feed(company.settings, "orders", days_after(-9))
    with psycopg.connect(warehouse) as connection:
        connection.execute("alter table raw.orders add constraint no_ada check (customer_id <> 'Ada Secret')")
    company.sell(("A1", "2026-03-02 10:00", 5, "Ada Secret", "2026-03-02 10:00"))
    message = refusal(company)
    assert "CheckViolation (orders, no_ada)" in message
    assert "Ada" not in message
    assert query("select error like '%Ada%' from ops.batches where status = 'failed'") == [(False,)]


def test_a_format_that_the_source_database_would_not_heed_is_refused(company):
    source = company.settings.feeds["orders"].sources[0]
    stated = source.columns["ordered_at"].model_copy(update={"format": "%d.%m.%Y"})
    message = refusal(with_source(company, columns={**source.columns, "ordered_at": stated}))
    assert "columns.ordered_at states a format" in message
