"""Customers and account managers keep what they were; the newest version is the row itself."""

from datetime import date

import pytest

from tests.company import DAY, days_after
from tests.sources import give_customers, give_source, set_customers
from winback.load import load_feed

pytestmark = pytest.mark.usefixtures("quick_checks")

FOREVER = "-infinity"


def versions(query) -> list[tuple]:
    return query(
        "select customer_id, valid_from::text, name, account_manager_id, deleted_on"
        " from raw.customers_versions order by customer_id, valid_from"
    )


@pytest.fixture
def customers(company, query):
    """Return a function that loads these customers on a day and checks the versions against the rows."""
    give_customers(company, deletes={"missing_keys": True, "at_most": 1})

    def load(day: date, *rows: tuple[str, str, str]):
        set_customers(company, *rows)
        result = load_feed(company.settings, "customers", day)
        newest = query(
            "select distinct on (customer_id)"
            " customer_id, name, account_manager_id, deleted_on, load_batch_id"
            " from raw.customers_versions order by customer_id, valid_from desc"
        )
        assert newest == query(
            "select customer_id, name, account_manager_id, deleted_on, load_batch_id from raw.customers"
            " order by customer_id"
        )
        return result.counts

    return load


def test_the_first_version_holds_from_the_beginning_and_later_ones_from_their_day(customers, query):
    customers(DAY, ("C1", "Li", "M"))
    customers(days_after(2), ("C1", "Li", "N"))
    customers(days_after(5), ("C1", "Li Na", "N"))
    assert versions(query) == [
        ("C1", FOREVER, "Li", "M", None),
        ("C1", "2026-03-04", "Li", "N", None),
        ("C1", "2026-03-07", "Li Na", "N", None),
    ]


def test_an_unchanged_row_makes_no_version(customers, query):
    customers(DAY, ("C1", "Li", "M"), ("C2", "Wu", "M"))
    before = query("select xmin::text, customer_id from raw.customers_versions order by customer_id")
    customers(days_after(1), ("C1", "Li", "M"), ("C2", "Wu", "M"))
    assert query("select xmin::text, customer_id from raw.customers_versions order by customer_id") == before


def test_a_change_on_the_first_day_corrects_the_first_version(customers, query):
    customers(DAY, ("C1", "Li", "M"))
    customers(DAY, ("C1", "Li Na", "M"))
    assert versions(query) == [("C1", FOREVER, "Li Na", "M", None)]


def test_a_second_change_on_a_day_corrects_that_days_version(customers, query):
    customers(DAY, ("C1", "Li", "M"))
    customers(days_after(1), ("C1", "Li", "N"))
    customers(days_after(1), ("C1", "Li", "O"))
    assert versions(query) == [("C1", FOREVER, "Li", "M", None), ("C1", "2026-03-03", "Li", "O", None)]


def test_a_change_that_is_taken_back_is_a_version_of_its_own(customers, query):
    customers(DAY, ("C1", "Li", "M"))
    customers(days_after(1), ("C1", "Li", "N"))
    customers(days_after(2), ("C1", "Li", "M"))
    assert [row[1:4] for row in versions(query)] == [
        (FOREVER, "Li", "M"),
        ("2026-03-03", "Li", "N"),
        ("2026-03-04", "Li", "M"),
    ]


def test_a_deletion_and_a_return_are_versions(customers, query):
    customers(DAY, ("C1", "Li", "M"), ("C2", "Wu", "M"))
    assert customers(days_after(1), ("C2", "Wu", "M")).rows_deleted == 1
    customers(days_after(4), ("C1", "Li", "M"), ("C2", "Wu", "M"))
    assert versions(query) == [
        ("C1", FOREVER, "Li", "M", None),
        ("C1", "2026-03-03", "Li", "M", days_after(1)),
        ("C1", "2026-03-06", "Li", "M", None),
        ("C2", FOREVER, "Wu", "M", None),
    ]


def test_a_row_that_goes_and_comes_back_on_one_day_has_one_version_of_that_day(customers, query):
    customers(DAY, ("C1", "Li", "M"), ("C2", "Wu", "M"))
    customers(days_after(1), ("C2", "Wu", "M"))
    customers(days_after(1), ("C1", "Li", "M"), ("C2", "Wu", "M"))
    assert versions(query)[:2] == [
        ("C1", FOREVER, "Li", "M", None),
        ("C1", "2026-03-03", "Li", "M", None),
    ]


def test_an_older_day_that_is_loaded_again_does_not_date_todays_state_back(customers, query):
    customers(DAY, ("C1", "Li", "M"))
    customers(days_after(5), ("C1", "Li", "N"))
    customers(days_after(3), ("C1", "Li", "O"))
    assert versions(query) == [("C1", FOREVER, "Li", "M", None), ("C1", "2026-03-07", "Li", "O", None)]


def test_of_account_managers_versions_are_kept_too(company, query):
    give_source(
        company,
        "account_managers",
        source="desk",
        files="managers_%Y-%m-%d.csv",
        columns={"account_manager_id": "id", "name": "name", "left_on": "left"},
    )
    for number, left in enumerate(("", "2026-03-03")):
        file = company.folder / f"managers_{days_after(number)}.csv"
        file.write_text(f"id,name,left\nM1,Zhao,{left}\n", encoding="utf-8")
        load_feed(company.settings, "account_managers", days_after(number))
    assert query(
        "select valid_from::text, left_on from raw.account_managers_versions order by valid_from"
    ) == [(FOREVER, None), ("2026-03-03", days_after(1))]


def test_orders_keep_no_versions(company, query):
    company.sell(("A1", "2026-03-02 10:00", 5, "C1", "2026-03-02 10:00"))
    load_feed(company.settings, "orders", DAY)
    assert query("select to_regclass('raw.orders_versions')::text") == [(None,)]
