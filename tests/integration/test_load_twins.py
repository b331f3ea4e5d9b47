"""Two attempts at one load, at the same moment: each row once, no deadlock, nobody disturbed.

WINBACK_SLOW_SHARE (default 1.0) scales the number of rounds in the slow test.
"""

import os
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest

from tests.company import DAY, Company, days_after
from tests.faults.loader import Workers
from tests.sources import give_customers, run_in_erp, set_customers
from winback.feeds import FEEDS as FEED_DEFINITIONS
from winback.load import load_feed
from winback.load import source as source_module
from winback.load.attempt import attempt, clear_leftovers
from winback.load.commit import commit_batch

pytestmark = pytest.mark.usefixtures("quick_checks")

SLOW_ROUNDS = max(5, round(50 * float(os.environ.get("WINBACK_SLOW_SHARE", "1.0"))))
FEEDS = ("orders", "complaints", "customers")


def at_once(*attempts: Callable[[], Any]) -> list[Exception]:
    """Release threads at a barrier and return what went wrong in them."""
    barrier, failures = threading.Barrier(len(attempts)), []

    def run(attempt: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            attempt()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(attempt,)) for attempt in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def change_everything(company: Company, number: int) -> None:
    """Give every feed new, changed and vanished rows for the day of a round."""
    day = DAY + timedelta(days=number)
    company.sell(*((f"A{number}-{n}", f"{day} 10:00", n, "C1", f"{day} 10:00") for n in range(60)))
    if number:
        company.sell(*((f"A{number - 1}-{n}", f"{day} 10:00", n, "C2", f"{day} 11:00") for n in range(20)))
    company.complain(day, *(f"T{number % 2}-{n},{day} 10:00,C{number},处理中," for n in range(60)))
    set_customers(company, *((f"C{n}", f"name {n * number % 7}", "M") for n in range(number, number + 40)))


def run_rounds(company: Company, query: Callable[[str], list[Any]], rounds: int) -> None:
    """Let twins load each feed, round by round, and check what became of every row."""
    give_customers(company)
    for feed in FEEDS:
        load_feed(company.settings, feed, days_after(-9))  # the schema and the imports are ready
    deadlocks = query("select deadlocks from pg_stat_database where datname = current_database()")
    for number in range(rounds):
        day = days_after(number)
        change_everything(company, number)
        last = query("select max(batch_id) from ops.batches")[0][0]
        failures = at_once(*(partial(load_feed, company.settings, feed, day) for feed in FEEDS * 2))
        assert failures == []
        check_round(query, last, number)
    assert query("select status, error from ops.batches where status <> 'committed' or error <> ''") == []
    assert query("select relname from pg_class where relnamespace = 'landing'::regnamespace") == []
    assert query("select deadlocks from pg_stat_database where datname = current_database()") == deadlocks


def check_round(query: Callable[[str], list[Any]], last: int, number: int) -> None:
    """Check that one twin has done the whole work and the other, if it came to that, found it done."""
    fates = {
        feed: (inserted, updated, deleted, workers, batches)
        for feed, inserted, updated, deleted, workers, batches in query(
            "select feed, sum(rows_inserted), sum(rows_updated), sum(rows_deleted),"
            " count(*) filter (where rows_inserted + rows_updated + rows_deleted > 0), count(*)"
            f" from ops.batches where batch_id > {last} group by feed"
        )
    }
    complaints = 60 if number < 2 else 0
    assert fates["orders"] == (60, 20 if number else 0, 0, 1, 2)
    assert fates["complaints"][:4] == (complaints, 60 - complaints, 0, 1)
    first_names = query(
        "select count(*) from raw.customers_versions where load_batch_id in"
        f" (select batch_id from ops.batches where batch_id > {last})"
    )[0][0]
    assert fates["customers"][0] == (40 if number == 0 else 1)
    assert fates["customers"][2] == (0 if number == 0 else 1)
    assert fates["customers"][3] == 1
    assert first_names == sum(fates["customers"][:3])
    for feed, key in (("orders", "order_id"), ("complaints", "complaint_id"), ("customers", "customer_id")):
        assert query(f"select count(*) - count(distinct {key}) from raw.{feed}") == [(0,)]


def test_twins_load_every_row_once(company, query):
    company.sell(*((f"A{n}", "2026-03-02 10:00", n, "C1", "2026-03-02 10:00") for n in range(200)))
    company.complain(DAY, *(f"T{n},2026-03-02 10:00,C1,处理中," for n in range(200)))
    load_feed(company.settings, "orders", days_after(-9))  # the schema and the imports are ready
    feeds = ("orders", "complaints") * 2
    assert at_once(*(partial(load_feed, company.settings, feed, DAY) for feed in feeds)) == []
    assert query("select count(*), count(distinct order_id) from raw.orders") == [(200, 200)]
    fates = query(
        "select feed, sum(rows_inserted), sum(rows_in - rows_inserted - rows_unchanged) from ops.batches"
        " group by feed order by feed"
    )
    assert fates == [("complaints", 200, 0), ("orders", 200, 0)]


def test_twins_of_every_feed_share_the_work_round_by_round(company, query):
    run_rounds(company, query, 3)


@pytest.mark.slow
def test_twins_of_every_feed_share_the_work_in_fifty_rounds(company, query):
    run_rounds(company, query, SLOW_ROUNDS)


@pytest.fixture
def workers(company, tmp_path) -> Iterator[Workers]:
    """Worker processes of the company; those of this test's own process cannot upgrade a schema at once."""
    started = Workers(tmp_path / "winback.yml", tmp_path / "workers.log")
    yield started
    started.stop()


@pytest.mark.without_tables
def test_twin_processes_make_the_schema_of_an_empty_warehouse_once(company, query, workers):
    company.sell(("A1", "2026-03-02 10:00", 1, "C1", "2026-03-02 10:00"))
    workers.start(*[[("orders", DAY)]] * 4)
    assert workers.wait() == ["done"] * 4
    assert query("select sum(rows_inserted), count(*) from ops.batches") == [(1, 4)]


def test_a_living_twin_is_not_taken_for_dead(company, query, monkeypatch):
    """The twin stops before its commit; the other load must leave its batch and its landing table alone."""
    company.sell(("A1", "2026-03-02 10:00", 1, "C1", "2026-03-02 10:00"))
    with HeldCommit(company, "orders", monkeypatch) as release:
        load_feed(company.settings, "orders", DAY)
        assert query("select batch_id, status, error from ops.batches order by 1") == [
            (1, "running", None),
            (2, "committed", None),
        ]
        assert query("select count(*) from landing.orders_1") == [(1,)]
        release()
    assert query("select batch_id, status, rows_unchanged from ops.batches order by 1") == [
        (1, "committed", 1),
        (2, "committed", 0),
    ]


def test_an_attempt_that_was_overtaken_does_not_delete_what_the_later_one_brought(
    company, query, monkeypatch
):
    give_customers(company)
    set_customers(company, ("C1", "Li", "M"), ("C2", "Wu", "M"))
    with HeldCommit(company, "customers", monkeypatch) as release:
        run_in_erp(company, "insert into customers values ('C3', 'Ma', 'M')")
        load_feed(company.settings, "customers", DAY)
        release()
    assert query("select customer_id from raw.customers where deleted_on is null order by 1") == [
        ("C1",),
        ("C2",),
        ("C3",),
    ]


def test_an_attempt_that_was_overtaken_does_not_bring_old_values_back(company, query, monkeypatch):
    give_customers(company)
    set_customers(company, ("C1", "Li", "M"))
    load_feed(company.settings, "customers", days_after(-1))
    with HeldCommit(company, "customers", monkeypatch) as release:
        run_in_erp(company, "update customers set name = 'Li Na'")
        load_feed(company.settings, "customers", DAY)
        release()
    assert query("select name from raw.customers") == [("Li Na",)]
    assert query("select name from raw.customers_versions order by valid_from desc limit 1") == [("Li Na",)]


class HeldCommit:
    """Start a load in a thread that stops right before its commit, until released."""

    def __init__(self, company: Company, feed: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._reached, self._free = threading.Event(), threading.Event()
        self._failures: list[Exception] = []
        self._thread = threading.Thread(target=self._load, args=(company, feed))

        def waiting(*arguments: Any, **options: Any) -> Any:
            if threading.current_thread() is self._thread:
                self._reached.set()
                assert self._free.wait(60)
            return commit_batch(*arguments, **options)

        monkeypatch.setattr(source_module, "commit_batch", waiting)

    def _load(self, company: Company, feed: str) -> None:
        try:
            load_feed(company.settings, feed, DAY)
        except Exception as error:
            self._failures.append(error)

    def __enter__(self) -> Callable[[], None]:
        self._thread.start()
        assert self._reached.wait(60), self._failures
        return self.release

    def release(self) -> None:
        """Let the load go on and wait for its end."""
        self._free.set()
        self._thread.join()
        assert self._failures == []

    def __exit__(self, *_: object) -> None:
        self._free.set()
        self._thread.join()


def test_a_batch_that_commits_while_it_is_looked_at_stays_committed(company, query, warehouse, monkeypatch):
    """Between finding a batch running and taking its lock, the batch may commit and its worker leave."""
    load_feed(company.settings, "orders", DAY)
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute("update ops.batches set status = 'running', landing_is_kept = true")
        found = connection.execute

        def commits_in_between(statement: Any, *arguments: Any) -> Any:
            if "pg_try_advisory_lock" in str(statement):
                found("update ops.batches set status = 'committed', landing_is_kept = false")
            return found(statement, *arguments)

        monkeypatch.setattr(connection, "execute", commits_in_between)
        clear_leftovers(connection, FEED_DEFINITIONS["orders"], "erp")
    assert query("select status, error from ops.batches") == [("committed", None)]


def test_a_batch_is_seen_only_once_its_worker_holds_the_lock(company, query, warehouse, monkeypatch):
    load_feed(company.settings, "orders", DAY)
    with psycopg.connect(warehouse, autocommit=True) as connection:
        execute = connection.execute

        def other_worker_looks(statement: Any, *arguments: Any) -> Any:
            if "pg_advisory_lock" in str(statement):
                with psycopg.connect(warehouse, autocommit=True) as other:
                    clear_leftovers(other, FEED_DEFINITIONS["orders"], "erp")
            return execute(statement, *arguments)

        monkeypatch.setattr(connection, "execute", other_worker_looks)
        with attempt(connection, FEED_DEFINITIONS["orders"], "erp", DAY, files=None):
            pass
    assert query("select error from ops.batches where error is not null") == []
