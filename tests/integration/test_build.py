"""Building: as of the day that every awaited feed reached; a failure publishes nothing and names its cause."""

import psycopg
import pytest

from tests.company import DAY, days_after
from winback.build import build_warehouse, reached_day, run_dbt, stale_feeds
from winback.errors import WinbackError
from winback.load import load_feed
from winback.warehouse.schema import ensure_schema


def test_a_build_before_any_load_says_what_to_load(company):
    with pytest.raises(WinbackError, match="nothing to build(?s:.*)winback load .* --day"):
        build_warehouse(company.settings, DAY)


def test_a_build_reaches_as_far_as_the_slowest_awaited_feed(company, warehouse):
    load_feed(company.settings, "orders", days_after(2))
    load_feed(company.settings, "complaints", days_after(1))
    with psycopg.connect(warehouse) as connection:
        assert reached_day(connection, company.settings) == days_after(1)
        assert stale_feeds(connection, company.settings, days_after(1)) == ("complaints",)


def test_a_build_publishes_and_never_goes_back(company, query):
    company.sell(
        ("A1", "2026-03-02 10:00", 5, "C1", "2026-03-02 10:00"),
        ("A2", "2026-03-03 00:30", 7, "C2", "2026-03-03 00:30"),
    )
    for day in (DAY, days_after(1)):
        load_feed(company.settings, "orders", day)
        load_feed(company.settings, "complaints", day)
    first = build_warehouse(company.settings, days_after(1))
    assert (first.as_of_date, first.outcome, first.stale_feeds) == (
        days_after(1),
        "published",
        ("complaints",),
    )
    assert query("select ordered_on, amount from marts.fct_orders order by 1") == [
        (DAY, 5),
        (days_after(1), 7),
    ]
    again = build_warehouse(company.settings, DAY)
    assert (again.as_of_date, again.outcome) == (days_after(1), "kept")
    assert query("select count(*) from ops.builds") == [(1,)]


def test_a_failed_model_is_named_and_nothing_counts_as_published(company, warehouse, query):
    company.sell(("A1", "2026-03-02 10:00", 5, "C1", "2026-03-02 10:00"))
    load_feed(company.settings, "orders", DAY)
    load_feed(company.settings, "complaints", DAY)
    with psycopg.connect(warehouse) as connection:
        connection.execute("alter table raw.orders rename column store_id to shop_id")
    with pytest.raises(
        WinbackError,
        match=r"(?s)dbt failed.*stg_orders.*nothing was published|nothing was published.*stg_orders",
    ):
        build_warehouse(company.settings, DAY)
    assert query("select status from ops.builds") == [("failed",)]


def test_every_model_stands_on_an_empty_warehouse_and_every_unit_test_holds(company, warehouse):
    """A build by hand runs the unit tests beside the models too, which the DAG leaves out."""
    with psycopg.connect(warehouse, autocommit=True) as connection:
        ensure_schema(connection)
    run_dbt(company.settings, DAY, "build")
