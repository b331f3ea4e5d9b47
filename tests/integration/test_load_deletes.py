"""Rows that vanish at the source: marked there, or found by their missing keys; a mass delete is refused."""

from datetime import timedelta

import pytest

from tests.company import DAY, days_after
from tests.sources import change_source, give_customers, give_source, run_in_erp, set_customers
from winback.errors import WinbackError
from winback.load import load_feed
from winback.load.commit import BatchCounts

pytestmark = pytest.mark.usefixtures("quick_checks")

MARKED = {
    "source": "erp",
    "table": "orders",
    "cursor": "updated_at",
    "columns": {"order_id": "no", "ordered_at": "at", "amount": "amount", "updated_at": "updated"},
    "deletes": {"column": "customer", "values": ["gone", "1"]},
}
CUSTOMERS_FILE = {
    "source": "desk",
    "files": "customers_%Y-%m-%d.csv",
    "columns": {"customer_id": "id", "name": "name"},
    "deletes": {"missing_keys": True, "at_most": 0.5},
}


def customers(count: int) -> list[tuple[str, str, str]]:
    return [(f"C{n}", f"name {n}", "M") for n in range(count)]


def live(query) -> list[str]:
    return [
        key for (key,) in query("select customer_id from raw.customers where deleted_on is null order by 1")
    ]


# Marked at the source


@pytest.mark.parametrize(
    ("mark", "deleted_on"),
    [("gone", DAY), (" gone ", DAY), ("1", DAY), ("going", None), ("", None), (None, None)],
)
def test_a_row_is_deleted_when_its_mark_says_so(company, query, mark, deleted_on):
    give_source(company, "orders", **MARKED)
    company.sell(("A1", "2026-03-02 10:00", 5, mark, "2026-03-02 10:00"))
    load_feed(company.settings, "orders", DAY)
    assert query("select order_id, deleted_on from raw.orders") == [("A1", deleted_on)]


def test_a_marked_row_keeps_its_values_and_comes_back_when_the_mark_goes(company, query):
    give_source(company, "orders", **MARKED)
    fates = []
    for number, mark in enumerate((None, "gone", "gone", None)):
        company.sell(("A1", "2026-03-02 10:00", 5, mark, "2026-03-02 10:00"))  # the stamp says nothing
        counts = load_feed(company.settings, "orders", days_after(number)).counts
        fates.append((counts.rows_inserted, counts.rows_updated, counts.rows_unchanged))
        deleted_on = days_after(1) if mark else None
        assert query("select amount, deleted_on from raw.orders") == [(5, deleted_on)]
    # The third load leaves the day of the deletion alone.
    assert fates == [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 1, 0)]


# Missing keys of a table that is read whole


def test_missing_rows_are_marked_and_counted_beside_the_fates_and_come_back_alive(company, query):
    give_customers(company)
    set_customers(company, *customers(10))
    load_feed(company.settings, "customers", DAY)
    set_customers(company, *customers(8))
    gone = load_feed(company.settings, "customers", days_after(1))
    assert gone.counts == BatchCounts(rows_in=8, rows_unchanged=8, rows_deleted=2)
    assert query("select customer_id, name, deleted_on from raw.customers where customer_id >= 'C8'") == [
        ("C8", "name 8", days_after(1)),
        ("C9", "name 9", days_after(1)),
    ]
    set_customers(company, *customers(9))
    back = load_feed(company.settings, "customers", days_after(2))
    assert back.counts == BatchCounts(rows_in=9, rows_updated=1, rows_unchanged=8)
    assert live(query) == [f"C{n}" for n in range(9)]


def test_the_same_rows_are_not_missed_twice(company, query):
    give_customers(company)
    set_customers(company, *customers(10))
    load_feed(company.settings, "customers", DAY)
    set_customers(company, *customers(8))
    load_feed(company.settings, "customers", days_after(1))
    before = query("select xmin::text, * from raw.customers order by customer_id")
    again = load_feed(company.settings, "customers", days_after(2))
    assert again.counts == BatchCounts(rows_in=8, rows_unchanged=8)
    assert query("select xmin::text, * from raw.customers order by customer_id") == before


@pytest.mark.parametrize(
    ("gone", "at_most", "is_refused"),  # gone: so many of so many
    [
        ((29, 100), 0.29, False),  # exactly the share; 0.29 × 100 is 28.999… in binary
        ((30, 100), 0.29, True),
        ((7, 100), 0.07, False),
        ((8, 100), 0.07, True),
        ((1, 20), 0.0, False),  # one row may always go
        ((2, 20), 0.0, True),
        ((2, 20), 0.05, True),
        ((1, 2), 0.05, False),
        ((1, 1), 0.05, True),  # but not the last one
        ((4, 4), 0.99, True),
        ((4, 4), 1.0, False),  # stated: everything may go
    ],
)
def test_more_than_the_stated_share_is_refused_with_numbers(company, query, gone, at_most, is_refused):
    missing, known = gone
    give_customers(company, deletes={"missing_keys": True, "at_most": at_most})
    set_customers(company, *customers(known))
    load_feed(company.settings, "customers", DAY)
    set_customers(company, *customers(known - missing))
    if not is_refused:
        assert load_feed(company.settings, "customers", days_after(1)).counts.rows_deleted == missing
        return
    with pytest.raises(WinbackError, match=f"{missing} of {known} live rows are gone") as caught:
        load_feed(company.settings, "customers", days_after(1))
    assert f"{at_most:.0%} that may go at once" in str(caught.value)
    assert f"winback load customers --day {days_after(1)} --accept-deletes" in str(caught.value)
    assert len(live(query)) == known


def test_an_empty_answer_deletes_and_loads_nothing(company, query):
    give_customers(company)
    set_customers(company, *customers(10))
    load_feed(company.settings, "customers", DAY)
    before = query("select xmin::text, * from raw.customers order by customer_id")
    set_customers(company)
    with pytest.raises(WinbackError, match="10 of 10 live rows are gone"):
        load_feed(company.settings, "customers", days_after(1))
    assert query("select xmin::text, * from raw.customers order by customer_id") == before
    assert query("select status, rows_deleted from ops.batches order by batch_id desc limit 1") == [
        ("failed", 0)
    ]
    assert query("select count(*) from ops.feed_days where business_day > '2026-03-02'") == [(0,)]


def test_a_refused_batch_loads_none_of_its_new_rows(company, query):
    give_customers(company)
    set_customers(company, *customers(10))
    load_feed(company.settings, "customers", DAY)
    set_customers(company, *customers(3), ("C99", "new", "M"))
    with pytest.raises(WinbackError, match="7 of 11 live rows"):
        load_feed(company.settings, "customers", days_after(1))
    assert query("select count(*) from raw.customers where customer_id = 'C99'") == [(0,)]
    assert query("select count(*) from raw.customers_versions") == [(10,)]


def test_a_mass_delete_can_be_accepted_once(company, query):
    give_customers(company)
    set_customers(company, *customers(10))
    load_feed(company.settings, "customers", DAY)
    set_customers(company)
    accepted = load_feed(company.settings, "customers", days_after(1), accepts_deletes=True)
    assert accepted.counts == BatchCounts(rows_deleted=10)
    assert live(query) == []
    assert load_feed(company.settings, "customers", days_after(2)).counts == BatchCounts()


def test_the_key_of_a_quarantined_row_is_present(company, query):
    columns = {**CUSTOMERS_FILE["columns"], "registered_on": "registered"}
    give_source(company, "customers", **{**CUSTOMERS_FILE, "columns": columns})
    for number, moment in enumerate(("2026-01-01", "someday")):
        file = company.folder / f"customers_{days_after(number)}.csv"
        file.write_text(f"id,name,registered\nC1,Li,{moment}\nC2,Wu,2026-01-01\n", encoding="utf-8")
        result = load_feed(company.settings, "customers", days_after(number))
    assert result.counts == BatchCounts(rows_in=2, rows_unchanged=1, rows_quarantined=1)
    assert query("select customer_id, registered_on::text, deleted_on from raw.customers order by 1") == [
        ("C1", "2026-01-01", None),
        ("C2", "2026-01-01", None),
    ]


def test_the_missing_keys_of_one_source_say_nothing_about_another(company, query):
    give_customers(company)
    set_customers(company, *customers(2))
    load_feed(company.settings, "customers", DAY)
    give_source(company, "customers", **CUSTOMERS_FILE)
    for number, lines in enumerate(("C8,Wu\nC9,Li\n", "C9,Li\n")):
        file = company.folder / f"customers_{days_after(number)}.csv"
        file.write_text(f"id,name\n{lines}", encoding="utf-8")
        assert load_feed(company.settings, "customers", days_after(number)).counts.rows_deleted == number
    assert query("select source_id, customer_id, deleted_on from raw.customers order by 1, 2") == [
        ("desk", "C8", days_after(1)),
        ("desk", "C9", None),
        ("erp", "C0", None),
        ("erp", "C1", None),
    ]


def test_an_older_load_does_not_delete_what_a_newer_one_brought(company, query):
    """Nothing is known of a file's day about keys that came after it."""
    give_source(company, "customers", **CUSTOMERS_FILE)
    (company.folder / f"customers_{days_after(3)}.csv").write_text("id,name\nC1,Li\nC2,Wu\n")
    load_feed(company.settings, "customers", days_after(3))
    (company.folder / f"customers_{days_after(1)}.csv").write_text("id,name\nC1,Li\n")
    assert load_feed(company.settings, "customers", days_after(3)).counts.rows_deleted == 0
    assert live(query) == ["C1", "C2"]


# Missing keys of a table with a cursor: the keys are read apart


def test_with_a_cursor_the_keys_are_read_apart(company, query):
    change_source(company, "orders", deletes={"missing_keys": True, "at_most": 0.5})
    company.sell(*((f"A{n}", "2026-03-02 10:00", n, "C1", "2026-03-02 10:00") for n in range(9)))
    company.sell(("A9", "2026-03-12 10:00", 1, "C1", "2026-03-12 10:00"))
    load_feed(company.settings, "orders", days_after(10))
    run_in_erp(company, "delete from orders where no in ('A3', 'A4')")
    result = load_feed(company.settings, "orders", days_after(10))
    # Only one row is in the window: the others are present by their keys.
    assert result.counts == BatchCounts(rows_in=1, rows_unchanged=1, rows_deleted=2)
    assert query("select order_id, deleted_on from raw.orders where deleted_on is not null order by 1") == [
        ("A3", days_after(10)),
        ("A4", days_after(10)),
    ]
    assert query("select relname from pg_class where relnamespace = 'landing'::regnamespace") == []


def test_a_key_whose_row_is_not_due_yet_is_neither_loaded_nor_missed(company, query):
    change_source(company, "orders", deletes={"missing_keys": True})
    company.sell(("A1", "2026-03-02 10:00", 1, "C1", "2026-03-02 10:00"))
    company.sell(("A2", "2026-03-03 10:00", 1, "C1", "2026-03-03 10:00"))
    assert load_feed(company.settings, "orders", DAY).counts == BatchCounts(rows_in=1, rows_inserted=1)
    assert load_feed(company.settings, "orders", DAY + timedelta(days=1)).counts.rows_deleted == 0


def test_an_older_day_that_is_loaded_again_dates_deletes_by_the_present(company, query):
    change_source(company, "orders", deletes={"missing_keys": True, "at_most": 0.5})
    company.sell(*((f"A{n}", "2026-03-02 10:00", n, "C1", "2026-03-02 10:00") for n in range(3)))
    load_feed(company.settings, "orders", days_after(5))
    run_in_erp(company, "delete from orders where no = 'A0'")
    load_feed(company.settings, "orders", DAY)
    assert query("select deleted_on from raw.orders order by order_id") == [
        (days_after(5),),
        (None,),
        (None,),
    ]


def test_without_a_word_about_deletes_nothing_is_deleted(company, query):
    give_customers(company, deletes=None)
    set_customers(company, *customers(3))
    load_feed(company.settings, "customers", DAY)
    set_customers(company)
    assert load_feed(company.settings, "customers", days_after(1)).counts == BatchCounts()
    assert live(query) == ["C0", "C1", "C2"]
