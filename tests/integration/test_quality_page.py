"""The pages about data quality, from loaded batches to files: numbers, trends, stops, and nobody's data."""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.company import DAY, Company, days_after
from winback.incidents import close_incidents, open_incident
from winback.load import load_feed
from winback.report.quality_page import read_evidence, write_quality_pages
from winback.warehouse.schema import ensure_schema

CANARIES = ("王秀英", "13800000001", "wang@example.com", "欧阳雪")


@pytest.fixture
def connection(warehouse: str) -> Any:
    with psycopg.connect(warehouse, autocommit=True) as connection:
        ensure_schema(connection)
        yield connection


def pages(company: Company, folder: Path, day: date = DAY) -> dict[str, str]:
    files = write_quality_pages(company.settings, day, folder)
    return {file.name: file.read_text("utf-8") for file in files}


def texts(page: str) -> str:
    """Return a page's words as a reader sees them."""
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL))


def test_a_loaded_day_is_told_without_what_any_row_says(company: Company, tmp_path: Path, query: Any) -> None:
    company.sell(
        ("A1", "2026-03-02 10:00", 5, "王秀英", "2026-03-02 10:00"),
        ("A2", "2026-03-02 11:00", 5, None, "2026-03-02 11:00"),
        ("A3", "2026-03-02 12:00", None, "13800000001", "2026-03-02 12:00"),
        ("A4", "2026-03-02 12:00", None, "13800000001", "2026-03-02 12:00"),
    )
    company.complain(
        DAY,
        "1,2026-03-02 09:00,王秀英,,5",
        "2,欧阳雪 wang@example.com,王秀英,,5",
        "3,2026-03-02 09:00,王秀英,13800000001,9",
    )
    for feed in ("orders", "complaints"):
        load_feed(company.settings, feed, DAY)
    found = pages(company, tmp_path / "quality")
    assert set(found) == {"2026-03-02.en.html", "2026-03-02.zh.html", "index.html"}
    english, chinese = texts(found["2026-03-02.en.html"]), texts(found["2026-03-02.zh.html"])
    assert "4 rows wait in quarantine. Nothing was stopped." in english
    assert "隔离区有 4 行待处理。没有数据被拦下。" in chinese
    # complete to, came in, loaded, set aside; waiting, replayed, resolved, discarded
    assert "Orders (erp) Mar 2, 2026 4 2 2 2 0 0 0" in english
    assert "Complaints (desk) Mar 2, 2026 3 1 2 2 0 0 0" in english
    assert "25.00% · 1 of 4 rows" in english  # without a customer
    ((number,),) = query(
        "select quarantine_id from quarantine.complaints where typed_values ->> 'complaint_id' = '2'"
    )
    assert f"winback quarantine show complaints {number} opened_at 某某某 xxxx@xxxxxxx.xxx" in english
    assert "status 99999999999" in english
    assert "satisfaction 9" in english
    assert "amount: empty" in english
    everything = "".join(found.values())
    assert [canary for canary in CANARIES if canary in everything] == []


def test_a_stopped_batch_is_told_until_one_gets_through(
    company: Company, connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    note_batch(connection, "stopped", DAY, volume=12, failed=1)
    open_incident(
        connection, "load", "orders from erp", DAY, "volume: 12 rows.", "winback load --accept volume", 1
    )
    stopped = texts(pages(company, tmp_path)["2026-03-02.en.html"])
    assert "1 of 2 checks failed." in stopped
    assert "1 problem is open." in stopped
    assert "Orders from erp were not loaded for Mar 2, 2026. since " in stopped
    assert "volume: 12 rows. What to do: winback load --accept volume" in stopped
    assert "12 rows · usual: 400 rows · at least: 200 rows" in stopped
    assert "Orders (erp) never loaded – – – 0 0 0 0" in stopped

    tomorrow = texts(pages(company, tmp_path, days_after(1))["2026-03-03.en.html"])
    assert "Nothing was loaded for this day, so nothing was checked." in tomorrow
    assert "Orders from erp were not loaded for Mar 2, 2026." in tomorrow

    note_batch(connection, "committed", DAY, volume=12, failed=1, outcome="accepted")
    close_incidents(connection, "load", "orders from erp", DAY)
    settled = texts(pages(company, tmp_path)["2026-03-02.en.html"])
    assert "1 of 2 checks failed." in settled
    assert "Nothing was stopped." in settled
    assert "settled Orders from erp were not loaded for Mar 2, 2026." in settled
    assert "stops the batch a person let it in" in settled
    assert "winback load --accept volume" not in settled
    assert "Orders from erp" not in texts(pages(company, tmp_path, days_after(1))["2026-03-03.en.html"])


def test_a_trend_goes_back_thirty_business_days_and_counts_what_was_loaded(
    company: Company, connection: psycopg.Connection[Any]
) -> None:
    days = [days_after(-2 * place) for place in range(31)]
    for place, day in enumerate(days):
        note_batch(connection, "committed", day, volume=100 + place, failed=0, broken=place)
    note_batch(connection, "committed", DAY, volume=300, failed=0, broken=3)
    note_batch(connection, "stopped", days_after(-2), volume=7, failed=1, broken=7)
    note_batch(connection, "committed", days_after(-2), volume=105, failed=0, broken=1)
    note_batch(connection, "stopped", days_after(-4), volume=7, failed=1, broken=7)
    note_batch(connection, "failed", DAY, volume=9, failed=0, broken=9)
    note_batch(connection, "committed", DAY, volume=9, failed=0, broken=9, kind="replay")
    note_batch(connection, "committed", days_after(2), volume=9, failed=0, broken=9)
    found = read_evidence(connection, company.settings, DAY)
    checks = {check["expectation"]: check for check in found.checks}
    rule, volume = checks["customer_id_is_filled"], checks["volume"]
    assert rule["trend_days"] == sorted(days[:30])
    shares = [round(bar.value, 4) for bar in rule["trend"].bars]
    assert shares[-3:] == [round(9 / 109, 4), round(2 / 206, 4), round(3 / 400, 4)]
    assert (rule["rows_failed"], rule["rows_total"]) == (3, 400)
    assert [bar.value for bar in volume["trend"].bars][-3:] == [7, 105, 300]
    assert (volume["observed"], volume["rows_failed"]) == (300, 0)
    assert read_evidence(connection, company.settings, days_after(1)).checks == ()


def test_a_feed_is_told_by_what_its_source_sent_for_the_day(
    company: Company, connection: psycopg.Connection[Any]
) -> None:
    note_batch(connection, "committed", DAY, volume=30, failed=0)
    note_batch(connection, "committed", DAY, volume=20, failed=0, kind="backfill")
    note_batch(connection, "committed", DAY, volume=9, failed=0, kind="replay")
    note_batch(connection, "stopped", DAY, volume=7, failed=1)
    note_batch(connection, "committed", days_after(1), volume=5, failed=0)
    connection.cursor().executemany(
        "insert into ops.feed_days (feed, source_id, business_day, is_stale)"
        " values ('orders', 'erp', %s, %s)",
        [(days_after(-1), False), (DAY, True), (days_after(1), False)],
    )

    def orders(day: date) -> dict[str, Any]:
        feeds = read_evidence(connection, company.settings, day).feeds
        return next(row for row in feeds if row["feed"] == "orders")

    assert (orders(DAY)["rows_in"], orders(DAY)["rows_loaded"]) == (50, 50)
    assert (orders(DAY)["last_business_day"], orders(DAY)["is_late"]) == (days_after(-1), True)
    assert (orders(days_after(1))["last_business_day"], orders(days_after(1))["is_late"]) == (
        days_after(1),
        False,
    )


def test_examples_are_the_newest_rows_that_wait_and_no_more_than_five(
    company: Company, connection: psycopg.Connection[Any]
) -> None:
    for number in range(1, 8):
        put_into_quarantine(connection, number, days_after(-number), ["amount_is_filled", "gone_rule"])
    put_into_quarantine(connection, 8, DAY, ["amount_is_filled"], state="discarded")
    put_into_quarantine(connection, 9, days_after(1), ["amount_is_filled"])
    found = read_evidence(connection, company.settings, DAY)
    rule, gone = sorted(found.waiting, key=lambda row: str(row["reason"]))
    assert (rule["rows_waiting"], rule["oldest_day"]) == (7, days_after(-7))
    assert [example["quarantine_id"] for example in rule["examples"]] == [7, 6, 5, 4, 3]
    assert rule["examples"][0]["shapes"] == [("amount", "-99.9")]
    assert (gone["reason"], gone["columns"], gone["examples"][0]["shapes"]) == ("gone_rule", (), [])
    orders = next(row for row in found.feeds if row["feed"] == "orders")
    assert (orders["rows_waiting"], orders["rows_discarded"]) == (7, 1)
    assert "王秀英" not in str(found)


def test_pages_link_each_other_the_day_before_and_a_list_of_all(company: Company, tmp_path: Path) -> None:
    def links(page: str) -> list[str]:
        return re.findall(r'href="(.*?)"', page)

    first = pages(company, tmp_path)
    assert links(first["2026-03-02.en.html"]) == ["2026-03-02.zh.html", "index.html"]
    later = pages(company, tmp_path, DAY + timedelta(days=3))
    assert links(later["2026-03-05.zh.html"]) == ["2026-03-05.en.html", "2026-03-02.zh.html", "index.html"]
    again = pages(company, tmp_path)
    assert links(again["2026-03-02.zh.html"]) == ["2026-03-02.en.html", "index.html"]
    assert links(again["index.html"]) == [
        *("2026-03-05.zh.html", "2026-03-05.en.html"),
        *("2026-03-02.zh.html", "2026-03-02.en.html"),
    ]
    assert sorted(file.name for file in tmp_path.glob("*.html*")) == sorted({*later, *again})


def note_batch(
    connection: psycopg.Connection[Any],
    status: str,
    day: date,
    *,
    volume: int,
    failed: int,
    broken: int = 0,
    outcome: str = "failed",
    kind: str = "load",
) -> None:
    """Write what the loader writes of a batch: one check of its rows, one of its volume."""
    (batch_id,) = connection.execute(
        "insert into ops.batches (feed, source_id, business_day, status, kind, rows_in, rows_inserted,"
        " rows_updated, rows_unchanged, rows_superseded, rows_quarantined)"
        " values ('orders', 'erp', %s, %s, %s, %s, %s, 0, 0, 0, 0) returning batch_id",
        [day, status, kind, volume, volume],
    ).fetchone() or (0,)
    checks = (
        ("customer_id_is_filled", "warn", "row", broken, volume, "passed", None, None, None),
        ("volume", "stop", "batch", failed, 1, outcome, volume, 400, 200),
    )
    connection.cursor().executemany(
        "insert into ops.check_results (batch_id, feed, source_id, business_day, expectation, severity,"
        " level, rows_failed, rows_total, outcome, observed, usual, minimum)"
        " values (%s, 'orders', 'erp', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [(batch_id, day, *check) for check in checks],
    )


def put_into_quarantine(
    connection: psycopg.Connection[Any], number: int, day: date, reasons: list[str], state: str = "open"
) -> None:
    connection.execute(
        "insert into quarantine.orders (source_id, load_batch_id, last_batch_id, row_number, reasons,"
        " typed_values, quarantined_at, business_day, fingerprint, state)"
        " values"
        " ('erp', 1, 1, %(number)s, %(reasons)s, %(values)s, now(), %(day)s, %(number)s::text, %(state)s)",
        {
            **{"number": number, "day": day, "reasons": reasons, "state": state},
            "values": '{"amount": -10.5, "customer_id": "王秀英"}',
        },
    )
