"""What a batch measures, what its source measured before, and that neither tells of a row."""

import hashlib
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from winback.check.history import read_history
from winback.check.measures import Delivery, complete_measures, measure, note_measures
from winback.check.rules import RowRule, Severity, Suite
from winback.config_checks import Usual
from winback.feeds import FEEDS
from winback.warehouse.schema import ensure_schema

DAY = date(2026, 3, 2)
ZONE = ZoneInfo("Asia/Shanghai")
SUITE = Suite("orders", amounts=("amount",), categories=("channel", "status"))
RULES = (
    RowRule("amount_is_filled", "landed.amount is null", Severity.REJECT, "x", "X.", "。"),
    RowRule("channel_is_filled", "landed.channel is null", Severity.WARN, "x", "X.", "。"),
)
FILLED = ("order_id", "ordered_at", "amount", "customer_id", "channel", "status")
FEW = Usual(rows=2)


@pytest.fixture
def connection(warehouse):
    with psycopg.connect(warehouse, autocommit=True) as connection:
        ensure_schema(connection)
        connection.execute("set time zone 'UTC'")
        yield connection


def delivery(feed="orders", day=DAY, source_id="erp", is_daily=True):
    return Delivery(FEEDS[feed], source_id, day, ZONE, is_daily)


def measured(connection, rows, *, of=None, suite=SUITE, filled=FILLED, usual=FEW):
    """Measure rows, given as values by column; `rejected` and `warned` break the two rules."""
    of = of or delivery()
    columns = ", ".join(f"{column.name} {column.type}" for column in of.feed.columns)
    connection.execute("drop table if exists landing.checked, landing.measured")
    connection.execute(
        f"create table landing.checked ({columns},"
        " amount_is_filled integer default 0, channel_is_filled integer default 0)"
    )
    for row in rows:
        named = {"rejected": "amount_is_filled", "warned": "channel_is_filled"}
        names = ", ".join(named.get(name, name) for name in row)
        connection.execute(
            f"insert into landing.checked ({names}) values ({', '.join(['%s'] * len(row))})",
            list(row.values()),
        )
    return measure(connection, of, suite, RULES, filled, usual=usual, rules_view="checked", table="measured")


def order(number, at="2026-03-02 10:00+08", amount=10, **more):
    return {"order_id": f"A{number}", "ordered_at": at, "amount": amount, **more}


def digest(value):
    return hashlib.sha256(value.encode()).hexdigest()[:16]


def sell(connection, *moments, source_id="erp"):
    """Put orders into raw."""
    (known,) = connection.execute("select count(*) from raw.orders").fetchone()
    for number, moment in enumerate(moments, known):
        connection.execute(
            "insert into raw.orders (source_id, order_id, ordered_at, amount, customer_source_id,"
            " business_day, load_batch_id, loaded_at) values (%s, %s, %s, 1, 'erp', '2026-01-01', 1, now())",
            [source_id, f"R{number}", moment],
        )


def note(connection, measures, *, status="committed", kind="load", source_id="erp"):
    """Note a batch and what it measured."""
    feed, day = measures.delivery.feed.name, measures.delivery.day
    (batch_id,) = connection.execute(
        "insert into ops.batches (feed, source_id, business_day, status, kind, rows_in, rows_inserted,"
        " rows_updated, rows_unchanged, rows_superseded, rows_quarantined, committed_at)"
        " values (%s, %s, %s, %s, %s, 0, 0, 0, 0, 0, 0, clock_timestamp()) returning batch_id",
        [feed, source_id, day, status, kind],
    ).fetchone()
    note_measures(connection, batch_id=batch_id, feed=feed, source_id=source_id, measures=measures)


def test_rejected_rows_count_for_the_share_quarantined_only(connection):
    found = measured(
        connection,
        [
            order(1, amount=10, channel="app", customer_id="C1"),
            order(2, amount=1000, channel="app"),
            order(3, amount=-10, channel="web", warned=1),
            order(4, amount=1000),
            order(5, "2026-03-02 23:59+08", amount=7e9, channel="fax", customer_id="C5", rejected=1),
        ],
    )
    assert (found.rows_in, found.rows, found.volume, found.quarantined_share) == (5, 4, 4, 0.2)
    assert found.newest == DAY
    assert found.null_shares == {"customer_id": 0.75, "channel": 0.25, "status": 1.0}
    assert found.typical == {"amount": pytest.approx(100)}
    assert found.mixes == {
        "channel": {digest("app"): 0.5, digest("web"): 0.25, "null": 0.25},
        "status": {"null": 1.0},
    }


def test_great_expectations_finds_each_measure_in_the_table(connection, query):
    found = measured(connection, [order(1, channel="app"), order(2, rejected=1), order(3)])
    complete_measures(connection, "measured", {"volume": 99.0, "freshness": 3.0, "mix_of_channel": None})
    assert found.volume == 2
    (row,) = query(
        "select volume, quarantined_share, null_share_channel, typical_amount, freshness, mix_of_channel"
        " from landing.measured"
    )
    assert row == (2, pytest.approx(1 / 3), 0.5, pytest.approx(10), 3, None)


def test_a_batch_about_a_day_counts_the_rows_of_that_day(connection):
    rows = [
        order(1, "2026-03-01 23:59:59+08"),
        order(2, "2026-03-02 00:00+08"),
        order(3, "2026-03-02 23:59:59.999+08"),
        order(4, "2026-03-03 00:00+08"),
    ]
    assert measured(connection, rows).volume == 2
    assert measured(connection, rows, of=delivery(is_daily=False)).volume == 4


def test_rows_after_the_business_day_do_not_make_a_source_look_fresh(connection):
    rows = [order(1, "2026-02-27 10:00+08"), order(2, "2026-03-03 00:00+08"), order(3, "2099-01-01 00:00+08")]
    assert measured(connection, rows).newest == date(2026, 2, 27)
    assert measured(connection, rows[1:]).newest is None


def test_a_day_that_is_read_again_has_what_the_warehouse_knows_of_it(connection):
    sell(connection, *["2026-03-02 10:00+08"] * 5, "2026-03-03 00:00+08", "2026-03-01 23:59+08")
    sell(connection, *["2026-03-02 10:00+08"] * 9, source_id="shop")
    assert measured(connection, [order(1), order(2)]).volume == 5
    assert measured(connection, [order(number) for number in range(6)]).volume == 6


def test_an_empty_batch_measures_nothing_but_its_rows(connection):
    found = measured(connection, [])
    assert (found.rows_in, found.rows, found.volume) == (0, 0, 0)
    assert (found.quarantined_share, found.newest) == (None, None)
    assert set(found.null_shares.values()) == set(found.typical.values()) == {None}
    assert found.mixes == {"channel": {}, "status": {}}


def test_a_batch_that_is_rejected_whole_is_measured_too(connection):
    found = measured(connection, [order(1, rejected=1), order(2, rejected=1)])
    assert (found.rows_in, found.rows, found.volume, found.quarantined_share) == (2, 0, 0, 1.0)


@pytest.mark.parametrize(("rows", "tells"), [(19, False), (20, True)])
def test_a_batch_of_few_rows_tells_nothing_of_them(connection, query, rows, tells):
    found = measured(connection, [order(n, channel="app") for n in range(rows)], usual=Usual(rows=20))
    note(connection, found)
    noted = {measure for (measure,) in query("select measure from ops.batch_measures")}
    assert noted == {"volume", "quarantined_share"} | (
        {f"null_share_{name}" for name in ("customer_id", "channel", "status")}
        | {"typical_amount", "mix_of_channel", "mix_of_status"}
        if tells
        else set()
    )


@pytest.mark.parametrize("odd", [0, "NaN", "Infinity", "-Infinity", "1e400", "1e-400"])
def test_amounts_without_a_logarithm_are_left_out(connection, odd):
    found = measured(connection, [order(1, amount=odd), order(2, amount=40), order(3, amount=-40)])
    assert found.typical == {"amount": pytest.approx(40)}
    assert measured(connection, [order(1, amount=odd), order(2, amount=odd)]).typical == {"amount": None}


def test_a_feed_without_events_counts_all_rows(connection):
    customers = [{"customer_id": f"C{n}", "phone": None} for n in range(3)]
    found = measured(
        connection,
        customers,
        of=delivery("customers"),
        suite=Suite("customers"),
        filled=["customer_id", "phone"],
    )
    assert (found.volume, found.newest, found.null_shares) == (3, None, {"phone": 1.0})
    assert read_history(connection, delivery("customers"), FEW).newest is None


def test_events_that_have_a_date_are_not_moved_by_the_time_zone(connection):
    rates = [{"currency": "USD", "day": date(2026, 3, day)} for day in (1, 2, 3)]
    of = replace(delivery("exchange_rates"), zone=ZoneInfo("America/New_York"))
    found = measured(connection, rates, of=of, suite=Suite("exchange_rates"), filled=["currency", "day"])
    assert (found.volume, found.newest) == (1, DAY)
    connection.execute(
        "insert into raw.exchange_rates (source_id, currency, day, business_day, load_batch_id, loaded_at)"
        " select 'erp', 'USD', day, day, 1, now()"
        " from unnest(array['2026-02-27', '2026-03-01']::date[]) as day"
    )
    past = read_history(connection, of, Usual())
    assert past.volumes == {date(2026, 2, 27): 1, date(2026, 2, 28): 0, date(2026, 3, 1): 1}
    assert past.newest == date(2026, 3, 1)


def test_days_of_the_warehouse_are_what_is_usual_after_a_first_load_of_years(connection):
    sell(
        connection,
        "2025-12-08 00:00+08",  # 84 days before
        "2025-12-07 23:59+08",
        *["2026-02-27 23:59:59+08"] * 3,
        "2026-02-28 00:00+08",
        "2026-03-02 10:00+08",
    )
    sell(connection, *["2026-02-27 10:00+08"] * 9, source_id="shop")
    past = read_history(connection, delivery(), Usual(weeks=12))
    assert len(past.volumes) == 84
    assert {day: rows for day, rows in past.volumes.items() if rows} == {
        date(2025, 12, 8): 1,
        date(2026, 2, 27): 3,
        date(2026, 2, 28): 1,
    }
    assert past.newest == DAY
    assert read_history(connection, delivery(is_daily=False), Usual()).volumes == {}


def test_days_before_the_first_row_are_no_days_without_rows(connection):
    sell(connection, "2026-02-27 10:00+08")
    past = read_history(connection, delivery(), Usual())
    assert past.volumes == {date(2026, 2, 27): 1, date(2026, 2, 28): 0, date(2026, 3, 1): 0}


def test_a_source_that_fell_silent_long_ago_is_known_by_its_last_day(connection):
    sell(connection, "2024-05-01 00:00+08", "2030-01-01 00:00+08")
    past = read_history(connection, delivery(), Usual())
    assert (past.newest, past.volumes) == (date(2024, 5, 1), {})


def test_what_a_day_measured_when_it_was_loaded_goes_before_what_it_has_now(connection):
    sunday = delivery(day=date(2026, 3, 1))
    note(connection, measured(connection, [order(n, "2026-03-01 10:00+08") for n in range(3)], of=sunday))
    sell(connection, *["2026-03-01 10:00+08"] * 9)  # six of them came late
    assert read_history(connection, delivery(), Usual()).volumes == {date(2026, 3, 1): 3}


def test_only_earlier_committed_loads_of_the_same_source_are_history(connection):
    found = measured(connection, [order(1, amount=10), order(2, amount=10)])
    for amount, day, more in (
        (10, -1, {}),
        (20, -3, {}),
        (30, -2, {"status": "stopped"}),
        (40, -4, {"kind": "backfill"}),
        (50, -5, {"kind": "replay"}),
        (60, -6, {"source_id": "shop"}),
        (70, 0, {}),
        (80, 1, {}),
    ):
        rows = [order(n, amount=amount) for n in (1, 2)]
        note(connection, measured(connection, rows, of=delivery(day=DAY + timedelta(days=day))), **more)
    past = read_history(connection, delivery(), Usual())
    assert past.values["typical_amount"] == (pytest.approx(10), pytest.approx(20))
    assert found.typical == {"amount": pytest.approx(10)}


def test_the_last_load_of_a_day_counts(connection):
    before = delivery(day=date(2026, 3, 1))
    for amount in (10, 20):
        note(connection, measured(connection, [order(n, amount=amount) for n in (1, 2)], of=before))
    assert read_history(connection, delivery(), Usual()).values["typical_amount"] == (pytest.approx(20),)


def test_history_reaches_back_by_batches_and_the_newest_comes_first(connection):
    for days in (5, 4, 3, 2, 1):
        of = delivery(day=DAY - timedelta(days=days), is_daily=False)
        rows = [order(n, amount=days, channel=str(days)) for n in range(days + 1)]
        note(connection, measured(connection, rows, of=of))
    past = read_history(connection, delivery(is_daily=False), Usual(batches=3))
    assert past.values["typical_amount"] == tuple(pytest.approx(amount) for amount in (1, 2, 3))
    assert past.mixes["mix_of_channel"] == ({digest("1"): 1.0}, {digest("2"): 1.0}, {digest("3"): 1.0})
    assert list(past.volumes.values())[:3] == [2, 3, 4]


def test_volumes_reach_back_by_weeks_also_where_rows_have_no_moment(connection):
    filled = {"suite": Suite("customers"), "filled": ["customer_id"]}
    for days in range(1, 6):
        of = delivery("customers", DAY - timedelta(days=days))
        note(connection, measured(connection, [{"customer_id": "C1"}] * days, of=of, **filled))
    past = read_history(connection, delivery("customers"), Usual(batches=2, weeks=1))
    assert list(past.volumes.values()) == [1, 2, 3, 4, 5]
    assert past.values["quarantined_share"] == (0, 0)


def test_of_many_values_the_most_frequent_are_kept(connection, query):
    rows = [order(f"{value}-{n}", channel=f"c{value:02}") for value in range(25) for n in range(25 - value)]
    note(connection, measured(connection, [*rows, order("none")]))
    kept = dict(query("select subject, value from ops.batch_measures where measure = 'mix_of_channel'"))
    assert len(kept) == 22
    assert kept["null"] == pytest.approx(1 / 326)
    assert kept["other"] == pytest.approx((5 + 4 + 3 + 2 + 1) / 326)
    assert kept[digest("c00")] == pytest.approx(25 / 326)
    assert sum(kept.values()) == pytest.approx(1)


def test_no_value_of_a_row_is_kept(connection, query):
    secret = "李小龙13800000000"
    rows = [order(n, channel=secret, status=secret, customer_id=secret) for n in range(3)]
    note(connection, measured(connection, rows))
    noted = str(query("select * from ops.batch_measures"))
    assert "mix_of_channel" in noted
    assert secret not in noted
