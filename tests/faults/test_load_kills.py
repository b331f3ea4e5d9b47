"""Loads are killed at random moments, worker and database alike: nothing is lost, nothing is there twice.

WINBACK_SLOW_SHARE (default 1.0) scales the number of kills. The source keeps changing in between, so that
each attempt has new and changed rows, late commits, re-delivered files and deletes to get right.
"""

import hashlib
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
import yaml

from tests.company import DAY, Company, found_company
from tests.conftest import DatabaseMaker
from tests.faults.loader import PHASES, Cluster, Loads, Observer, Workers
from winback.feeds import FEEDS as FEED_DEFINITIONS
from winback.load.landing import land
from winback.warehouse.server import EmbeddedServer

KILLS = max(10, round(200 * float(os.environ.get("WINBACK_SLOW_SHARE", "1.0"))))
KILLS_PER_DAY = 20
SEED = 20_260_302
FEEDS = ("orders", "complaints", "customers")
CUSTOMERS = {
    "source": "erp",
    "table": "customers",
    "columns": {"customer_id": "id", "name": "name", "account_manager_id": "manager"},
    "deletes": {"missing_keys": True, "at_most": 0.9},
}


@dataclass
class World:
    """A source that keeps changing, and all that was ever true of it, in plain Python."""

    company: Company
    random: Random
    day: date = DAY
    orders: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    customers: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    complaints: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)  # content hash: the complaints in it
    ever: set[tuple[Any, ...]] = field(default_factory=set)

    def found(self) -> None:
        """Make the tables, with so many rows that every phase of a load takes a while."""
        with psycopg.connect(self.company.erp_url) as connection:
            connection.execute("create table customers (id text primary key, name text, manager text)")
        self._sell(2_000)
        self._change_customers([f"C{n}" for n in range(400)])
        self.complain(self.day)

    def change(self) -> None:
        """Let some time pass: rows are added, changed, committed late and deleted, files come and change."""
        self._sell(40)
        known = self.random.sample(sorted(self.customers), 12)
        self._change_customers([*known[:8], *(f"C{self.random.randrange(600)}" for _ in range(4))])
        self._forget(known[8:])
        self.complain(self.day - timedelta(days=self.random.choice((0, 0, 1))))

    def _sell(self, count: int) -> None:
        rows = []
        for _ in range(count):
            known = self.orders and self.random.random() < 0.3
            number = self.random.choice(list(self.orders)) if known else f"A{len(self.orders)}"
            noon = datetime.combine(self.day, datetime.min.time()) + timedelta(hours=12)
            at = noon + timedelta(seconds=self.random.randrange(12 * 3600))
            # A row that commits late bears a moment that loads have passed already, by less than a day.
            stamp = at - timedelta(hours=self.random.choice((0, 0, 0, 5, 11)))
            if known:
                stamp = max(stamp, self.orders[number][4]) + timedelta(microseconds=1)
            row = (number, at, self.random.randrange(1, 10_000), f"C{self.random.randrange(400)}", stamp)
            self.orders[number] = row
            rows.append(row)
        self.company.sell(*rows)
        self.ever |= {("orders", *row) for row in rows}

    def _change_customers(self, ids: list[str]) -> None:
        for key in ids:
            self.customers[key] = (key, f"name {self.random.randrange(10**6)}", self.random.choice("MN"))
        self.ever |= {("customers", *self.customers[key]) for key in ids}
        with psycopg.connect(self.company.erp_url) as connection:
            connection.cursor().executemany(
                "insert into customers values (%s, %s, %s)"
                " on conflict (id) do update set name = excluded.name, manager = excluded.manager",
                [self.customers[key] for key in ids],
            )

    def _forget(self, ids: list[str]) -> None:
        for key in ids:
            del self.customers[key]
        with psycopg.connect(self.company.erp_url) as connection:
            connection.execute("delete from customers where id = any(%s)", [ids])

    def complain(self, day: date) -> None:
        """Deliver a day's file, once more if it has been there before: with more lines, and other words."""
        rows = {}
        for number in range(self.random.randrange(50, 150)):
            key = f"T{day:%m%d}-{number}"
            rows[key] = (key, f"C{self.random.randrange(400)}", self.random.choice(("处理中", "已结案")))
        earlier = {key: row for key, row in self.complaints.items() if key.startswith(f"T{day:%m%d}-")}
        rows = earlier | rows
        lines = [f"{key},{day} 10:00,{customer},{status}," for key, customer, status in rows.values()]
        file = self.company.complain(day, *lines)
        self.complaints |= rows
        self.files[hashlib.sha256(file.read_bytes()).hexdigest()] = list(rows)
        self.ever |= {("complaints", *row) for row in rows.values()}


@dataclass
class Checker:
    """What must hold in the warehouse, however often a load was killed."""

    world: World
    warehouse_url: str

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a query and return all rows."""
        with psycopg.connect(self.warehouse_url) as connection:
            return connection.execute(statement, values).fetchall()  # type: ignore[arg-type]

    def loaded(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return what raw holds, by feed, in the source's words; deleted customers are left out."""
        return {
            "orders": self.rows(
                "select order_id, ordered_at at time zone 'Asia/Shanghai', amount, customer_id,"
                " updated_at at time zone 'Asia/Shanghai' from raw.orders"
            ),
            "complaints": self.rows("select complaint_id, customer_id, status from raw.complaints"),
            "customers": self.rows(
                "select customer_id, name, account_manager_id from raw.customers where deleted_on is null"
            ),
        }

    def check_after_kill(self, last_orders_batch: int) -> None:
        """Assert what holds after every kill."""
        for feed in FEEDS:
            assert self.rows(
                f"select count(*) from raw.{feed} where load_batch_id not in"
                " (select batch_id from ops.batches where status = 'committed')"
            ) == [(0,)], f"rows of {feed} come from a batch that never committed"
            assert self.rows(
                f"select (select count(*) from raw.{feed}) - coalesce(sum(rows_inserted), 0)"
                " from ops.batches where feed = %s and status = 'committed'",
                feed,
            ) == [(0,)], f"{feed}: the batches have not inserted what is there"
        assert (
            self.rows(
                "select batch_id from ops.batches where status = 'committed' and (error is not null"
                " or rows_in"
                " <> rows_inserted + rows_updated + rows_unchanged + rows_superseded + rows_quarantined)"
            )
            == []
        )
        assert self.rows(
            "select (select max(updated_at) from raw.orders) is not distinct from"
            " (select cursor_value from ops.watermarks where feed = 'orders')"
        ) == [(True,)], "watermark and rows have moved apart"
        loaded = self.loaded()
        strangers = {(feed, *row) for feed, rows in loaded.items() for row in rows} - self.world.ever
        assert not strangers, f"{len(strangers)} rows were never in the source"
        present = {row[0] for row in loaded["complaints"]}
        known = {sha for (sha,) in self.rows("select content_sha256 from ops.files")}
        assert all(present.issuperset(self.world.files[sha]) for sha in known), "a noted file is not there"
        unknown = {key for sha, keys in self.world.files.items() if sha in known for key in keys}
        assert present <= unknown, "rows of a file are there that is not noted"
        assert (
            self.rows(
                "select customer_id, name, account_manager_id, deleted_on from raw.customers except"
                " (select distinct on (customer_id) customer_id, name, account_manager_id, deleted_on"
                " from raw.customers_versions order by customer_id, valid_from desc)"
            )
            == []
        ), "the newest version is not the row"
        committed = self.rows(
            "select max(batch_id) from ops.batches where feed = 'orders' and status = 'committed'"
        )
        if committed[0][0] and committed[0][0] > last_orders_batch:
            self.check_complete("orders", set(self.world.orders.values()), loaded)

    def check_complete(
        self, feed: str, wanted: set[tuple[Any, ...]], loaded: dict[str, list[tuple[Any, ...]]]
    ) -> None:
        """Assert that a feed equals the source, to the row."""
        rows = loaded[feed]
        lost, foreign = wanted - set(rows), set(rows) - wanted
        duplicated = len(rows) - len({row[0] for row in rows})
        counts = {"lost": len(lost), "duplicated": duplicated, "other than in the source": len(foreign)}
        assert not any(counts.values()), f"{feed}: {counts}"


@pytest.fixture
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    """A server that may be killed: this test's own."""
    server = EmbeddedServer(tmp_path_factory.mktemp("killed"))
    yield Cluster(server)
    server.remove()


def found_world(cluster: Cluster, tmp_path: Path) -> tuple[World, Workers, str]:
    """Make the company, its source and the process that forks workers."""
    maker = DatabaseMaker(cluster.url)
    warehouse_url, erp_url = maker(), maker()
    company = found_company(erp_url, tmp_path)
    file = tmp_path / "winback.yml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["feeds"]["customers"] = {"sources": [CUSTOMERS]}
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    workers = Workers(
        file,
        tmp_path / "workers.log",
        WINBACK_WAREHOUSE_URL=warehouse_url,
        WINBACK_CONN_TEST_ERP=erp_url,
        WINBACK_STATE=str(tmp_path / "state"),
    )
    world = World(company, Random(SEED))
    world.found()
    return world, workers, warehouse_url


@pytest.mark.slow
def test_two_hundred_kills_lose_no_row_and_double_none(cluster, tmp_path, capsys):
    began = time.monotonic()
    world, workers, warehouse_url = found_world(cluster, tmp_path)
    random = Random(SEED)
    checker, killer = Checker(world, warehouse_url), Killer(workers, random, undisturbed(workers, world))
    killed: Counter[tuple[str, str]] = Counter()
    missed = 0
    while killed.total() < KILLS:
        world.day = DAY + timedelta(days=killed.total() // KILLS_PER_DAY)
        world.change()
        last_batch = checker.rows("select max(batch_id) from ops.batches")[0][0]
        loads = [(feed, world.day) for feed in random.sample(FEEDS, len(FEEDS))]
        victim = cluster if random.random() < 1 / 3 else None
        with Observer(warehouse_url) as observer:
            phase = killer.kill_one(loads, observer, victim)
        outcome = workers.wait()
        if victim and phase:
            cluster.restart()
        with Observer(warehouse_url) as observer:
            observer.wait_until_alone()
        checker.check_after_kill(last_batch)
        if phase is None:
            assert outcome == ["done"], outcome
            missed += 1
        else:
            killed["server" if victim else "worker", phase] += 1
    workers.start([(feed, world.day) for feed in FEEDS])
    assert workers.wait() == ["done"]
    check_the_end(checker, workers)
    workers.stop()
    with capsys.disabled():
        shown = ", ".join(f"{who} in {phase}: {count}" for (who, phase), count in sorted(killed.items()))
        print(
            f"\n{killed.total()} kills ({shown}; {missed} attempts ended first), 0 rows lost, 0 duplicated,"
            f" {time.monotonic() - began:.0f} s"
        )
    if KILLS >= 50:
        assert {phase for _, phase in killed} >= set(PHASES), killed


class DyingBatch:
    """A batch during whose landing the server dies, in the worst way that there is."""

    columns, copy_format, files, source_columns = ("order_id",), "csv", (), {}

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def chunks(self) -> Iterator[bytes]:
        """Yield a row, let the server write its log, and kill its main process."""
        yield b"A1\n"
        time.sleep(1)
        self.cluster.kill_main_process()
        yield b"A2\n" * 100_000


def test_a_server_that_dies_while_a_batch_lands_starts_again(cluster, tmp_path):
    """A landing table that PostgreSQL takes back while it dies must not keep it from starting."""
    world, workers, warehouse_url = found_world(cluster, tmp_path)
    workers.start([(feed, DAY) for feed in FEEDS])
    assert workers.wait() == ["done"]
    with psycopg.connect(warehouse_url, autocommit=True) as connection:
        connection.execute("checkpoint")
        with pytest.raises(psycopg.OperationalError):
            land(connection, FEED_DEFINITIONS["orders"], "orders_0", DyingBatch(cluster))
    cluster.restart()
    world.change()
    workers.start([(feed, DAY) for feed in FEEDS])
    assert workers.wait() == ["done"]
    checker = Checker(world, warehouse_url)
    for feed in FEEDS:
        checker.check_complete(feed, set(getattr(world, feed).values()), checker.loaded())
    workers.stop()


def undisturbed(workers: Workers, world: World) -> float:
    """Return how long an attempt takes that nobody disturbs; it makes the schema, too."""
    for _ in range(2):
        world.change()
        began = time.monotonic()
        workers.start([(feed, world.day) for feed in FEEDS])
        assert workers.wait() == ["done"]
    return time.monotonic() - began


@dataclass
class Killer:
    """Choose the moments; `seconds` is how long an attempt takes that nobody disturbs."""

    workers: Workers
    random: Random
    seconds: float

    def kill_one(self, loads: Loads, observer: Observer, cluster: Cluster | None) -> str | None:
        """Start an attempt, kill it or its server, and return in which phase; None if it ended first."""
        (pid,) = self.workers.start(loads)
        self._wait(pid, observer)
        if not is_alive(pid):
            return None
        # Stopped first, so that the phase that is looked up is the phase that it dies in.
        os.kill(pid, signal.SIGSTOP)
        phase = observer.phase()
        if cluster is None:
            os.kill(pid, signal.SIGKILL)
        else:
            cluster.kill()
            os.kill(pid, signal.SIGCONT)
        return phase

    def _wait(self, pid: int, observer: Observer) -> None:
        """Wait until a random moment. Every other time, go on from there to a phase, and some way into it.

        Most of an attempt is the check: without that, few kills would fall elsewhere.
        """
        target = self.random.choice([*PHASES, None, None, None, None])
        time.sleep(self.random.uniform(0, self.seconds) * (0.5 if target else 1))
        while target and is_alive(pid):
            if observer.phase() == target:
                time.sleep(self.random.uniform(0, 0.02))
                return


def is_alive(pid: int) -> bool:
    """Tell whether a worker has not ended; its parent may not have waited for it yet."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def check_the_end(checker: Checker, workers: Workers) -> None:
    """Assert that the warehouse equals the source, and that the attempts that died have left nothing."""
    world, loaded = checker.world, checker.loaded()
    checker.check_after_kill(last_orders_batch=0)
    for feed in FEEDS:
        checker.check_complete(feed, set(getattr(world, feed).values()), loaded)
    assert checker.rows("select batch_id from ops.batches where status = 'running'") == []
    assert checker.rows("select relname from pg_class where relnamespace = 'landing'::regnamespace") == []
    assert checker.rows("select feed from ops.batches where landing_is_kept") == []
    died = checker.rows("select count(*) from ops.batches where error = 'the worker died'")
    assert died > [(0,)], "no worker died on the way"
    before = checker.rows("select feed, sum(rows_inserted), sum(rows_updated) from ops.batches group by feed")
    workers.start([(feed, world.day) for feed in FEEDS])
    assert workers.wait() == ["done"]
    after = checker.rows("select feed, sum(rows_inserted), sum(rows_updated) from ops.batches group by feed")
    assert sorted(before) == sorted(after)
