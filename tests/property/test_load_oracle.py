"""Whatever arrives, in whatever order, the warehouse equals what a few lines of plain Python keep."""

from datetime import datetime, timedelta
from decimal import Decimal

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.company import DAY
from winback.load import load_feed

MOMENTS = st.integers(0, 3 * 24 * 60).map(lambda minutes: datetime(2026, 3, 1) + timedelta(minutes=minutes))
ROWS = st.tuples(
    st.sampled_from([f"A{n}" for n in range(6)]),
    MOMENTS,
    st.decimals("-99", "99", places=2),
    st.sampled_from([None, "C1", "C2"]),
)
# Each step: rows that change at the source, then a load for one of the days around.
STEPS = st.lists(st.tuples(st.lists(ROWS, max_size=5), st.integers(-1, 3)), min_size=1, max_size=4)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_loaded_orders_are_the_sources_newest_rows(company, warehouse, query, steps):
    _empty(warehouse, company.erp_url)
    source: dict[str, tuple] = {}
    clock = datetime(2026, 2, 28, 12)
    for rows, offset in steps:
        for number, at, amount, customer in rows:
            clock += timedelta(minutes=7)  # a source stamps its changes in the order it makes them
            source[number] = (number, at, amount, customer, clock)
        company.sell(*source.values())
        load_feed(company.settings, "orders", DAY + timedelta(days=offset))
    load_feed(company.settings, "orders", DAY + timedelta(days=9))
    loaded = query(
        "select order_id, ordered_at at time zone 'Asia/Shanghai', amount, customer_id from raw.orders"
    )
    assert {row[0]: row for row in loaded} == {number: row[:4] for number, row in source.items()}
    assert all(isinstance(row[2], Decimal) for row in loaded)
    fates = query(
        "select sum(rows_in"
        " - rows_inserted - rows_updated - rows_unchanged - rows_superseded - rows_quarantined),"
        " sum(rows_inserted) from ops.batches"
    )
    assert fates == [(0, len(source))] or not source


LINES = st.tuples(
    st.sampled_from(["T1", "T2", "T3", ""]),
    st.sampled_from(["2026-03-02 10:00", "2026/3/2 9:05", "昨天", ""]),
    st.sampled_from(["C1", ""]),
    st.sampled_from(["处理中", "已结案", "不明"]),
    st.sampled_from(["", "1", "5", "6", "五"]),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(st.lists(LINES, max_size=5), min_size=1, max_size=3))
def test_good_lines_load_and_bad_ones_wait(company, warehouse, query, files):
    _empty(warehouse, company.erp_url)
    for old in company.folder.iterdir():
        old.unlink()
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


def _empty(warehouse: str, erp: str) -> None:
    with psycopg.connect(erp) as connection:
        connection.execute("truncate orders")
    with psycopg.connect(warehouse) as connection:
        if connection.execute("select to_regclass('ops.batches')").fetchone() != (None,):
            connection.execute(
                "truncate raw.orders, raw.complaints, quarantine.complaints, ops.batches, ops.watermarks,"
                " ops.files, ops.feed_days"
            )
