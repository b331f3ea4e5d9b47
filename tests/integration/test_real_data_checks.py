"""The suites on real data: which expectations fail, and how often; every other one finds nothing."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tests.integration.test_real_data import configured
from winback import paths
from winback.cli import main
from winback.config import FeedConfig, Settings, load_settings
from winback.demo.sources import fill_sources
from winback.load import chosen_feeds, load_feed
from winback.tasks.returned import read_returned

LAST_INVOICES = date(2011, 12, 9)
LINES, WITHOUT_CUSTOMER, REPEATED, IDENTICAL = 541_909, 135_080, 5_271, 5_268
NEGATIVE_PRICES = 2  # "Adjust bad debt"

LINES_OF_INVOICES = {
    "source": "till",
    "files": {"lines": "online_retail.csv.xz"},
    "query": "select *, row_number() over (partition by InvoiceNo) as line_no from lines",
    "columns": {
        "order_id": "InvoiceNo",
        "line_no": "line_no",
        "product_id": "StockCode",
        "quantity": "Quantity",
        "unit_price": "UnitPrice",
    },
}
IDENTICAL_LINES = {
    "line_is_no_copy": {
        "no_repeats": "every_source_column",
        "apart_from": ["line_no"],  # the query's, not the source's
        "severity": "warn",
        "protects_en": "A line that is the same in every column may be one line exported twice.",
        "protects_zh": "每一列都相同的明细行，可能是重复导出。",
    }
}


def failed(query: Any, feed: str) -> dict[str, int]:
    """Return, by rule, how many rows of a feed's batches break it, without the rules that none breaks."""
    rows = query(
        "select expectation, sum(rows_failed)::integer from ops.check_results"
        f" where feed = '{feed}' and level = 'row' group by expectation"
    )
    assert len(rows) > 10
    return {name: count for name, count in rows if count}


def invoice_lines(settings: Settings, **checks: Any) -> Settings:
    """Add the lines of the invoices to the orders of Online Retail."""
    lines = FeedConfig.model_validate({"sources": [LINES_OF_INVOICES], "checks": checks})
    return settings.model_copy(update={"feeds": {**settings.feeds, "order_lines": lines}})


def test_lines_without_a_customer_and_repeated_lines_are_counted(warehouse, test_data, tmp_path, query):
    settings = invoice_lines(configured("online_retail", test_data, tmp_path), rules=IDENTICAL_LINES)
    load_feed(settings, "orders", LAST_INVOICES)
    assert load_feed(settings, "order_lines", LAST_INVOICES).counts.rows_inserted == LINES
    assert failed(query, "orders") == {"customer_id_is_filled": 3_710}
    assert failed(query, "order_lines") == {
        "order_has_a_customer": WITHOUT_CUSTOMER,
        "line_is_not_repeated": REPEATED,
        "line_is_no_copy": IDENTICAL,
        "unit_price_is_not_negative": NEGATIVE_PRICES,
    }


@pytest.mark.slow
def test_lines_without_a_customer_and_repeated_lines_wait_where_that_is_configured(
    warehouse, test_data, tmp_path, query
):
    severities = {"order_has_a_customer": "reject", "line_is_not_repeated": "reject"}
    settings = invoice_lines(
        configured("online_retail", test_data, tmp_path),
        severities=severities,
        batch={"quarantined_share": {"at_most": 0.3}},
    )
    load_feed(settings, "orders", LAST_INVOICES)
    counts = load_feed(settings, "order_lines", LAST_INVOICES).counts
    waiting = dict(
        query(
            "select reason, count(*) from quarantine.order_lines, unnest(reasons) as reason"
            " where state = 'open' group by reason"
        )
    )
    assert waiting == {"order_has_a_customer": WITHOUT_CUSTOMER, "line_is_not_repeated": REPEATED}
    for_both = 43
    assert counts.rows_in == LINES
    assert counts.rows_quarantined == WITHOUT_CUSTOMER + REPEATED - for_both
    assert counts.rows_inserted == LINES - counts.rows_quarantined
    assert query("select count(*) from raw.order_lines") == [(counts.rows_inserted,)]
    assert query("select count(*) from quarantine.order_lines") == [(counts.rows_quarantined,)]


def test_olist_breaks_nothing_but_one_order_without_a_payment_and_the_complaint_about_it(
    warehouse, test_data, tmp_path, query
):
    settings = configured("olist", test_data, tmp_path)
    for feed in chosen_feeds(settings, ()):
        load_feed(settings, feed, date(2018, 10, 17))
    assert failed(query, "orders") == {"amount_is_filled": 1}
    assert failed(query, "complaints") == {"order_id_refers_to_orders": 1}
    assert query(
        "select count(*) from raw.complaints as complaint inner join quarantine.orders as waiting"
        " on complaint.order_id = waiting.typed_values ->> 'order_id'"
    ) == [(1,)]


def test_the_restaurant_breaks_nothing_but_one_dish_ordered_twice(warehouse, test_data, tmp_path, query):
    file = tmp_path / "winback.yml"
    folder = test_data / "restaurant"
    said = CliRunner().invoke(main, ["init", str(folder), "--config", str(file), "--policy", "restaurant"])
    assert said.exit_code == 0, said.output
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    codes = {"0": "voided", "1": "settled", "2": "voided"}
    config["feeds"]["orders"]["sources"][0]["columns"]["status"]["codes"] = codes
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    settings = load_settings(file)
    for feed in chosen_feeds(settings, ()):
        load_feed(settings, feed, date(2016, 8, 31))
    assert failed(query, "orders") == {}
    assert failed(query, "order_lines") == {"line_is_not_repeated": 1}


def test_the_demo_breaks_nothing_but_the_four_rows_that_are_wrong_on_purpose(
    warehouse, new_database, monkeypatch, tmp_path, query
):
    monkeypatch.setenv("WINBACK_CONN_DEMO_ERP", new_database())
    settings = demo_settings(tmp_path)
    fill_sources(settings)
    read_returned(settings)
    for feed in chosen_feeds(settings, ()):
        load_feed(settings, feed, date(2017, 12, 31))
    assert query("select count(*) from raw.orders") == [(155_848,)]
    assert failed(query, "orders") == {}
    assert failed(query, "complaints") == {
        "complaint_id_is_filled": 1,
        "opened_at_is_readable": 1,
        "satisfaction_is_from_1_to_5": 1,
        "status_is_known": 1,
        "customer_id_is_filled": 4,
    }
    rows = query(
        "select feed, sum(rows_failed) from ops.check_results where level = 'row'"
        " and feed not in ('orders', 'complaints') group by feed order by feed"
    )
    without_fault = dict.fromkeys(settings.feeds.keys() - {"orders", "complaints"}, 0)
    assert dict(rows) == without_fault | {"order_lines": 4_898}
    assert failed(query, "order_lines") == {"quantity_is_not_zero": 4_898}  # as they were sold, a warning


def demo_settings(folder: Path) -> Settings:
    """Read the shipped configuration, with the desk's folder moved."""
    file = folder / "winback.yml"
    text = (paths.ROOT / "winback.yml").read_text(encoding="utf-8")
    file.write_text(text.replace(".winback/demo/complaints", str(folder / "desk")), encoding="utf-8")
    return load_settings(file)
