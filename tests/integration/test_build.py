"""Building: as of the day that every awaited feed reached; a failure publishes nothing and says why."""

import psycopg
import pytest

from tests.company import DAY, days_after
from tests.some_marts import build_marts
from tests.sources import give_customers, set_customers
from winback.build import build_warehouse, reached_day, stale_feeds
from winback.errors import WinbackError
from winback.load import load_feed
from winback.project import run_dbt
from winback.warehouse.schema import ensure_schema

pytestmark = pytest.mark.usefixtures("quick_checks")


def test_a_build_before_any_load_says_what_to_load(company):
    with pytest.raises(WinbackError, match=r"nothing to build(?s:.*)winback load .* --day"):
        build_warehouse(company.settings, DAY)


def test_a_build_reaches_as_far_as_the_slowest_awaited_feed(company, warehouse):
    load_feed(company.settings, "orders", days_after(2))
    load_feed(company.settings, "complaints", days_after(1))
    with psycopg.connect(warehouse) as connection:
        assert reached_day(connection, company.settings) == days_after(1)
        assert stale_feeds(connection, company.settings, days_after(1)) == ("complaints",)


def test_a_build_publishes_never_goes_back_and_when_it_fails_leaves_the_published_marts_alone(
    company, warehouse, query
):
    company.sell(
        ("A1", "2026-03-02 10:00", 5, "C1", "2026-03-02 10:00"),
        ("A2", "2026-03-03 00:30", 7, "C2", "2026-03-03 00:30"),
    )
    for day in (DAY, days_after(1), days_after(2)):
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

    published = "select days_since_last_order from marts.dim_customer where customer_id = 'C1'"
    assert query(published) == [(1,)]
    # No roll-up survives a region below itself: a data test of the marts finds it, at the very end.
    with psycopg.connect(warehouse) as connection:
        connection.execute(
            "insert into raw.regions"
            " (source_id, region_id, parent_region_id, business_day, load_batch_id, loaded_at)"
            " values ('erp', 'A', 'B', %(day)s, 1, now()), ('erp', 'B', 'A', %(day)s, 1, now())",
            {"day": DAY},
        )
    with pytest.raises(WinbackError, match=r"(?s)nothing was published.*regions?"):
        build_warehouse(company.settings, days_after(2))
    assert query(published) == [(1,)]
    assert query("select status from ops.builds order by build_id") == [("published",), ("failed",)]
    with psycopg.connect(warehouse) as connection:
        connection.execute("delete from raw.regions")
    build_warehouse(company.settings, days_after(2))
    assert query(published) == [(2,)]
    copies = query("select nspname from pg_namespace where nspname like 'marts%' order by 1")
    assert copies == [("marts",), ("marts_standby",)]


def test_a_customer_counts_where_they_were_and_who_was_deleted_has_no_manager_any_more(company, query):
    give_customers(company)
    company.sell(
        ("A1", "2026-02-25 10:00", 5, "C1", "2026-02-25 10:00"),
        ("A2", "2026-02-25 10:00", 7, "C2", "2026-02-25 10:00"),
    )
    set_customers(company, ("C1", "Li", "M"), ("C2", "Wu", "M"))
    load_feed(company.settings, "customers", days_after(-1))
    set_customers(company, ("C1", "Li", "N"))  # and C2 is gone
    for feed in ("orders", "complaints", "customers"):
        load_feed(company.settings, feed, days_after(1))
    build_marts(company.settings, days_after(1), "customer_weeks", "dim_customer")
    assert query(
        "select customer_key, week_starts_on, start_account_manager_key, account_manager_key"
        " from marts.customer_weeks order by 1, 2"
    ) == [
        ("erp:C1", days_after(-7), "erp:M", "erp:M"),
        ("erp:C1", DAY, "erp:M", "erp:N"),
        ("erp:C2", days_after(-7), "erp:M", "erp:M"),
        ("erp:C2", DAY, "erp:M", "-1"),
    ]
    present = "select customer_key, account_manager_key from marts.dim_customer where customer_key <> '-1'"
    assert sorted(query(present)) == [("erp:C1", "erp:N"), ("erp:C2", "-1")]


def test_every_model_stands_on_an_empty_warehouse_and_every_unit_test_holds(company, warehouse):
    """A build by hand runs the unit tests beside the models too, which the DAG leaves out."""
    with psycopg.connect(warehouse, autocommit=True) as connection:
        ensure_schema(connection)
    run_dbt(company.settings, DAY, "build")
