"""References between feeds: what is unknown is told, but not what only has not come yet."""

import pytest

from tests.company import DAY, days_after
from winback.load import load_feed

pytestmark = pytest.mark.usefixtures("quick_checks")


def unknown(query):
    return query(
        "select business_day, rows_failed from ops.check_results"
        " where expectation = 'order_id_refers_to_orders' and feed = 'complaints' order by 1"
    )


def with_orders(company):
    """Let complaints name the order that they are about, in the column of the status."""
    feeds = company.settings.feeds
    source = feeds["complaints"].sources[0]
    columns = {name: mapping for name, mapping in source.columns.items() if name != "status"}
    columns |= {"order_id": source.columns["status"], "order_source_id": source.columns["customer_source_id"]}
    changed = feeds["complaints"].model_copy(
        update={"sources": (source.model_copy(update={"columns": columns}),)}
    )
    return company.settings.model_copy(update={"feeds": {**feeds, "complaints": changed}})


def test_a_complaint_about_an_order_that_may_still_come_is_not_called_wrong(company, query):
    settings = with_orders(company)
    company.complain(DAY, "T1,2026-03-02 10:00,C1,A1,4")
    load_feed(settings, "complaints", DAY)  # beside the orders, none of which is there
    company.sell(("A1", "2026-03-02 10:00", 5, "C1", "2026-03-02 10:00"))
    load_feed(settings, "orders", DAY)
    company.complain(days_after(1), "T2,2026-03-03 10:00,C1,A2,4")
    load_feed(settings, "complaints", days_after(1))  # A2 is of the same day, and loaded a moment later
    assert unknown(query) == [(DAY, 0), (days_after(1), 0)]


def test_a_complaint_about_an_order_that_should_be_there_is(company, query):
    settings = with_orders(company)
    company.sell(("A1", "2026-03-02 10:00", 5, "C1", "2026-03-02 10:00"))
    load_feed(settings, "orders", DAY)
    company.complain(DAY, "T1,2026-03-02 09:00,C1,A1,4", "T2,2026-03-02 09:00,C1,A0,4")
    load_feed(settings, "complaints", DAY)
    assert unknown(query) == [(DAY, 1)]
