"""A batch that a check stops: nothing of it is loaded or published, and it says what to do."""

from datetime import timedelta

import pytest

from tests.company import DAY, days_after
from tests.fake_dbt import FakeDbt
from tests.sources import change_source, run_in_erp
from winback.build import build_warehouse
from winback.errors import WinbackError
from winback.load import load_feed
from winback.load.backfill import backfill_feed

ROWS = 60


def sell_days(company, first, days, rows=ROWS, **changes):
    """Sell the same number of orders on each of some days."""
    for offset in range(first, first + days):
        day = days_after(offset)
        company.sell(
            *(
                (
                    f"{day}-{n}",
                    f"{day} {8 + n % 12}:00",
                    changes.get("amount", 10 + n % 7),
                    f"C{n}",
                    f"{day} 20:00",
                )
                for n in range(rows)
            )
        )


@pytest.fixture
def six_weeks(company):
    """Return a company with six weeks of orders, all loaded as one history."""
    sell_days(company, -42, 42)
    load_feed(company.settings, "orders", days_after(-1))
    return company


def failed(query, day):
    return query(
        "select expectation, outcome from ops.check_results"
        f" where level = 'batch' and outcome in ('failed', 'accepted') and business_day = '{day}'"
        " order by batch_id, expectation"
    )


def test_a_usual_day_passes(six_weeks, query):
    sell_days(six_weeks, 0, 1, rows=54)
    assert load_feed(six_weeks.settings, "orders", DAY).counts.rows_inserted == 54
    assert failed(query, DAY) == []
    (found,) = query(
        "select outcome, observed, usual from ops.check_results"
        f" where expectation = 'volume' and business_day = '{DAY}'"
    )
    assert found == ("passed", 54, 60)


def test_far_too_few_rows_stop_the_batch_with_numbers_and_the_command(six_weeks, query):
    sell_days(six_weeks, 0, 1, rows=3)
    before = query("select cursor_value from ops.watermarks")
    with pytest.raises(WinbackError) as caught:
        load_feed(six_weeks.settings, "orders", DAY)
    for word in ("volume", "3 rows", "60", f"winback load orders --day {DAY} --accept volume"):
        assert word in str(caught.value)
    assert query("select count(*) from raw.orders") == [(42 * ROWS,)]
    assert query("select cursor_value from ops.watermarks") == before
    assert query("select status, landing_is_kept from ops.batches order by batch_id desc limit 1") == [
        ("stopped", True)
    ]
    assert failed(query, DAY) == [("volume", "failed")]
    assert query("select stage, subject, business_day, closed_at from ops.incidents") == [
        ("load", "orders from erp", DAY, None)
    ]
    assert query(f"select count(*) from ops.feed_days where business_day = '{DAY}'") == [(0,)]


def test_a_day_without_any_row_is_stopped_where_rows_are_usual(six_weeks):
    with pytest.raises(WinbackError, match="volume"):
        load_feed(six_weeks.settings, "orders", DAY)


def test_what_a_person_accepts_stays_accepted_for_that_day(six_weeks, query):
    sell_days(six_weeks, 0, 1, rows=3)
    with pytest.raises(WinbackError):
        load_feed(six_weeks.settings, "orders", DAY)
    assert load_feed(six_weeks.settings, "orders", DAY, accepts=["volume"]).counts.rows_inserted == 3
    assert query("select count(*) from ops.incidents where closed_at is null") == [(0,)]
    assert failed(query, DAY) == [("volume", "failed"), ("volume", "accepted")]
    load_feed(six_weeks.settings, "orders", DAY)  # as the schedule does, after the person
    with pytest.raises(WinbackError, match="volume"):
        load_feed(six_weeks.settings, "orders", days_after(1))


def test_a_mended_source_ends_the_incident(six_weeks, query):
    with pytest.raises(WinbackError):
        load_feed(six_weeks.settings, "orders", DAY)
    sell_days(six_weeks, 0, 1)
    assert load_feed(six_weeks.settings, "orders", DAY).counts.rows_inserted == ROWS
    assert query("select count(*) from ops.incidents where closed_at is null") == [(0,)]
    assert query("select relname from pg_class where relnamespace = 'landing'::regnamespace") == []


def test_many_rejected_rows_stop_the_batch(company, query):
    company.complain(DAY, *(f"T{n},{'昨天' if n % 2 else '2026-03-02'},C1,,4" for n in range(30)))
    with pytest.raises(WinbackError, match="quarantined_share"):
        load_feed(company.settings, "complaints", DAY)
    assert query("select count(*) from quarantine.complaints") == [(0,)]
    done = load_feed(company.settings, "complaints", DAY, accepts=["quarantined_share"]).counts
    assert (done.rows_inserted, done.rows_quarantined) == (15, 15)


def test_a_second_currency_stops_the_batch(company, query):
    run_in_erp(company, "alter table orders add currency text default 'CNY'")
    change_source(
        company,
        "orders",
        columns={
            "order_id": "no",
            "ordered_at": "at",
            "amount": "amount",
            "currency": "currency",
            "updated_at": "updated",
        },
    )
    run_in_erp(company, "insert into orders values ('A1', '2026-03-02', 5, 'C1', '2026-03-02', 'cny')")
    run_in_erp(company, "insert into orders values ('A2', '2026-03-02', 5, 'C1', '2026-03-02', 'USD')")
    with pytest.raises(WinbackError, match="currency_is_the_business_currency: 1 of 2 rows"):
        load_feed(company.settings, "orders", DAY)
    assert query("select count(*) from raw.orders") == [(0,)]


def test_odd_amounts_only_warn_unless_the_configuration_says_stop(six_weeks, query):
    for offset in range(6):  # each day a batch, so that a usual amount is known
        sell_days(six_weeks, offset, 1)
        load_feed(six_weeks.settings, "orders", days_after(offset))
    sell_days(six_weeks, 6, 1, amount=1000)
    load_feed(six_weeks.settings, "orders", days_after(6))
    assert failed(query, days_after(6)) == [("typical_amount", "failed")]


def test_a_cold_start_is_stated(company, query):
    sell_days(company, 0, 1)
    load_feed(company.settings, "orders", DAY)
    found = dict(query("select expectation, outcome from ops.check_results where level = 'batch'"))
    assert found["volume"] == "cold_start"
    assert set(found.values()) <= {"cold_start", "passed"}


def test_history_is_not_judged_as_a_day(six_weeks, query):
    backfill_feed(six_weeks.settings, "orders", days_after(-400), days_after(-390), say=str)
    assert query(
        "select distinct expectation from ops.check_results inner join ops.batches using (batch_id)"
        " where level = 'batch' and kind = 'backfill'"
    ) == [("quarantined_share",)]


def test_nothing_is_published_of_a_stopped_day(six_weeks, query, monkeypatch):
    """The day of a build is settled before dbt starts, so a stand-in for dbt will do."""
    FakeDbt(reach=str).install(monkeypatch.setattr)
    six_weeks.complain(DAY)
    load_feed(six_weeks.settings, "complaints", DAY)
    build_warehouse(six_weeks.settings, days_after(-1))
    with pytest.raises(WinbackError):
        load_feed(six_weeks.settings, "orders", DAY)
    build_warehouse(six_weeks.settings, DAY)
    assert query("select max(as_of_date) from ops.builds where status = 'published'") == [
        (DAY - timedelta(days=1),)
    ]


def test_a_stopped_day_does_not_come_in_with_the_next_one(six_weeks, query):
    sell_days(six_weeks, 0, 1, rows=3)
    sell_days(six_weeks, 1, 1)
    for day in (DAY, days_after(1)):
        with pytest.raises(WinbackError, match=f"--day {DAY} --accept volume"):
            load_feed(six_weeks.settings, "orders", day)
    with pytest.raises(WinbackError, match=f"--day {DAY} --accept volume"):
        load_feed(six_weeks.settings, "orders", days_after(1), accepts=["volume"])  # that is another day's
    assert query("select count(*) from raw.orders") == [(42 * ROWS,)]
    load_feed(six_weeks.settings, "orders", DAY, accepts=["volume"])
    load_feed(six_weeks.settings, "orders", days_after(1))
    assert query("select count(*) from raw.orders") == [(43 * ROWS + 3,)]


def test_a_stopped_backfill_says_how_it_may_go_on(company, query):
    company.sell(*((f"A{n}", "2025-03-02", None if n % 2 else 5, "C1", "2025-03-02") for n in range(30)))
    days = (days_after(-400), days_after(-300))
    with pytest.raises(WinbackError, match=r"winback backfill orders .*--accept quarantined_share"):
        backfill_feed(company.settings, "orders", *days, say=str)
    assert query("select subject from ops.incidents where closed_at is null") == [("backfill of orders",)]
    done = backfill_feed(company.settings, "orders", *days, say=str, accepts=["quarantined_share"]).counts
    assert (done.rows_inserted, done.rows_quarantined) == (15, 15)
    assert query("select count(*) from ops.incidents where closed_at is null") == [(0,)]
