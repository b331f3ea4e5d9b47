"""The loader's tables: created, upgraded in place from an earlier release, and equal to the feeds."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory

from tests.company import DAY, days_after
from winback import warehouse as place
from winback.feeds import FEEDS
from winback.load import load_feed
from winback.warehouse import migrations
from winback.warehouse.schema import NEWEST_REVISION, VERSIONED_FEEDS, ensure_schema

pytestmark = pytest.mark.without_tables

RELEASE_1 = Path(__file__).parents[1] / "data" / "warehouse_release_1.sql"
COLUMNS = """
    select column_name from information_schema.columns
    where table_schema = '{}' and table_name = '{}' order by ordinal_position
"""


def test_the_newest_revision_is_the_one_that_the_code_expects():
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert script.get_heads() == [NEWEST_REVISION]


def test_raw_tables_have_the_columns_of_the_feeds(warehouse, query):
    with place.connect() as connection:
        ensure_schema(connection)
    own = {"source_id", "load_batch_id", "row_number", "loaded_at", "business_day", "deleted_on"}
    for feed in FEEDS.values():
        assert {name for (name,) in query(COLUMNS.format("raw", feed.name))} == {*feed.column_names, *own}
    for name in VERSIONED_FEEDS:
        found = {column for (column,) in query(COLUMNS.format("raw", f"{name}_versions"))}
        assert found == {*FEEDS[name].column_names, *own, "valid_from"} - {"business_day", "row_number"}


def restore(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(RELEASE_1.read_text("utf-8"))


def test_a_warehouse_of_the_first_release_is_upgraded_with_all_it_holds(warehouse, company, query):
    restore(warehouse)
    before = query("select order_id, amount, loaded_at from raw.orders order by 1")
    assert [row[0] for row in before] == ["A1", "A2"]
    company.sell(
        ("A1", "2026-03-02 00:30", "12.50", "C1", "2026-03-02 00:30"),
        ("A3", "2026-03-04 10:00", "7", "C1", "2026-03-04 10:00"),
    )
    result = load_feed(company.settings, "orders", days_after(2))
    assert (result.counts.rows_inserted, result.counts.rows_updated) == (1, 0)
    assert (
        query("select order_id, amount, loaded_at from raw.orders where order_id < 'A3' order by 1") == before
    )
    assert query("select order_id, business_day, deleted_on from raw.orders order by 1") == [
        ("A1", DAY, None),
        ("A2", days_after(1), None),
        ("A3", days_after(2), None),
    ]
    assert query(
        "select customer_id, region_id, valid_from::text from raw.customers_versions order by 1"
    ) == [
        ("C1", "EAST", "-infinity"),
        ("C2", "WEST", "-infinity"),
    ]
    assert query("select count(*) from quarantine.complaints") == [(1,)]
    assert query("select max(business_day) from ops.feed_days where feed = 'orders'") == [(date(2026, 3, 4),)]


def test_two_processes_upgrade_once(warehouse, query):
    restore(warehouse)
    upgrade = (
        "from winback import warehouse; from winback.warehouse.schema import ensure_schema;"
        " ensure_schema(warehouse.connect())"
    )
    processes = [subprocess.Popen([sys.executable, "-c", upgrade]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert query("select version_num from ops.alembic_version") == [(NEWEST_REVISION,)]
