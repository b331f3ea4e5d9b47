"""Backfill: history in pieces, resumed after an interruption, without moving the watermark."""

from datetime import date, datetime, timedelta

import psycopg
import pytest
from click.testing import CliRunner

from tests.company import DAY, days_after
from winback.cli import main
from winback.errors import WinbackError
from winback.load import chosen_feeds, load_feed
from winback.load.backfill import backfill_feed, months
from winback.load.overview import feed_statuses
from winback.load.source import SourceLoad

pytestmark = pytest.mark.usefixtures("quick_checks")


def test_pieces_end_with_the_months():
    assert months(date(2024, 1, 15), date(2024, 3, 1)) == [
        (date(2024, 1, 15), date(2024, 1, 31)),
        (date(2024, 2, 1), date(2024, 2, 29)),
        (date(2024, 3, 1), date(2024, 3, 1)),
    ]
    assert months(date(2024, 12, 31), date(2024, 12, 31)) == [(date(2024, 12, 31), date(2024, 12, 31))]


def sell_each_month(company, year=2025):
    company.sell(
        *((f"A{month:02}", f"{year}-{month:02}-15 10:00", month, "C1", f"{year}-{month:02}-15 10:00")
          for month in range(1, 13))
    )  # fmt: skip


def test_history_comes_in_pieces_and_only_of_its_range(company, query):
    sell_each_month(company)
    said = []
    result = backfill_feed(company.settings, "orders", date(2025, 2, 1), date(2025, 4, 14), said.append)
    assert query("select order_id from raw.orders order by 1") == [("A02",), ("A03",)]
    assert (result.batches, result.counts.rows_inserted) == (3, 2)
    assert said[0] == "orders from erp, 2025-02-01 to 2025-02-28 (1 of 3): 1 rows, 1 new"


def test_the_watermark_stays_so_that_the_daily_load_misses_nothing(company, query):
    company.sell(("A1", "2026-03-02 10:00", 5, "C1", "2026-03-02 10:00"))
    load_feed(company.settings, "orders", DAY)
    before = query("select cursor_value from ops.watermarks")
    # an old order that was changed much later: the backfill sees it, and a change in between it does not
    company.sell(
        ("A2", "2026-02-01 10:00", 5, "C1", "2026-03-09 10:00"),
        ("A3", "2026-03-04 10:00", 5, "C1", "2026-03-04 10:00"),
    )
    backfill_feed(company.settings, "orders", date(2026, 2, 1), date(2026, 2, 28))
    assert query("select cursor_value from ops.watermarks") == before
    assert query("select order_id from raw.orders order by 1") == [("A1",), ("A2",)]
    load_feed(company.settings, "orders", days_after(9))
    assert query("select order_id from raw.orders order by 1") == [("A1",), ("A2",), ("A3",)]


def test_an_interrupted_backfill_goes_on_after_its_last_piece(company, query, monkeypatch):
    sell_each_month(company)
    whole, seen = SourceLoad.backfill, []

    def fails_in_march(self, first, last):
        seen.append(first.month)
        if first.month == 3 and seen.count(3) == 1:
            raise KeyboardInterrupt
        return whole(self, first, last)

    monkeypatch.setattr(SourceLoad, "backfill", fails_in_march)
    with pytest.raises(KeyboardInterrupt):
        backfill_feed(company.settings, "orders", date(2025, 1, 1), date(2025, 4, 30))
    assert query("select count(*) from raw.orders") == [(2,)]
    backfill_feed(company.settings, "orders", date(2025, 1, 1), date(2025, 4, 30))
    assert seen == [1, 2, 3, 3, 4]
    assert query("select count(*) from raw.orders") == [(4,)]
    assert query("select count(*) from ops.backfilled_days") == [(0,)]


def test_a_backfill_that_was_through_reads_everything_again(company):
    sell_each_month(company)
    backfill_feed(company.settings, "orders", date(2025, 1, 1), date(2025, 2, 28))
    again = backfill_feed(company.settings, "orders", date(2025, 1, 1), date(2025, 2, 28))
    assert (again.counts.rows_in, again.counts.rows_unchanged) == (2, 2)


def test_files_of_the_range_are_loaded_each_by_its_own_day(company, query):
    for offset in (0, 1, 2):
        company.complain(days_after(offset), f"T{offset},2026-03-02 10:00,C1,处理中,")
    backfill_feed(company.settings, "complaints", days_after(1), days_after(1))
    assert query("select complaint_id, business_day from raw.complaints") == [("T1", days_after(1))]


def test_today_is_no_history(company):
    today = datetime.now(company.settings.zone).date()
    with pytest.raises(WinbackError, match="not over yet"):
        backfill_feed(company.settings, "orders", DAY, today)
    with pytest.raises(WinbackError, match="holds no day"):
        backfill_feed(company.settings, "orders", DAY, days_after(-1))
    assert chosen_feeds(company.settings, []) == ["orders", "complaints"]  # which refer to orders
    with pytest.raises(WinbackError, match="not configured"):
        chosen_feeds(company.settings, ["surveys"])


def test_feeds_says_where_every_source_stands(company, warehouse, monkeypatch, tmp_path):
    monkeypatch.setenv("WINBACK_CONFIG", str(tmp_path / "winback.yml"))
    company.sell(("A1", "2026-03-02 10:00", 5, "C1", "2026-03-02 10:00"))
    company.complain(DAY, "T1,昨天,C1,处理中,")
    for feed in ("orders", "complaints"):
        load_feed(company.settings, feed, DAY)
    with psycopg.connect(warehouse) as connection:
        complaints, orders = feed_statuses(connection, company.settings, DAY + timedelta(days=4))
    assert (orders.rows, orders.lag_days, orders.newest_day) == (1, 3, DAY)
    assert orders.watermark == datetime(2026, 3, 2, 10, tzinfo=company.settings.zone)
    assert (complaints.rows, complaints.quarantined, complaints.last_batch) == (0, 1, "committed")
    shown = CliRunner().invoke(main, ["feeds"])
    assert shown.exit_code == 0, shown.output
    assert "2026-03-02 10:00" in shown.output.splitlines()[2]
