"""Whatever arrives, in whatever order, the warehouse equals what a few lines of plain Python keep.

WINBACK_SLOW_SHARE (default 1.0) scales the number of examples in the slow tests. Where the subject is the
order of loads, rows are counted by a plain query instead of Great Expectations, which takes most of a load's
time; the loading transaction compares either one's counts with its own.
"""

import os
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import sql

from tests.company import DAY, Company, days_after
from tests.sources import change_source, give_customers, set_customers
from winback.load import load_feed
from winback.load.backfill import backfill_feed

SLOW_SHARE = float(os.environ.get("WINBACK_SLOW_SHARE", "1.0"))
FAST, SLOW = 6, max(10, round(100 * SLOW_SHARE))


def examples(count: int) -> Any:
    """Return Hypothesis' settings for a number of examples."""
    return settings(
        max_examples=count, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )


@dataclass
class Place:
    """A company with its warehouse, which an example finds empty."""

    company: Company
    warehouse: str
    query: Any

    def empty(self) -> None:
        """Empty the source and the warehouse, which keeps its tables."""
        for old in self.company.folder.iterdir():
            old.unlink()
        with psycopg.connect(self.company.erp_url) as connection:
            connection.execute("truncate orders")
            is_new = connection.execute("select to_regclass('customers')").fetchone() == (None,)
        if is_new:
            give_customers(self.company, deletes={"missing_keys": True, "at_most": 1})
        with psycopg.connect(self.warehouse) as connection:
            tables = connection.execute(
                "select table_schema, table_name from information_schema.tables"
                " where table_schema in ('raw', 'quarantine', 'ops') and table_type = 'BASE TABLE'"
                " and table_name <> 'alembic_version'"
            ).fetchall()
            if tables:
                names = sql.SQL(", ").join(sql.Identifier(*table) for table in tables)
                connection.execute(sql.SQL("truncate {}").format(names))


@pytest.fixture
def place(company, warehouse, query) -> Place:
    """Return the company with its warehouse."""
    return Place(company, warehouse, query)


@pytest.fixture
def quick(place, quick_checks) -> Place:
    """Return the company with its warehouse; plain queries check each batch."""
    return place


# Orders from a table


MOMENTS = st.integers(0, 3 * 24 * 60).map(lambda minutes: datetime(2026, 3, 1) + timedelta(minutes=minutes))
ROWS = st.tuples(
    st.sampled_from([f"A{n}" for n in range(6)]),
    MOMENTS,
    st.decimals("-99", "99", places=2),
    st.sampled_from([None, "C1", "C2", "gone"]),
    st.integers(0, 20),  # so many hours before its commit the row is stamped
)
CHANGES = st.tuples(st.just("change"), st.lists(ROWS, min_size=1, max_size=5))
LOADS = st.tuples(st.just("load"), st.sampled_from([0, 0, 0, -1, -2]))
NIGHTS = st.tuples(st.just("night"), st.integers(1, 2))
BACKFILLS = st.tuples(st.just("backfill"), st.tuples(st.integers(-2, 4), st.integers(0, 3)))
ORDER_STEPS = st.lists(st.one_of(CHANGES, CHANGES, LOADS, LOADS, NIGHTS, BACKFILLS), min_size=2, max_size=10)


class Orders:
    """The orders of a source, and the loads of them."""

    def __init__(self, company: Company, query: Any, *, marks_deletes: bool) -> None:
        self.company, self.query, self.marks_deletes = company, query, marks_deletes
        self.rows: dict[str, tuple[Any, ...]] = {}
        self.ever: set[tuple[Any, ...]] = set()
        self.now = datetime(2026, 3, 1, 12)

    def change(self, rows: list[tuple[Any, ...]]) -> None:
        """Commit rows that were stamped some hours ago; a row's stamps never go back."""
        for number, at, amount, customer, hours in rows:
            self.now += timedelta(minutes=7)
            stamp = self.now - timedelta(hours=hours)
            if number in self.rows:
                stamp = max(stamp, self.rows[number][4])
            self.rows[number] = (number, at, amount, customer, stamp)
            self.ever.add((number, at, amount, customer))
            self.company.sell(self.rows[number])

    def night(self, days: int) -> None:
        """Go on to a later day."""
        self.now = datetime.combine(self.now.date() + timedelta(days=days), datetime.min.time())

    def load(self, offset: int) -> None:
        """Load today or a day before, twice: the second time changes nothing."""
        day = self.now.date() + timedelta(days=offset)
        before = self.watermark()
        load_feed(self.company.settings, "orders", day)
        assert before is None or self.watermark() >= before
        written = self.query("select xmin::text, ctid::text, order_id from raw.orders order by order_id")
        again = load_feed(self.company.settings, "orders", day).counts
        assert (again.rows_inserted, again.rows_updated, again.rows_deleted) == (0, 0, 0)
        assert (
            self.query("select xmin::text, ctid::text, order_id from raw.orders order by order_id") == written
        )

    def backfill(self, days: tuple[int, int]) -> None:
        """Load a piece of history in between; it leaves the watermark alone and loses nothing."""
        first = DAY + timedelta(days=days[0])
        load_feed(self.company.settings, "orders", days_after(-9))  # so that there is a schema to ask
        before, kept = self.watermark(), self.query("select count(*) from raw.orders")
        backfill_feed(self.company.settings, "orders", first, first + timedelta(days=days[1]), say=str)
        assert self.watermark() == before
        assert self.query("select count(*) from raw.orders") >= kept

    def watermark(self) -> datetime | None:
        """Return how far the orders have been read."""
        if self.query("select to_regclass('ops.watermarks')::text") == [(None,)]:
            return None
        rows = self.query("select cursor_value from ops.watermarks where feed = 'orders'")
        return rows[0][0] if rows else None

    def check(self) -> None:
        """Assert that the warehouse holds the source's rows, and each batch's sum."""
        loaded = self.query(
            "select order_id, ordered_at at time zone 'Asia/Shanghai', amount, customer_id, deleted_on"
            " from raw.orders"
        )
        wanted = {number: row[:4] for number, row in self.rows.items()}
        assert len(loaded) == len(wanted)
        assert {row[0]: row[:4] for row in loaded} == wanted
        assert {row[0] for row in loaded if row[4]} == {
            number for number, row in self.rows.items() if self.marks_deletes and row[3] == "gone"
        }
        assert all(isinstance(row[2], Decimal) for row in loaded)
        check_fates(self.query, "orders", len(wanted))


def check_fates(query: Any, feed: str, inserted: int) -> None:
    """Assert that every row that came in has one fate, and was inserted once."""
    fates = query(
        "select coalesce(sum(abs(rows_in"
        " - rows_inserted - rows_updated - rows_unchanged - rows_superseded - rows_quarantined)), 0),"
        f" coalesce(sum(rows_inserted), 0) from ops.batches where feed = '{feed}'"
    )
    assert fates == [(0, inserted)]
    assert query("select status from ops.batches where status <> 'committed'") == []


def run_orders(place: Place, steps: Any, *, marks_deletes: bool) -> None:
    """Play a history of orders and compare its end with the source."""
    place.empty()
    company, query = place.company, place.query
    deletes = {"column": "customer", "values": ["gone"]} if marks_deletes else None
    change_source(company, "orders", deletes=deletes)
    orders = Orders(company, query, marks_deletes=marks_deletes)
    for what, how in steps:
        getattr(orders, what)(how)
        if what != "change" and query("select to_regclass('raw.orders')::text") != [(None,)]:
            loaded = query(
                "select order_id, ordered_at at time zone 'Asia/Shanghai', amount, customer_id"
                " from raw.orders"
            )
            assert set(loaded) <= orders.ever
    orders.night(9)
    orders.load(0)
    orders.check()


@pytest.mark.parametrize("marks_deletes", [False, True])
@examples(FAST)
@given(steps=ORDER_STEPS)
@example(
    steps=[
        *(("change", [("A0", datetime(2026, 3, 1, 9), Decimal(1), "gone", 0)]), ("load", 0), ("night", 1)),
        *(("change", [("A1", datetime(2026, 3, 2, 9), Decimal(2), "C1", 20)]), ("backfill", (0, 0))),
    ]
)
def test_the_loaded_orders_are_the_sources_newest_rows(quick, marks_deletes, steps):
    run_orders(quick, steps, marks_deletes=marks_deletes)


@pytest.mark.slow
@pytest.mark.parametrize("marks_deletes", [False, True])
@examples(SLOW)
@given(steps=ORDER_STEPS)
def test_the_loaded_orders_are_the_sources_newest_rows_at_length(quick, marks_deletes, steps):
    run_orders(quick, steps, marks_deletes=marks_deletes)


# Complaints from files that come on some day, late, or once more


STATES = st.dictionaries(
    st.sampled_from([f"T{n}" for n in range(5)]), st.sampled_from(["处理中", "已结案"]), max_size=5
)
DELIVERIES = st.tuples(st.just("deliver"), st.tuples(st.integers(0, 4), STATES))
FILE_LOADS = st.tuples(st.just("load"), st.integers(0, 6))
FILE_STEPS = st.lists(st.one_of(DELIVERIES, DELIVERIES, FILE_LOADS), min_size=2, max_size=10)


def run_files(place: Place, steps: Any) -> None:
    """Deliver files in any order, load on any day: a complaint is what the newest day's file says."""
    place.empty()
    company, query = place.company, place.query
    files: dict[int, dict[str, str]] = {}
    versions = 0
    for what, how in steps:
        if what == "load":
            load_feed(company.settings, "complaints", days_after(how))
            continue
        number, states = how
        versions += 1
        # A file that is delivered again has what it had, maybe with other words, and something new.
        files[number] = files.get(number, {}) | states | {f"only-{versions}": "处理中"}
        company.complain(
            days_after(number),
            *(f"{key},2026-03-02 10:00,C1,{status}," for key, status in files[number].items()),
        )
    load_feed(company.settings, "complaints", days_after(9))
    wanted: dict[str, str] = {}
    for number in sorted(files):
        wanted |= files[number]
    assert dict(query("select complaint_id, status from raw.complaints")) == wanted
    check_fates(query, "complaints", len(wanted))
    before = query("select xmin::text, ctid::text, complaint_id from raw.complaints order by complaint_id")
    for number in (9, 0, 9):
        assert load_feed(company.settings, "complaints", days_after(number)).batches == 0
    assert before == query(
        "select xmin::text, ctid::text, complaint_id from raw.complaints order by complaint_id"
    )


@examples(FAST)
@given(steps=FILE_STEPS)
@example(
    steps=[
        *(("deliver", (0, {"T0": "处理中"})), ("deliver", (2, {"T0": "处理中"})), ("load", 2)),
        *(("deliver", (1, {"T0": "已结案"})), ("load", 2)),
    ]
)
def test_files_in_any_order_end_as_in_the_order_of_their_days(quick, steps):
    run_files(quick, steps)


@pytest.mark.slow
@examples(SLOW)
@given(steps=FILE_STEPS)
def test_files_in_any_order_end_as_in_the_order_of_their_days_at_length(quick, steps):
    run_files(quick, steps)


# Customers from a table that is read whole


PEOPLE = st.dictionaries(
    st.sampled_from([f"C{n}" for n in range(4)]), st.sampled_from(["M", "N", None]), max_size=4
)
CUSTOMER_STEPS = st.lists(st.tuples(PEOPLE, st.integers(-2, 2)), min_size=1, max_size=6)


def run_customers(place: Place, steps: Any) -> None:
    """Load a table whole on some days: rows, deletes and versions are those of a plain list."""
    place.empty()
    company, query = place.company, place.query
    # Per customer: (valid from, day of the change, manager, whether deleted), oldest first.
    history: dict[str, list[tuple[date | None, date, str | None, bool]]] = {}
    present: date | None = None
    for people, days in steps:
        day = (present or DAY) + timedelta(days=days)
        set_customers(company, *((key, f"name {key}", manager) for key, manager in people.items()))
        load_feed(company.settings, "customers", day)
        # A table shows its present state, also where an older day is loaded again.
        present = max(day, present or day)
        for key in {*people, *history}:
            is_deleted = key not in people
            past = history.setdefault(key, [])
            manager = past[-1][2] if is_deleted else people[key]
            if not past:
                past.append((None, present, manager, False))
            elif past[-1][2:] != (manager, is_deleted):
                if past[-1][1] == present:
                    past[-1] = (past[-1][0], present, manager, is_deleted)
                else:
                    past.append((present, present, manager, is_deleted))
    versions = query(
        "select customer_id, nullif(valid_from, '-infinity'), account_manager_id, deleted_on is not null"
        " from raw.customers_versions order by customer_id, valid_from"
    )
    assert versions == [
        (key, valid_from, manager, is_deleted)
        for key in sorted(history)
        for valid_from, _, manager, is_deleted in history[key]
    ]
    assert query(
        "select customer_id, account_manager_id, deleted_on is not null from raw.customers order by 1"
    ) == [(key, *history[key][-1][2:]) for key in sorted(history)]
    check_fates(query, "customers", len(history))


@examples(FAST)
@given(steps=CUSTOMER_STEPS)
def test_customers_and_their_past_are_as_a_plain_list_keeps_them(quick, steps):
    run_customers(quick, steps)


@pytest.mark.slow
@examples(SLOW)
@given(steps=CUSTOMER_STEPS)
def test_customers_and_their_past_are_as_a_plain_list_keeps_them_at_length(quick, steps):
    run_customers(quick, steps)


# Good and bad lines, counted by Great Expectations itself


LINES = st.tuples(
    st.sampled_from(["T1", "T2", "T3", ""]),
    st.sampled_from(["2026-03-02 10:00", "2026/3/2 9:05", "昨天", ""]),
    st.sampled_from(["C1", ""]),
    st.sampled_from(["处理中", "已结案", "不明"]),
    st.sampled_from(["", "1", "5", "6", "五"]),
)


@examples(FAST)
@given(files=st.lists(st.lists(LINES, max_size=5), min_size=1, max_size=3))
def test_good_lines_load_and_bad_ones_wait(place, files):
    place.empty()
    company, query = place.company, place.query
    kept: dict[str, tuple] = {}
    bad, seen = 0, set()
    for number, lines in enumerate(files):
        day = DAY + timedelta(days=number)
        company.complain(day, *(",".join(line) for line in lines))
        load_feed(company.settings, "complaints", day)
        if repr(lines) in seen:  # the same bytes again are the same file
            continue
        seen.add(repr(lines))
        good = [line for line in lines if _is_good(line)]
        bad += len(lines) - len(good)
        kept.update({line[0]: line for line in good})
    loaded = query("select complaint_id, status, satisfaction::text from raw.complaints")
    assert {row[0]: row for row in loaded} == {
        key: (line[0], line[3], line[4] or None) for key, line in kept.items()
    }
    assert query(
        "select count(*), count(*) filter (where cardinality(reasons) > 0) from quarantine.complaints"
    ) == [(bad, bad)]


def _is_good(line: tuple[str, ...]) -> bool:
    number, opened, _, status, satisfaction = line
    return bool(number) and opened in ("2026-03-02 10:00", "2026/3/2 9:05") and status != "不明" and (
        satisfaction in ("", "1", "5")
    )  # fmt: skip
