"""Loading: nothing lost, nothing twice, every row has one fate, every day is noted."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from tests.company import DAY, days_after
from winback.errors import WinbackError
from winback.load import checking, load_feed, may_go_ahead
from winback.load.commit import BatchCounts

pytestmark = pytest.mark.usefixtures("quick_checks")


def test_orders_arrive_with_types_zone_and_source(company, query):
    company.sell(("A1", "2026-03-02 00:30", "12.50", "C1", "2026-03-02 00:30"))
    result = load_feed(company.settings, "orders", DAY)
    assert result.counts == BatchCounts(rows_in=1, rows_inserted=1)
    row = query(
        "select source_id, order_id, ordered_at, amount, customer_source_id, customer_id from raw.orders"
    )
    # Half past midnight in Shanghai is the previous day in UTC.
    assert row == [("erp", "A1", datetime(2026, 3, 1, 16, 30, tzinfo=UTC), Decimal("12.50"), "erp", "C1")]


def test_rows_after_the_business_day_wait_for_their_own_day(company, query):
    company.sell(
        ("A1", "2026-03-02 23:59", 1, "C1", "2026-03-02 23:59:59.999"),
        ("A2", "2026-03-03 00:00", 1, "C1", "2026-03-03 00:00"),
    )
    load_feed(company.settings, "orders", DAY)
    assert query("select order_id from raw.orders") == [("A1",)]
    load_feed(company.settings, "orders", days_after(1))
    assert query("select order_id from raw.orders order by 1") == [("A1",), ("A2",)]


def test_loading_twice_writes_no_row(company, query):
    company.sell(*((f"A{n}", "2026-03-02 10:00", n, "C1", "2026-03-02 10:00") for n in range(50)))
    load_feed(company.settings, "orders", DAY)
    before = query("select xmin::text, * from raw.orders order by order_id")
    again = load_feed(company.settings, "orders", DAY)
    assert again.counts == BatchCounts(rows_in=50, rows_unchanged=50)
    assert query("select xmin::text, * from raw.orders order by order_id") == before


def test_a_change_at_the_source_updates_the_row(company, query):
    company.sell(("A1", "2026-03-02 10:00", 5, "C1", "2026-03-02 10:00"))
    load_feed(company.settings, "orders", DAY)
    company.sell(("A1", "2026-03-02 10:00", 7, "C1", "2026-03-03 09:00"))
    assert load_feed(company.settings, "orders", days_after(1)).counts.rows_updated == 1
    assert query("select amount from raw.orders") == [(7,)]


def test_a_row_that_commits_late_is_found_by_the_lookback(company, query):
    company.sell(("A1", "2026-03-02 10:00", 5, "C1", "2026-03-02 10:00"))
    load_feed(company.settings, "orders", DAY)
    company.sell(("A2", "2026-03-02 09:50", 5, "C2", "2026-03-02 09:50"))  # stamped before the watermark
    load_feed(company.settings, "orders", days_after(1))
    assert query("select order_id from raw.orders order by 1") == [("A1",), ("A2",)]


def test_an_older_day_can_be_loaded_after_a_newer_one(company, query):
    company.sell(("A1", "2026-03-12 10:00", 5, "C1", "2026-03-12 10:00"))
    load_feed(company.settings, "orders", days_after(10))
    company.sell(("A0", "2026-03-02 10:00", 5, "C1", "2026-03-02 10:00"))
    load_feed(company.settings, "orders", DAY)
    assert query("select count(*) from raw.orders") == [(2,)]
    assert query("select cursor_value from ops.watermarks") == [(datetime(2026, 3, 12, 2, 0, tzinfo=UTC),)]


def test_an_empty_day_is_complete(company, query):
    load_feed(company.settings, "orders", DAY)
    assert query("select feed, business_day, is_stale from ops.feed_days") == [("orders", DAY, False)]


def test_bad_rows_are_set_aside_whole_with_reasons_and_good_ones_load(company, query):
    company.complain(
        DAY,
        "T1,2026-03-02 10:00,C1,已结案,4",
        "T2,昨天,C2,处理中,",
        ",2026-03-02 11:00,C3,处理中,9",
        "T4,2026-03-02 12:00,C4,转王经理,",
    )
    result = load_feed(company.settings, "complaints", DAY)
    assert result.counts == BatchCounts(rows_in=4, rows_inserted=1, rows_quarantined=3)
    kept = query(
        "select row_number, reasons, source_text ->> '时间' from quarantine.complaints order by row_number"
    )
    assert kept == [
        (2, ["opened_at_is_readable"], "昨天"),
        (3, ["complaint_id_is_filled", "satisfaction_is_from_1_to_5"], "2026-03-02 11:00"),
        (4, ["status_is_known"], "2026-03-02 12:00"),
    ]
    failed = dict(query("select expectation, rows_failed from ops.check_results where rows_failed > 0"))
    assert failed["status_is_known"] == 1
    assert failed["opened_at_is_readable"] == 1


def test_a_file_is_loaded_once_by_its_content(company, query):
    file = company.complain(DAY, "T1,2026-03-02 10:00,C1,已结案,4")
    load_feed(company.settings, "complaints", DAY)
    file.rename(file.with_name("投诉_2026-03-01.csv"))
    again = load_feed(company.settings, "complaints", DAY)
    assert again.batches == 0
    assert query("select count(*) from ops.batches") == [(1,)]


def test_two_versions_in_one_batch_keep_the_last_and_count_the_other_as_superseded(company, query):
    company.complain(DAY, "T1,2026-03-02 10:00,C1,处理中,", "T1,2026-03-02 10:00,C1,已结案,4")
    result = load_feed(company.settings, "complaints", DAY)
    assert result.counts == BatchCounts(rows_in=2, rows_inserted=1, rows_superseded=1)
    assert query("select status from raw.complaints") == [("已结案",)]


def test_a_day_whose_file_never_came_is_stale_until_it_comes(company, query):
    assert load_feed(company.settings, "complaints", DAY).is_stale
    assert query("select is_stale from ops.feed_days") == [(True,)]
    company.complain(DAY)
    assert not load_feed(company.settings, "complaints", DAY).is_stale
    assert query("select is_stale from ops.feed_days") == [(False,)]


def test_waiting_ends_with_the_file_or_with_the_deadline(company):
    # 07:30 on the following day in Shanghai is 23:30 of the business day in UTC.
    deadline = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    assert not may_go_ahead(company.settings, "complaints", DAY, deadline - timedelta(seconds=1))
    assert may_go_ahead(company.settings, "complaints", DAY, deadline)
    company.complain(DAY)
    assert may_go_ahead(company.settings, "complaints", DAY, deadline - timedelta(hours=9))


def test_a_failed_batch_loads_nothing_and_says_so(company, query):
    company.complain(DAY, "T1,2026-03-02 10:00,C1,已结案,4", "T2,2026-03-02 10:00,C1")
    with pytest.raises(WinbackError, match="line 3"):
        load_feed(company.settings, "complaints", DAY)
    assert query("select count(*) from raw.complaints") == [(0,)]
    assert query("select status, file from ops.batches") == [("failed", "投诉_2026-03-02.csv")]
    assert query("select count(*) from ops.feed_days") == [(0,)]


def test_no_landing_table_is_left_after_a_load(company, query):
    company.complain(DAY, "T1,2026-03-02 10:00,C1,已结案,4")
    load_feed(company.settings, "complaints", DAY)
    assert query("select relname from pg_class where relnamespace = 'landing'::regnamespace") == []


def test_a_batch_whose_fates_do_not_add_up_cannot_be_noted(company, warehouse):
    load_feed(company.settings, "orders", DAY)
    with psycopg.connect(warehouse) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("update ops.batches set rows_in = rows_in + 1")


def test_a_load_leaves_no_connection_open(company, query):
    company.sell(("A1", "2026-03-02 10:00", 5, "C1", "2026-03-02 10:00"))
    for _ in range(3):
        load_feed(company.settings, "orders", DAY)
    others = query(
        "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    )
    assert others == [(0,)]


def test_time_that_passes_between_check_and_load_changes_no_verdict(company, monkeypatch):
    tomorrow = datetime.now(company.settings.zone) + timedelta(days=1, seconds=1)
    company.sell(("A1", tomorrow.replace(tzinfo=None), 5, "C1", "2026-03-02 10:00"))
    counted = checking.evaluate

    def slow_check(*arguments):
        results = counted(*arguments)
        time.sleep(1.5)
        return results

    monkeypatch.setattr(checking, "evaluate", slow_check)
    assert load_feed(company.settings, "orders", DAY).counts.rows_in == 1


def test_nothing_is_loaded_when_check_and_load_count_differently(company, query, monkeypatch):
    company.complain(DAY, "T1,昨天,C1,已结案,4", "T2,2026-03-02,C2,,")
    counted = checking.evaluate

    def miscounted(*arguments):
        return [
            replace(result, rows_failed=2) if result.expectation == "opened_at_is_readable" else result
            for result in counted(*arguments)
        ]

    monkeypatch.setattr(checking, "evaluate", miscounted)
    with pytest.raises(RuntimeError, match="disagree on opened_at_is_readable"):
        load_feed(company.settings, "complaints", DAY)
    assert query("select count(*) from raw.complaints") == [(0,)]
    assert query("select count(*) from quarantine.complaints") == [(0,)]
