"""However rows arrive, and however many builds take them in, the tables are those of a full refresh.

WINBACK_SLOW_SHARE (default 1.0) scales the number of companies in the slow test.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from threading import Event
from typing import Any

import psycopg
import pytest
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import sql

from tests.conftest import DatabaseMaker
from tests.property.arrivals import LOADED, Arrivals, Delivery, RawWriter
from tests.property.company_maker import CompanyMaker
from tests.property.company_rules import company_rules, company_seeds
from tests.property.oracle_customers import DAY, RawCompany, Row
from winback.build import build_warehouse
from winback.config import Settings
from winback.errors import WinbackError
from winback.feeds import FEEDS
from winback.publish import roll_back
from winback.warehouse.server import EmbeddedServer

FAST_SEEDS = (101, 127)  # almost all that may happen happens after the first build; the second is a slow test
FAST_BUILDS = 3
SLOW_COMPANIES = max(1, round(30 * float(os.environ.get("WINBACK_SLOW_SHARE", "1.0"))))
MUST_HAPPEN = {
    "a day is built twice",
    "days are skipped",
    "a month ends",
    "orders ahead",
    "orders backfilled",
} | {
    f"{feed} {why}"
    for feed in LOADED
    for why in ("late", "corrected", "deleted", "withdrawn")
    if (feed, why) != ("surveys", "late")
}
SCHEMAS = ("intermediate", "marts")
OWN_OF_BUILDS = ("build_id", "built_at", "is_new", "is_changed")  # columns that tell of the build
# Tables that a build keeps of what it found changed, or of how things were before it.
LISTS_OF_CHANGES = ("int_changed", "int_reranked", "int_moved_tiers", "int_retiered", "int_restated")
NOTES_OF_BEFORE = (
    *("int_merged_before", "int_data_begins", "int_line_months"),
    *("int_unit_costs", "int_line_measures"),  # what they say now shows in margins and tiers
)
# Some tables whose rows stay, and the column that says until when each lasts.
LASTS_UNTIL = {
    "int_customer_days": "day",
    "int_purchase_days": "day",
    "int_last_orders": "day",
    "int_look_days": "day",
    "int_customer_states": "valid_to",
    "int_stages": "valid_to",
    "int_evening_values": "day",
    "int_customer_evenings": "day",
}
SHOWN_TABLES, SHOWN_ROWS = 6, 5
Say = Callable[[str], None]
NewWarehouse = Callable[[], str]

# Builds


def build_anew(settings: Settings, day: date) -> None:
    """Build everything from all of raw, whatever the builds before made of it."""
    build_warehouse(settings, day, full_refresh=True)


def company_settings(raw: RawCompany) -> Settings:
    """Return the settings of a company whose builds wait for its orders only."""
    columns = {name: name for name in FEEDS["orders"].required}
    return Settings.model_validate(
        {
            "company": {"name_en": "Test", "name_zh": "测试"},
            "business": {
                "time_zone": raw.time_zone,
                "default_business_line": raw.default_line,
                "lines": raw.lines,
            },
            "systems": {"erp": {"connector": "postgres", "connection": "test_erp", "time_zone": "UTC"}},
            "feeds": {"orders": {"sources": [{"source": "erp", "table": "orders", "columns": columns}]}},
        }
    )


@contextmanager
def warehouse_at(url: str) -> Iterator[None]:
    """Make a database the one that Winback uses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINBACK_WAREHOUSE_URL", url)
        yield


@contextmanager
def copy_of(url: str) -> Iterator[str]:
    """Copy a whole warehouse, so that what is done to the copy is not done to it."""
    server, name = url.rsplit("/", 1)
    copy = f"{name}_anew"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        drop = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(copy))
        connection.execute(drop)
        connection.execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(copy), sql.Identifier(name))
        )
        try:
            yield f"{server}/{copy}"
        finally:
            connection.execute(drop)


def when_written(url: str) -> dict[str, set[tuple[date, str]]]:
    """Return until when each row lasts, and the transaction that wrote it."""
    query = sql.SQL("select coalesce({until}, '9999-12-31'), xmin::text from intermediate.{table}")
    with psycopg.connect(url) as connection:
        return {
            table: set(
                connection.execute(query.format(until=sql.Identifier(until), table=sql.Identifier(table)))
            )
            for table, until in LASTS_UNTIL.items()
        }


# What builds made of it, and what a full refresh makes of it


@dataclass(frozen=True)
class Difference:
    """A table that is not what a full refresh makes of it, and the first rows that only one side has."""

    table: str
    only_built: int
    only_anew: int
    built: tuple[str, ...]
    anew: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.table}: {self.only_built} rows should not be there, {self.only_anew} are missing",
                *[f"    built: {row}" for row in self.built],
                *[f"    anew:  {row}" for row in self.anew],
            ]
        )


def differences(url: str, settings: Settings, day: date) -> list[Difference]:
    """Hold each table of a warehouse against what a full refresh of its copy makes, in dbt's order."""
    with copy_of(url) as copy:
        keep_tables(copy)
        with warehouse_at(copy):
            build_anew(settings, day)
        with psycopg.connect(copy) as connection:
            return differences_from_kept(connection)


def keep_tables(url: str) -> None:
    """Put each table aside, into schema `built`."""
    with psycopg.connect(url) as connection:
        connection.execute("create schema built")
        for schema, table in tables(connection):
            kept = sql.Identifier("built", f"{schema}.{table}")
            made = sql.Identifier(schema, table)
            connection.execute(sql.SQL("create table {} as select * from {}").format(kept, made))


def differences_from_kept(connection: psycopg.Connection[Any]) -> list[Difference]:
    """Compare the tables put aside with those there are now."""
    kept = {
        name for (name,) in connection.execute("select tablename from pg_tables where schemaname = 'built'")
    }
    compared = [(schema, table) for schema, table in tables(connection) if f"{schema}.{table}" in kept]
    assert {"int_orders", "int_customer_days", "fct_orders", "dim_customer"} <= {name for _, name in compared}
    found = (difference(connection, *relation) for relation in compared)
    return [each for each in found if each]


def tables(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Return schema and name of each table that must not depend on which builds there were.

    They come in the order in which they were made: the first wrong one is to be mended.
    """
    rows = connection.execute(
        "select schemaname, tablename from pg_tables where schemaname = any(%s)"
        " order by schemaname, format('%%I.%%I', schemaname, tablename)::regclass::oid",
        [list(SCHEMAS)],
    )
    return [
        (schema, table)
        for schema, table in rows
        if table not in ("published_version", *NOTES_OF_BEFORE) and not table.startswith(LISTS_OF_CHANGES)
    ]


def difference(connection: psycopg.Connection[Any], schema: str, table: str) -> Difference | None:
    built, made = sql.Identifier("built", f"{schema}.{table}"), sql.Identifier(schema, table)
    names = column_names(connection, "built", f"{schema}.{table}")
    others = column_names(connection, schema, table)
    if sorted(names) != sorted(others):
        return Difference(f"{schema}.{table}", 0, 0, (f"columns {names}",), (f"columns {others}",))
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in names if name not in OWN_OF_BUILDS)
    sides = []
    for one, other in ((built, made), (made, built)):
        rows = connection.execute(
            sql.SQL(
                "select count(*) over (), to_jsonb(odd)::text from"
                " (select {columns} from {one} except all select {columns} from {other}) as odd"
                " order by odd limit {limit}"
            ).format(columns=columns, one=one, other=other, limit=SHOWN_ROWS)
        ).fetchall()
        sides.append((rows[0][0] if rows else 0, tuple(text for _, text in rows)))
    (only_built, first_built), (only_anew, first_anew) = sides
    if not only_built and not only_anew:
        return None
    return Difference(f"{schema}.{table}", only_built, only_anew, first_built, first_anew)


def column_names(connection: psycopg.Connection[Any], schema: str, table: str) -> list[str]:
    rows = connection.execute(
        "select column_name from information_schema.columns where table_schema = %s and table_name = %s"
        " order by ordinal_position",
        [schema, table],
    )
    return [name for (name,) in rows]


def explain(found: list[Difference], where: str, history: list[str]) -> str:
    """Say which tables differ in dbt's order, with rows of the first, and what came before each build."""
    return "\n".join(
        [
            f"{where}: {len(found)} tables are not what a full refresh makes of them",
            *[str(each) for each in found[:SHOWN_TABLES]],
            *[f"also: {each.table}" for each in found[SHOWN_TABLES:]],
            *history,
        ]
    )


# Companies


def run_company(
    url: str, seed: int, say: Say = print, builds: int | None = None, is_thorough: bool = True
) -> None:
    """Let a company's rows arrive in an empty warehouse, build in between, and compare.

    A thorough run compares after each build, and may let a build fail on the way; else after the last.
    """
    raw = CompanyMaker(seed, company_rules()).make()
    arrivals, settings, writer = Arrivals(raw, seed, builds), company_settings(raw), RawWriter(url)
    random, history = Random(f"builds of {seed}"), [f"arrivals: {arrivals}"]
    sources = {feed: {row["source_id"] for row in getattr(raw, feed)} for feed in LOADED}
    sources["orders"].add("erp")  # the builds wait for it
    for number, (day, portion) in enumerate(zip(arrivals.days, arrivals.portions(), strict=True), start=1):
        where = f"seed {seed}, build {number} of {len(arrivals.days)}, as of {day}"
        written = writer.write(portion, day, sources)
        history.append(f"before build {number} of {day}: {dict(sorted(written.items())) or 'nothing'}")
        say(f"{where}: {sum(written.values())} rows written")
        with warehouse_at(url):
            if is_thorough and random.random() < 0.3:
                history.append(f"build {number} failed once")
                let_a_build_fail(writer, settings, day)
            try:
                build_warehouse(settings, day)
            except WinbackError as error:
                error.add_note("\n".join([where, *history]))
                raise
        if is_thorough or number == len(arrivals.days):
            found = differences(url, settings, day)
            assert not found, explain(found, where, history)


def let_a_build_fail(writer: RawWriter, settings: Settings, day: date) -> None:
    """Bring an order that some test refuses, so that a build ends halfway, and take it back."""
    refused = an_order("refused", day - 9 * DAY, 7) | {"status": "nobody knows this one"}
    writer.bring(day, refused)
    with pytest.raises(WinbackError, match="nothing was published"):
        build_warehouse(settings, day)
    writer.bring(day, refused | {"deleted_on": day})


def an_order(order_id: str, day: date, amount: int, customer_id: str = "C0") -> Row:
    return dict.fromkeys(FEEDS["orders"].column_names) | {
        "source_id": "erp",
        "order_id": order_id,
        "ordered_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        "amount": Decimal(amount),
        "customer_source_id": "erp",
        "customer_id": customer_id,
        "status": "completed",
        "deleted_on": None,
    }


def a_row(feed: str, **values: Any) -> Row:
    return dict.fromkeys((*FEEDS[feed].column_names, "deleted_on")) | {"source_id": "erp"} | values


def a_line(order_id: str, product_id: str, amount: int) -> Row:
    return a_row(
        "order_lines", order_id=order_id, line_no="1", product_id=product_id, quantity=1, amount=amount
    )


def a_product(product_id: str, unit_cost: int | None) -> Row:
    return a_row("products", product_id=product_id, name=product_id, unit_cost=unit_cost)


@pytest.fixture(scope="module")
def new_warehouse(
    server: EmbeddedServer, warehouse_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NewWarehouse]:
    """Return a function that makes an empty warehouse; all share the invented companies' rules."""
    maker = DatabaseMaker(server.url("postgres"))
    own_rules = tmp_path_factory.mktemp("company")
    for name, text in company_seeds().items():
        (own_rules / name).write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINBACK_STATE", str(tmp_path_factory.mktemp("state")))
        patch.setenv("WINBACK_COMPANY_RULES", str(own_rules))
        yield lambda: maker(warehouse_template)
    maker.drop_all()


@pytest.mark.parametrize("seed", [FAST_SEEDS[0], pytest.param(FAST_SEEDS[1], marks=pytest.mark.slow)])
def test_after_some_builds_a_small_company_is_as_if_built_anew(
    new_warehouse: NewWarehouse, seed: int
) -> None:
    run_company(new_warehouse(), seed, builds=FAST_BUILDS, is_thorough=False)


@pytest.mark.slow
@hypothesis_settings(max_examples=SLOW_COMPANIES, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(100, 2**32))
def test_after_each_build_any_small_company_is_as_if_built_anew(
    new_warehouse: NewWarehouse, seed: int
) -> None:
    run_company(new_warehouse(), seed)


def test_the_fast_companies_have_all_that_may_happen() -> None:
    """Without this, the comparison could hold because nothing but new rows came after the first build."""
    happened = set()
    for seed in FAST_SEEDS:
        raw = CompanyMaker(seed, company_rules()).make()
        happened |= Arrivals(raw, seed, FAST_BUILDS).kinds()
    assert happened >= MUST_HAPPEN, sorted(MUST_HAPPEN - happened)


@pytest.mark.slow
def test_builds_take_in_what_is_late_corrected_deleted_or_comes_into_view(
    new_warehouse: NewWarehouse,
) -> None:
    """A build that fails halfway has perhaps taken in a part; the next one takes in all the same."""
    url, first, second = new_warehouse(), date(2024, 2, 28), date(2024, 2, 29)
    settings = company_settings(RawCompany(second, "UTC", {"shops": "retail"}, "shops", []))
    writer = RawWriter(url)
    corrected, stays = an_order("corrected", date(2024, 2, 1), 10), an_order("stays", date(2024, 2, 27), 20)
    ahead, mistaken = an_order("ahead", second, 30), an_order("mistaken", date(2024, 2, 20), 40, "C1")
    with warehouse_at(url):
        writer.bring(first, corrected, stays, ahead, mistaken)
        build_warehouse(settings, first)
        assert read_orders(url) == {"corrected": 10, "stays": 20, "mistaken": 40}
        assert read_customers(url) == {"erp:C0": 30, "erp:C1": 40}

        oldest = an_order("oldest", date(2021, 1, 5), 5, "C2")
        writer.bring(second, corrected | {"amount": Decimal(15)}, mistaken | {"deleted_on": second}, oldest)
        let_a_build_fail(writer, settings, second)
        build_warehouse(settings, second)
        assert read_orders(url) == {"corrected": 15, "stays": 20, "ahead": 30, "oldest": 5}
        assert read_customers(url) == {"erp:C0": 65, "erp:C2": 0}

        writer.bring(second, stays | {"customer_id": "C2"})  # and the day is built once more
        build_warehouse(settings, second)
        assert read_customers(url) == {"erp:C0": 45, "erp:C2": 20}


@pytest.mark.slow
def test_an_order_leaves_the_rows_of_earlier_days_as_they_were_written(new_warehouse: NewWarehouse) -> None:
    """Otherwise a build that goes on would take the longer the longer the history."""
    url, first, second = new_warehouse(), date(2024, 2, 28), date(2024, 2, 29)
    settings = company_settings(RawCompany(second, "UTC", {"shops": "retail"}, "shops", []))
    writer, last_purchase = RawWriter(url), date(2024, 2, 20)
    bought = (date(2022, 5, 5), date(2023, 11, 10), last_purchase)
    with warehouse_at(url):
        writer.bring(first, *(an_order(f"on {day}", day, 10) for day in bought))
        build_warehouse(settings, first)
        before = when_written(url)
        writer.bring(second, an_order("new", second, 10))
        build_warehouse(settings, second)
    after = when_written(url)
    for table in LASTS_UNTIL:
        stays_until = first if "evening" in table else last_purchase
        earlier = {row for row in before[table] if row[0] < stays_until}
        assert earlier, table
        assert earlier <= after[table], table
        assert after[table] - before[table], table


@pytest.mark.slow
def test_a_month_in_which_a_line_sold_nothing_ends_for_its_customers_too(new_warehouse: NewWarehouse) -> None:
    url, first, second = new_warehouse(), date(2024, 2, 28), date(2024, 2, 29)
    settings = company_settings(RawCompany(second, "UTC", {"dealers": "distribution"}, "dealers", []))
    writer, days = RawWriter(url), (date(2023, 11, 10), date(2023, 12, 10), date(2024, 1, 10))
    orders = [an_order(f"{customer} {day}", day, 10, customer) for day in days for customer in ("C1", "C2")]
    with warehouse_at(url):
        writer.bring(first, *orders)
        build_warehouse(settings, first)
        writer.bring(second)
        build_warehouse(settings, second)
    found = differences(url, settings, second)
    assert not found, explain(found, "the month has ended", [])


@pytest.mark.slow
def test_a_copy_that_was_taken_back_twice_catches_up_with_all_that_it_has_missed(
    new_warehouse: NewWarehouse,
) -> None:
    """The live copy stays as it is while the builds after it are taken back; then one works on it."""
    url, day = new_warehouse(), date(2024, 2, 29)
    settings = company_settings(RawCompany(day, "UTC", {"shops": "retail"}, "shops", []))
    writer = RawWriter(url)
    with warehouse_at(url), psycopg.connect(url, autocommit=True) as connection:
        for number in range(7):
            writer.bring(day, an_order(f"A{number}", date(2024, 2, number + 1), 10, f"C{number}"))
            build_warehouse(settings, day)
            if number in (3, 4):
                roll_back(connection)
    found = differences(url, settings, day)
    assert not found, explain(found, "after rollbacks", [])


@pytest.mark.slow
def test_costs_and_order_lines_that_come_late_rank_their_line_anew(new_warehouse: NewWarehouse) -> None:
    """The closed customer is in no rank, but their revenue decides whether the line is ranked by margin."""
    url, day = new_warehouse(), date(2024, 2, 29)
    settings = company_settings(RawCompany(day, "UTC", {"shops": "retail"}, "shops", []))
    writer = RawWriter(url)
    bought = {"big": 100, "small": 60, "closed": 40}
    closed = a_row("customers", customer_id="closed", closed_on=day, closed_reason="moved")
    orders = [an_order(f"O {who}", date(2024, 2, 1), amount, who) for who, amount in bought.items()]
    lines = {who: a_line(f"O {who}", who, amount) for who, amount in bought.items()}
    costs = {"big": 90, "small": 10, "closed": 5}

    def build(expected: dict[str, str], **brought: list[Row]) -> None:
        at = datetime.combine(day, datetime.min.time())
        deliveries = [Delivery(at, feed, row, "brought") for feed, rows in brought.items() for row in rows]
        writer.write(deliveries, day, {"orders": {"erp"}} | {feed: {"erp"} for feed in brought})
        build_warehouse(settings, day)
        with psycopg.connect(url) as connection:
            tiers = connection.execute(
                "select customer_id, ranked_by || ' ' || tier from marts.dim_customer where tier <> 'none'"
            )
            assert dict(tiers.fetchall()) == expected
        found = differences(url, settings, day)
        assert not found, explain(found, "after a cost or a line", [])

    by_revenue = {"big": "revenue vip", "small": "revenue small"}
    by_margin = {"big": "margin small", "small": "margin vip"}
    with warehouse_at(url):
        build(by_revenue, orders=orders, order_lines=list(lines.values()), customers=[closed])
        build(by_margin, products=[a_product(who, cost) for who, cost in costs.items()])
        build(by_revenue, order_lines=[lines["closed"] | {"product_id": None}])
        build(by_margin, order_lines=[lines["closed"]])
        build({"big": "margin vip", "small": "margin small"}, products=[a_product("big", 20)])
        build(by_revenue, products=[a_product("closed", None)])


@pytest.mark.slow
def test_a_load_that_ends_after_a_build_is_taken_in_by_the_next_one(new_warehouse: NewWarehouse) -> None:
    """Its rows say when they were written, which is before the build that could not see them."""
    url, day = new_warehouse(), date(2024, 2, 29)
    settings = company_settings(RawCompany(day, "UTC", {"shops": "retail"}, "shops", []))
    writer, is_built = RawWriter(url), Event()
    with warehouse_at(url):
        writer.bring(day, an_order("seen", date(2024, 2, 1), 10))
        build_warehouse(settings, day)
        with psycopg.connect(url) as load, ThreadPoolExecutor() as others:
            writer.bring(day, an_order("slow", date(2024, 2, 2), 20), within=load)
            writer.bring(day, an_order("quick", date(2024, 2, 3), 30) | {"source_id": "web"})
            end = others.submit(commit_at_last, load, url, is_built)
            try:
                build_warehouse(settings, day)
            finally:
                is_built.set()
            end.result()
        if "slow" not in read_orders(url):  # the build did not wait for it
            build_warehouse(settings, day)
        assert read_orders(url) == {"seen": 10, "slow": 20, "quick": 30}


def commit_at_last(load: psycopg.Connection[Any], url: str, is_built: Event) -> None:
    """Let a load go on until a build is through, or waits for it."""
    waiting = (
        "select exists (select from pg_locks inner join pg_database on pg_database.oid = pg_locks.database"
        " where datname = current_database() and not granted)"
    )
    with psycopg.connect(url, autocommit=True) as watching:
        while not is_built.wait(0.2) and watching.execute(waiting).fetchone() == (False,):
            pass
    load.commit()


def read_orders(url: str) -> dict[str, Decimal]:
    with psycopg.connect(url) as connection:
        return dict(connection.execute("select order_id, amount from marts.fct_orders").fetchall())


def read_customers(url: str) -> dict[str, Decimal]:
    """Return the customers, without the unknown one, and their revenue of 12 months."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select customer_key, revenue_12m from marts.dim_customer where customer_key <> '-1'"
        )
        return dict(rows.fetchall())


def test_the_comparison_shows_the_rows_that_only_one_side_has(new_warehouse: NewWarehouse) -> None:
    url = new_warehouse()
    with psycopg.connect(url) as connection:
        connection.execute("create schema marts; create table marts.customers (name text, amount numeric)")
        connection.execute(
            "insert into marts.customers values ('same', 1), ('twice', 2), ('twice', 2), ('is', 3)"
        )
    keep_tables(url)
    with psycopg.connect(url) as connection:
        connection.execute("delete from marts.customers where name <> 'same'")
        connection.execute("insert into marts.customers values ('twice', 2.00), ('was', 3)")
        found = difference(connection, "marts", "customers")
    assert found is not None
    assert (found.only_built, found.only_anew) == (2, 1)
    assert found.built == ('{"name": "is", "amount": 3}', '{"name": "twice", "amount": 2}')
    assert found.anew == ('{"name": "was", "amount": 3}',)
