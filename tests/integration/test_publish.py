"""Publishing: whoever reads the marts sees one whole version, whatever becomes of a build."""

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from tests.company import DAY, Company, days_after
from tests.fake_dbt import STEPS, TABLES, FakeDbt
from tests.integration.test_schema import restore
from tests.mart_reader import TIMEOUT, MartReader
from winback import bi_reader, paths, publish
from winback import warehouse as place
from winback.build import build_warehouse, published_day
from winback.cli import main
from winback.config import Bi, Settings
from winback.errors import WinbackError
from winback.load import load_feed
from winback.publish import Standing, read_standing, reading_marts, roll_back
from winback.warehouse.schema import ensure_schema
from winback.warehouse.server import EmbeddedServer

BUILDS, FAILURES = 50, 15
SLOW_SHARE = float(os.environ.get("WINBACK_SLOW_SHARE", "1.0"))
AS_OF = {table: f"select distinct as_of from {table}" for table in TABLES if table != "dim_customer_contact"}
Query = Callable[[str], list[tuple[Any, ...]]]


class Builder:
    """Builds days one after the other; a build may be told where to fail."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.fails_at = settings, ""

    def reach(self, step: str) -> None:
        if step == self.fails_at:
            raise WinbackError(f"dbt failed at {step}.\n  stg_orders: no", "mend it")

    def build(self, day: date) -> None:
        load(day)
        build_warehouse(self.settings, day)

    def fail(self, day: date, step: str) -> None:
        self.fails_at = step
        with pytest.raises(WinbackError, match=f"failed at {step}"):
            self.build(day)
        self.fails_at = ""


def load(day: date) -> None:
    with place.connect(autocommit=True) as connection:
        ensure_schema(connection)
        connection.execute(
            "insert into ops.feed_days select source_id, feed, %s, false"
            " from (values ('erp', 'orders'), ('desk', 'complaints')) as loaded (source_id, feed)"
            " on conflict do nothing",
            [day],
        )


@pytest.fixture
def builder(company: Company, monkeypatch: pytest.MonkeyPatch) -> Builder:
    made = Builder(company.settings)
    FakeDbt(made.reach).install(monkeypatch.setattr)
    return made


@pytest.fixture
def standing(warehouse: str) -> Callable[[], Standing]:
    def read() -> Standing:
        with place.connect(autocommit=True) as connection:
            return read_standing(connection)

    return read


@pytest.fixture
def long_reader(warehouse: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(warehouse) as connection:
        yield connection


def checksums(query: Query) -> dict[str, str]:
    """Return a checksum of every live mart's rows."""
    tables = query("select tablename from pg_tables where schemaname = 'marts'")
    return {
        table: query(f"select md5(string_agg(t::text, ',' order by t::text)) from marts.{table} as t")[0][0]
        for (table,) in tables
    }


def live_day(query: Query) -> date:
    (versions,) = (query(f"select as_of from marts.{TABLES[-1]}"),)
    return versions[0][0]


def go_back() -> date:
    with place.connect(autocommit=True) as connection:
        version = roll_back(connection)
        assert published_day(connection) == version.as_of_date
        return version.as_of_date


def test_fifty_builds_with_failures_never_show_a_reader_anything_but_one_whole_version(
    builder: Builder, warehouse: str, query: Query
) -> None:
    chance = random.Random(5)
    failing = dict.fromkeys(chance.sample(range(1, BUILDS), FAILURES), "")
    failing |= {number: chance.choice(STEPS) for number in failing}
    assert set(failing.values()) >= {"tests", "exchange"}
    builder.build(DAY)
    published = {DAY}
    with MartReader(warehouse, AS_OF) as reader:
        for number in range(1, BUILDS):
            day = days_after(number)
            if number in failing:
                before = checksums(query)
                builder.fail(day, failing[number])
                assert checksums(query) == before
                assert before
            else:
                builder.build(day)
                published.add(day)
            reader.wait_for_poll()
    assert reader.problems == []
    assert reader.seen == published
    assert query("select status, count(*) from ops.builds group by 1 order by 1") == [
        ("failed", FAILURES),
        ("published", BUILDS - FAILURES),
    ]


def test_an_incremental_mart_goes_on_from_what_its_copy_holds(builder: Builder, query: Query) -> None:
    builds = "select max(builds) + 1 from marts.customer_months"
    for number, seen_by_this_copy in enumerate([1, 1, 2, 2]):
        builder.build(days_after(number))
        assert query(builds) == [(seen_by_this_copy,)]
    builder.fail(days_after(4), "tests")
    builder.build(days_after(4))
    assert query(builds) == [(4,)]


def test_what_is_no_mart_any_more_goes(builder: Builder, query: Query) -> None:
    for number in (0, 1):
        builder.build(days_after(number))
    with place.connect(autocommit=True) as connection:
        connection.execute("create table marts_standby.old_mart (as_of date)")
        connection.execute("create view marts_standby.old_view as select * from marts_standby.old_mart")
    builder.build(days_after(2))
    assert set(checksums(query)) == {*TABLES, "published_version"}
    assert query("select count(*) from pg_class where relname like 'old_%'") == [(0,)]


def build_beside(builder: Builder, day: date) -> tuple[threading.Thread, list[BaseException]]:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            builder.build(day)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, errors


def wait_until(query: Query, condition: str) -> None:
    deadline = time.monotonic() + TIMEOUT
    while query(f"select {condition}") != [(True,)]:
        assert time.monotonic() < deadline, condition


def test_a_long_reader_postpones_the_exchange_and_is_never_ended_by_it(
    builder: Builder, query: Query, long_reader: psycopg.Connection[Any]
) -> None:
    builder.build(DAY)
    long_reader.execute("select * from marts.fct_orders").fetchall()
    thread, errors = build_beside(builder, days_after(1))
    waits = "exists (select from pg_locks where not granted and mode = 'AccessExclusiveLock')"
    for table in TABLES:  # the exchange locks them in this order, and waits for the last
        wait_until(query, waits)
        assert long_reader.execute(f"select distinct as_of from marts.{table}").fetchall() == [(DAY,)]
    assert thread.is_alive()
    long_reader.commit()
    thread.join(TIMEOUT)
    assert errors == []
    assert live_day(query) == days_after(1)
    assert long_reader.execute("select as_of_date from marts.published_version").fetchall() == [
        (days_after(1),)
    ]


def test_the_exchange_gives_up_before_the_server_would_end_a_reader_for_a_deadlock(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: dict[str, int] = {}

    def read(connection: psycopg.Connection[Any], *_: str) -> None:
        names = "('lock_timeout', 'statement_timeout', 'deadlock_timeout')"
        rows = connection.execute(f"select name, setting::integer from pg_settings where name in {names}")
        limits.update(rows.fetchall())

    monkeypatch.setattr(bi_reader, "let_in", read)
    builder.build(DAY)
    assert 0 < limits["lock_timeout"] < limits["statement_timeout"] < limits["deadlock_timeout"]


@pytest.fixture
def frequent_autovacuum(server: EmbeddedServer) -> Iterator[None]:
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute("alter system set autovacuum_naptime = 1")
        admin.execute("select pg_reload_conf()")
        yield
        admin.execute("alter system reset autovacuum_naptime")
        admin.execute("select pg_reload_conf()")


@pytest.mark.usefixtures("frequent_autovacuum")
def test_an_autovacuum_of_a_live_mart_makes_way(
    builder: Builder, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder.build(DAY)
    with place.connect(autocommit=True) as connection:
        connection.execute(
            "alter table marts.fct_orders set (autovacuum_vacuum_threshold = 0,"
            " autovacuum_vacuum_scale_factor = 0,"
            " autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)"  # for many minutes
        )
        connection.execute(
            "insert into marts.fct_orders select as_of, name from marts.fct_orders, generate_series(1, 99999)"
        )
        connection.execute("delete from marts.fct_orders where ctid <> '(0,1)'")
    is_vacuumed = "select from pg_stat_progress_vacuum where relid = 'marts.fct_orders'::regclass"
    wait_until(query, f"exists ({is_vacuumed})")
    monkeypatch.setattr(publish, "_PATIENCE", 0.0)
    builder.build(days_after(1))
    assert live_day(query) == days_after(1)


@pytest.mark.parametrize("is_report", [False, True])
def test_a_reader_without_end_is_named_and_the_next_build_publishes(
    builder: Builder,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
    standing: Callable[[], Standing],
    is_report: bool,
) -> None:
    builder.build(DAY)
    before = checksums(query)
    monkeypatch.setattr(publish, "_PATIENCE", 0.0)
    monkeypatch.setattr(publish, "_QUIET_WAIT", "100ms")
    with place.connect() as reader:
        pid = reader.info.backend_pid
        if is_report:
            reader.execute("select pg_advisory_lock_shared(%s)", [publish._MARTS_LOCK])
        else:
            reader.execute("select * from marts.dim_customer")
        with pytest.raises(WinbackError, match=rf"1 in the way now: process {pid} of user \w+") as failed:
            builder.build(days_after(1))
        assert f"winback build --day {days_after(1)}" in failed.value.fix
        assert checksums(query) == before
        found = standing()
        assert (found.live.as_of_date, found.standby.as_of_date) == (DAY, days_after(1))
        assert found.obstacle == "build 2 in the standby copy was never live"
        with pytest.raises(WinbackError, match=r"Nothing was rolled back: build 2 .* never live"):
            go_back()
    builder.build(days_after(1))
    assert live_day(query) == days_after(1)


def test_a_report_with_an_older_snapshot_is_waited_for(
    builder: Builder, query: Query, long_reader: psycopg.Connection[Any]
) -> None:
    builder.build(DAY)
    long_reader.autocommit = True
    with reading_marts(long_reader), long_reader.transaction():
        long_reader.execute("set transaction isolation level repeatable read read only")
        long_reader.execute("select 1")
        thread, errors = build_beside(builder, days_after(1))
        wait_until(query, "exists (select from pg_locks where not granted and locktype = 'advisory')")
        assert long_reader.execute("select as_of from marts.fct_orders").fetchall() == [(DAY,)]
    thread.join(TIMEOUT)
    assert errors == []
    assert live_day(query) == days_after(1)


@pytest.mark.parametrize(
    ("step", "is_published"),
    [("dim_customer", False), ("tests", False), ("exchange", False), ("published", True)],
)
def test_a_builder_that_is_killed_leaves_one_version(  # noqa: PLR0917 -- fixtures
    builder: Builder,
    company: Company,
    warehouse: str,
    query: Query,
    standing: Callable[[], Standing],
    step: str,
    is_published: bool,
) -> None:
    builder.build(DAY)
    before = checksums(query)
    load(days_after(1))
    config = str(company.folder.parent / "winback.yml")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fake_dbt", config, str(days_after(1)), step],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=paths.ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdin, process.stdout:
        assert process.stdout.readline().strip() == step
        process.send_signal(signal.SIGKILL)
        process.wait(TIMEOUT)
    with MartReader(warehouse, AS_OF) as reader:
        reader.wait_for_poll()
        assert reader.seen == {days_after(1) if is_published else DAY}
        assert (checksums(query) == before) is not is_published
        wait_until(query, "not exists (select from pg_locks where locktype = 'advisory')")
        found = standing()
        killed = [(2, "The build ended without a word: its process was killed.")]
        assert [(each.build_id, each.reason) for each in found.failures] == ([] if is_published else killed)
        builder.build(days_after(2))
        reader.wait_for_poll()
    assert reader.problems == []
    assert days_after(2) in reader.seen


def test_rolling_back_shows_the_version_before_and_the_next_build_goes_on(
    builder: Builder, warehouse: str, query: Query, standing: Callable[[], Standing]
) -> None:
    builder.build(DAY)
    with pytest.raises(WinbackError, match=r"the live version is the first(?s:.*)winback build --day"):
        go_back()
    builder.build(days_after(1))
    newer = checksums(query)
    with MartReader(warehouse, AS_OF) as reader:
        assert go_back() == DAY
        reader.wait_for_poll()
        assert reader.seen >= {DAY}
        assert query("select status from ops.builds order by build_id") == [("published",), ("rolled_back",)]
        assert go_back() == days_after(1)
        assert checksums(query) == newer
        assert go_back() == DAY
        assert build_warehouse(builder.settings, days_after(-1)).outcome == "kept"
        builder.build(days_after(1))
        assert live_day(query) == days_after(1)
        assert go_back() == DAY
        builder.fail(days_after(2), "fct_orders")
        found = standing()
        assert (found.live.build_id, found.standby) == (1, None)
        with pytest.raises(WinbackError, match="did not reach its end has begun to replace"):
            go_back()
    assert reader.problems == []


def test_nobody_rolls_back_while_a_build_is_running(builder: Builder, query: Query, monkeypatch) -> None:
    for number in (0, 1):
        builder.build(days_after(number))

    def roll_back_meanwhile(step: str) -> None:
        if step == "tests":
            with pytest.raises(WinbackError, match="A build is running"):
                go_back()
            with place.connect(autocommit=True) as connection:
                assert read_standing(connection).failures == ()

    builder.reach = roll_back_meanwhile  # type: ignore[method-assign]
    FakeDbt(roll_back_meanwhile).install(monkeypatch.setattr)
    builder.build(days_after(2))
    assert live_day(query) == days_after(2)


PRIVILEGES = """
    select coalesce(string_agg(format('%s.%s %s', table_schema, table_name, column_name), ', '), '')
    from information_schema.columns
    where
        has_column_privilege('bi_reader', format('%I.%I', table_schema, table_name), column_name, 'select')
        is distinct from (
            table_schema in ('marts', 'marts_standby')
            and table_name not in ('dim_customer_contact', 'care_calendar')
            and (table_name, column_name) <> ('dim_account_manager', 'email')
        )
        and table_schema not in ('pg_catalog', 'information_schema')
"""
SCHEMAS = "select nspname from pg_namespace where has_schema_privilege('bi_reader', oid, 'usage')"


def test_bi_reader_reads_the_live_marts_without_personal_data_and_nothing_else(
    builder: Builder, warehouse: str, query: Query
) -> None:
    def check() -> None:
        assert query(PRIVILEGES) == [("",)]
        assert {name for (name,) in query(SCHEMAS)} == {"marts", "public", "pg_catalog", "information_schema"}

    for number in (0, 1, 2):
        builder.build(days_after(number))
        check()
    go_back()
    check()
    builder.fail(days_after(3), "tests")
    check_live_only = "select count(*) from pg_namespace where nspname = 'marts_standby'"
    assert query(check_live_only) == [(1,)]
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute("set role bi_reader")
        assert connection.execute("select name from marts.dim_account_manager").fetchall() == [("name",)]
        for closed in (
            "marts.dim_customer_contact",
            "marts.dim_account_manager",
            "marts_standby.dim_customer",
            "raw.orders",
            "quarantine.orders",
            "ops.builds",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
                connection.execute(f"select * from {closed}")


def test_contact_details_are_for_the_roles_of_the_configuration_through_builds_and_rollbacks(
    builder: Builder, warehouse: str, query: Query, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(warehouse, autocommit=True) as superuser:
        for role in ("crm_export", "left_team"):
            if superuser.execute("select to_regrole(%s) is null", [role]).fetchone() == (True,):
                superuser.execute(f"create role {role}")

    def configure(*readers: str) -> None:
        bi = Bi(contact_readers=readers)
        builder.settings = builder.settings.model_copy(update={"bi": bi})

    def reading() -> list[str]:
        found = query(
            "select rolname from pg_roles where rolname in ('crm_export', 'left_team', 'bi_reader')"
            " and has_table_privilege(rolname, 'marts.dim_customer_contact', 'select') order by 1"
        )
        return [role for (role,) in found]

    builder.build(DAY)
    configure("crm_export", "left_team", "nobody_is_called_so")
    for number in (1, 2):
        builder.build(days_after(number))
        assert reading() == ["crm_export", "left_team"]
        let_in = query(
            "select nspname from pg_namespace where has_schema_privilege('crm_export', oid, 'usage')"
        )
        assert {name for (name,) in let_in} == {"marts", "public", "pg_catalog", "information_schema"}
    assert "winback.yml names the role under bi.contact_readers, and there is none" in caplog.text
    assert query("select has_table_privilege('crm_export', 'marts.dim_customer', 'select')") == [(False,)]
    configure("crm_export")
    with place.connect(autocommit=True) as connection:
        roll_back(connection, builder.settings.bi.contact_readers)
    assert reading() == ["crm_export"]
    configure()
    builder.build(days_after(3))
    assert reading() == []


@pytest.mark.without_tables
def test_a_builder_that_may_not_create_the_role_is_told_and_builds_all_the_same(
    builder: Builder,
    warehouse: str,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with psycopg.connect(warehouse, autocommit=True) as superuser:
        superuser.execute("drop role if exists bi_reader")
        if superuser.execute("select to_regrole('plain_builder') is null").fetchone() == (True,):
            superuser.execute("create role plain_builder login password 'plain'")
        database = superuser.info.dbname
        superuser.execute(f'alter database "{database}" owner to plain_builder')
        superuser.execute(f'revoke connect on database "{database}" from public')
        address = f"postgresql://plain_builder:plain@127.0.0.1:{superuser.info.port}/{database}"
        monkeypatch.setenv("WINBACK_WAREHOUSE_URL", address)
        builder.build(DAY)
        assert "run as a superuser: create role bi_reader" in caplog.text
        superuser.execute("create role bi_reader")
        for number in (1, 2):
            builder.build(days_after(number))
    assert query(PRIVILEGES) == [("",)]
    assert query("select has_database_privilege('bi_reader', current_database(), 'connect')") == [(True,)]


@pytest.mark.without_tables
def test_a_warehouse_of_an_earlier_release_goes_on(
    builder: Builder, warehouse: str, query: Query, standing: Callable[[], Standing]
) -> None:
    restore(warehouse)
    with psycopg.connect(warehouse) as connection:
        for schema in ("marts", "marts_last", "marts_next"):
            connection.execute(f"create schema {schema}")
            connection.execute(f"create table {schema}.customer_months (gone integer)")
        connection.execute(
            "insert into ops.builds (as_of_date, status, finished_at) values (%s, 'published', now())", [DAY]
        )
    found = standing()
    assert (found.live, found.standby) == (None, None)
    assert found.as_lines(builder.settings.zone)[0] == "live      no version is noted"
    builder.build(days_after(1))
    assert live_day(query) == days_after(1)
    with pytest.raises(WinbackError, match="the one before is an earlier release's"):
        go_back()
    builder.build(days_after(2))
    assert live_day(query) == days_after(2)
    assert go_back() == days_after(1)
    assert query("select nspname from pg_namespace where nspname like 'marts%' order by 1") == [
        ("marts",),
        ("marts_standby",),
    ]


def test_the_commands_say_where_publishing_stands_and_go_back(
    builder: Builder, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINBACK_CONFIG", str(company.folder.parent / "winback.yml"))
    for number in (0, 1):
        builder.build(days_after(number))
    done = CliRunner().invoke(main, ["publish", "rollback"])
    assert (done.exit_code, done.output) == (0, f"live again: build 1, as of {DAY}\n")
    shown = CliRunner().invoke(main, ["publish", "status"]).output.splitlines()
    assert shown[0].startswith(f"live      build 1, as of {DAY}, since 2")
    assert shown[1:] == [
        f"standby   build 2, as of {days_after(1)}",
        "rollback  possible: winback publish rollback",
    ]
    builder.fail(days_after(2), "tests")
    shown = CliRunner().invoke(main, ["publish", "status"]).output.splitlines()
    assert shown[1:] == [
        "standby   no whole version",
        "rollback  a build that did not reach its end has begun to replace the version before",
        f"failed    build 3, as of {days_after(2)}: dbt failed at tests.",
    ]
    refused = CliRunner().invoke(main, ["publish", "rollback"])
    assert refused.exit_code == 1
    assert "Nothing was rolled back" in refused.output


REAL_AS_OF = {
    "fct_orders": "select max(ordered_on) from fct_orders",
    "dim_customer": "select max(last_order_on) from dim_customer",
    "longest_silence": "select min(last_order_on + days_since_last_order) from dim_customer",
    "customer_months": "select max(period_ends_on) from customer_months",
    "retention_months": "select max(period_ends_on) from retention_months",
}
# What makes a real build fail, in its first models, in the middle and at its very end; and what mends it.
WRITTEN = "business_day, load_batch_id, loaded_at"
WRONG = {
    "another currency": (
        f"insert into raw.orders (source_id, order_id, ordered_at, amount, customer_source_id, currency,"
        f" {WRITTEN}) values ('erp', 'X', %(day)s, 1, 'erp', 'XXX', %(day)s, 1, now())",
        "delete from raw.orders where currency = 'XXX'",
    ),
    "customers merged in a circle": (
        f"insert into raw.customers (source_id, customer_id, merged_into, {WRITTEN})"
        " values ('erp', 'A', 'B', %(day)s, 1, now()), ('erp', 'B', 'A', %(day)s, 1, now())",
        "delete from raw.customers where merged_into is not null",
    ),
    "regions below each other": (
        f"insert into raw.regions (source_id, region_id, parent_region_id, {WRITTEN})"
        " values ('erp', 'A', 'B', %(day)s, 1, now()), ('erp', 'B', 'A', %(day)s, 1, now())",
        "delete from raw.regions",
    ),
}


@pytest.mark.slow
def test_builds_with_dbt_and_data_tests_that_fail_show_a_reader_whole_versions_only(
    company: Company, warehouse: str, query: Query
) -> None:
    """Fifty builds, fifteen of which fail; WINBACK_SLOW_SHARE scales their number."""
    chance = random.Random(7)
    builds = max(6, round(BUILDS * SLOW_SHARE))
    failing = set(chance.sample(range(1, builds), max(3, round(FAILURES * SLOW_SHARE))))
    ways = itertools.cycle(WRONG.values())
    sell_and_load(company, DAY)
    build_warehouse(company.settings, DAY)
    published = {DAY}
    with (
        MartReader(warehouse, REAL_AS_OF) as reader,
        psycopg.connect(warehouse, autocommit=True) as connection,
    ):
        for number in range(1, builds):
            day = days_after(number)
            sell_and_load(company, day)
            if number in failing:
                breaks, mends = next(ways)
                before = checksums(query)
                assert before
                connection.execute(breaks, {"day": day})
                with pytest.raises(WinbackError, match="nothing was published"):
                    build_warehouse(company.settings, day)
                connection.execute(mends)
                assert checksums(query) == before
            else:
                build_warehouse(company.settings, day)
                published.add(day)
                assert query(PRIVILEGES) == [("",)]
            reader.wait_for_poll()
    assert reader.problems == []
    assert reader.seen == published


def sell_and_load(company: Company, day: date) -> None:
    company.sell((f"A{day}", f"{day} 10:00", 5, "C1", f"{day} 10:00"))
    for feed in ("orders", "complaints"):
        load_feed(company.settings, feed, day)
