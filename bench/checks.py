"""Time the whole `orders` suite on one landed batch against one hand-written SQL pass that counts the same.

    .venv/bin/python bench/checks.py [--rows 1000000] [--runs 5] [--json]

The suite is what a load runs between landing and commit: rows are looked up in other feeds, Great
Expectations counts, the batch is measured and held to what is usual. The hand-written pass is one statement,
with joins to the feeds that rows refer to, that gives the same count for every rule; the counts are compared.
Great Expectations' import is paid once per process, and shown beside. Exit code 1 beyond three times the
pass.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import yaml

from winback import warehouse
from winback.check.landed import delivered_now
from winback.check.rules import KEY_IS_NOT_REPEATED
from winback.check.suites import rules_for, thresholds
from winback.config import Settings, load_settings
from winback.feeds import FEEDS
from winback.load.checking import BatchCheck, Checked
from winback.load.landing import land
from winback.warehouse.schema import ensure_schema
from winback.warehouse.server import EmbeddedServer

AT_MOST = 3.0
DAY = date(2026, 3, 2)
FEED = FEEDS["orders"]
ORDERS = """
select
    'A' || lpad(((n * 7919) % 100000007)::text, 9, '0') as order_id,
    timestamptz '2026-03-02 00:00+08' - n * interval '37 seconds' as ordered_at,
    round(((n % 10007) - 100) / 7.0, 2) as amount,
    case when n % 50 > 0 then 'C' || (n * 104729 % 50021) end as customer_id,
    case when n % 1000 = 0 then 'whatever' else 'settled' end as status,
    case when n % 3 = 0 then 'web' else 'store' end as channel,
    'R' || n % 60 as region_id,
    case when n % 40 = 0 then 'A' || n end as reverses_order_id,
    timestamptz '2026-03-02 00:00+08' - n * interval '36 seconds' as delivered_at,
    timestamptz '2026-03-02 00:00+08' - n * interval '30 seconds' as updated_at
from generate_series(1::bigint, {rows}) as n
"""
COLUMNS = (
    *("order_id", "ordered_at", "amount", "customer_id", "status", "channel", "region_id"),
    *("reverses_order_id", "delivered_at", "updated_at"),
)


class GeneratedOrders:
    """Orders that the server makes up."""

    columns = COLUMNS
    copy_format = "binary"
    files = ()
    source_columns: ClassVar[dict[str, str]] = {}

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def chunks(self) -> Iterator[Any]:
        """Yield the orders."""
        query = ORDERS.format(rows=self.rows)
        statement = f"copy ({query}) to stdout (format binary)"
        with warehouse.connect() as connection, connection.cursor().copy(statement) as copy:
            yield from copy


def by_hand(settings: Settings) -> str:
    """Return one statement that counts, on the landed batch, the rows and how many break each rule."""
    known = {
        "customer_id_refers_to_customers": "landed.customer_id is not null and customer.customer_id is null",
        "region_id_refers_to_regions": "landed.region_id is not null and region.region_id is null",
        "reverses_order_id_refers_to_orders": "landed.reverses_order_id is not null"
        " and reversed.order_id is null and beside.order_id is null",
        KEY_IS_NOT_REPEATED: "landed.row_number > first.row_number",
    }
    counts = ",\n".join(
        f"count(*) filter (where {known.get(rule.name, rule.fails_when)}) as {rule.name}"
        for rule in rules_for(settings, "orders")
    )
    return f"""
        select count(*), {counts}
        from (select *, {{moment}}::timestamptz as checked_at from landing.orders_1) as landed
        left join raw.customers as customer
            on customer.source_id = 'erp' and customer.customer_id = landed.customer_id
        left join raw.regions as region
            on region.source_id = 'erp' and region.region_id = landed.region_id
        left join raw.orders as reversed
            on reversed.source_id = 'erp' and reversed.order_id = landed.reverses_order_id
        left join (select distinct order_id from landing.orders_1) as beside
            on beside.order_id = landed.reverses_order_id
        left join (select order_id, min(row_number) as row_number from landing.orders_1 group by 1) as first
            on first.order_id = landed.order_id
    """


def count_by_hand(connection: psycopg.Connection[Any], settings: Settings) -> tuple[int, dict[str, int]]:
    """Run the hand-written pass and return the number of rows and, by rule, of those that break it."""
    values = {**thresholds(settings), "moment": psycopg.sql.Literal(datetime.now(UTC))}
    with connection.cursor() as cursor:
        cursor.execute(psycopg.sql.SQL(by_hand(settings)).format(**values))
        names = [column.name for column in cursor.description or ()][1:]
        rows, *counts = cursor.fetchone() or ()
    return rows, dict(zip(names, counts, strict=True))


def fill(connection: psycopg.Connection[Any], rows: int) -> None:
    """Make the feeds that orders refer to, a history to compare with, and the landed batch."""
    ensure_schema(connection)
    connection.execute(
        "insert into raw.customers (source_id, customer_id, load_batch_id, loaded_at, business_day)"
        " select 'erp', 'C' || n, 0, now(), date '2026-03-01' from generate_series(0, 49000) as n"
    )
    connection.execute(
        "insert into raw.regions (source_id, region_id, load_batch_id, loaded_at, business_day)"
        " select 'erp', 'R' || n, 0, now(), date '2026-03-01' from generate_series(0, 57) as n"
    )
    connection.execute("analyze raw.customers")
    connection.execute("analyze raw.regions")
    land(connection, FEED, "orders_1", GeneratedOrders(rows))


def check_once(connection: psycopg.Connection[Any], settings: Settings) -> Checked:
    """Run the suite, and drop what it made beside the landing table."""
    source = settings.feeds["orders"].sources[0]
    check = BatchCheck(connection, settings, FEED, source, DAY, accepts=frozenset({"volume"}))
    checked = check.run(1, "orders_1", delivered_now(DAY, 1))
    connection.execute("drop view landing.orders_1_checked")
    connection.execute("drop table landing.orders_1_found, landing.orders_1_measures")
    return checked


def measure(rows: int, runs: int) -> dict[str, Any]:
    """Return the medians of both ways in one run, and what Great Expectations' import takes."""
    importing = [
        float(subprocess.check_output([sys.executable, "-c", IMPORT], text=True)) for _ in range(min(runs, 3))
    ]
    with warehouse.connect(autocommit=True) as connection:
        settings = load_settings()
        fill(connection, rows)
        checked = check_once(connection, settings)  # imports, and warms both up
        counted = count_by_hand(connection, settings)
        assert counted == (rows, checked.rows_failed), "the two ways count differently"
        suite, hand = [], []
        for _ in range(runs):
            begun = time.perf_counter()
            count_by_hand(connection, settings)
            hand.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            check_once(connection, settings)
            suite.append(time.perf_counter() - begun)
    return {
        "rows": rows,
        "rules": len(checked.rules),
        "checks_of_the_batch": sum(result.level == "batch" for result in checked.results),
        "by_hand_seconds": statistics.median(hand),
        "suite_seconds": statistics.median(suite),
        "ratio": statistics.median(suite) / statistics.median(hand),
        "import_seconds": statistics.median(importing),
    }


IMPORT = (
    "import time; begun = time.perf_counter(); import great_expectations; print(time.perf_counter() - begun)"
)


def config(folder: Path) -> Path:
    """Write the configuration of a company with orders, customers and regions."""
    source = {"source": "erp", "table": "none"}
    written = {
        "company": {"name_en": "Bench", "name_zh": "测试"},
        "business": {"time_zone": "Asia/Shanghai"},
        "systems": {"erp": {"connector": "postgres", "connection": "bench", "time_zone": "UTC"}},
        "feeds": {
            "orders": {
                "sources": [{**source, "columns": {name: name for name in COLUMNS}, "cursor": "updated_at"}]
            },
            "customers": {"sources": [{**source, "columns": {"customer_id": "id"}}]},
            "regions": {"sources": [{**source, "columns": {"region_id": "id"}}]},
        },
    }
    file = folder / "winback.yml"
    file.write_text(yaml.safe_dump(written), encoding="utf-8")
    return file


def main() -> None:
    """Measure and print; exit code 1 if the suite takes more than three times the pass."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder) / "server")
        server.start()
        try:
            with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
                admin.execute("create database checks")
            os.environ |= {
                "WINBACK_WAREHOUSE_URL": server.url("postgres").rsplit("/", 1)[0] + "/checks",
                "WINBACK_CONFIG": str(config(Path(folder))),
                "WINBACK_STATE": folder,
            }
            found = measure(arguments.rows, arguments.runs)
        finally:
            server.remove()
    if arguments.json:
        print(json.dumps(found))
    else:
        print(
            f"{found['rows']:,} orders, {found['rules']} rules,"
            f" {found['checks_of_the_batch']} checks of the batch:"
            f" suite {found['suite_seconds']:.2f} s, by hand {found['by_hand_seconds']:.2f} s,"
            f" ratio {found['ratio']:.2f} (at most {AT_MOST:g});"
            f" import of Great Expectations {found['import_seconds']:.1f} s, once per process"
        )
    sys.exit(found["ratio"] > AT_MOST)


if __name__ == "__main__":
    main()
