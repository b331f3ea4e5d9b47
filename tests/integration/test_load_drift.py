"""A source whose columns change: noted or refused, by name, and nothing is loaded on a refusal."""

import pytest

from tests.company import DAY, days_after
from tests.sources import change_source, run_in_erp
from winback.errors import WinbackError
from winback.load import load_feed
from winback.load.commit import BatchCounts

pytestmark = pytest.mark.usefixtures("quick_checks")


@pytest.fixture
def loaded(company):
    """Return the company after a first load, with one more order waiting at the source."""
    company.sell(("A1", "2026-03-02 10:00", 5, "C1", "2026-03-02 10:00"))
    assert load_feed(company.settings, "orders", DAY).notes == ()
    company.sell(("A2", "2026-03-03 10:00", 6, "C1", "2026-03-03 10:00"))
    return company


def refusal(company, query, feed="orders") -> str:
    """Load the next day, expect a refusal and that nothing came of it; return the message."""
    before = query(f"select xmin::text, * from raw.{feed}")
    watermark = query("select * from ops.watermarks")
    columns = query("select * from ops.source_columns order by 1, 2, 3")
    with pytest.raises(WinbackError) as caught:
        load_feed(company.settings, feed, days_after(1))
    assert query(f"select xmin::text, * from raw.{feed}") == before
    assert query("select * from ops.watermarks") == watermark
    assert query("select * from ops.source_columns order by 1, 2, 3") == columns
    assert query("select count(*) from ops.feed_days where business_day > '2026-03-02'") == [(0,)]
    assert "What to do:" in str(caught.value)
    return str(caught.value)


def test_a_new_column_is_noted_once_by_name(loaded, query):
    run_in_erp(loaded, "alter table orders add coupon text, add till integer")
    result = load_feed(loaded.settings, "orders", days_after(1))
    assert result.notes == ("new columns: coupon, till",)
    assert result.as_dict()["notes"] == ["new columns: coupon, till"]
    assert result.counts.rows_inserted == 1
    assert load_feed(loaded.settings, "orders", days_after(2)).notes == ()


def test_a_new_column_can_be_refused(loaded, query):
    run_in_erp(loaded, "alter table orders add coupon text")
    change_source(loaded, "orders", drift={"column_new": "refuse"})
    assert "new columns: coupon" in refusal(loaded, query)


def test_a_mapped_column_of_another_type_is_refused_with_both_types(loaded, query):
    run_in_erp(loaded, "alter table orders alter amount type text")
    message = refusal(loaded, query)
    assert "types changed: amount (numeric → text)" in message
    assert "type_changed" in message
    run_in_erp(loaded, "alter table orders alter amount type numeric using amount::numeric")
    assert load_feed(loaded.settings, "orders", days_after(1)).counts.rows_inserted == 1


def test_a_changed_type_can_be_accepted_and_is_known_from_then_on(loaded, query):
    run_in_erp(loaded, "alter table orders alter amount type text")
    change_source(loaded, "orders", drift={"type_changed": "accept"})
    assert load_feed(loaded.settings, "orders", days_after(1)).notes == (
        "types changed: amount (numeric → text)",
    )
    assert query("select order_id, amount from raw.orders order by 1") == [("A1", 5), ("A2", 6)]
    assert load_feed(loaded.settings, "orders", days_after(2)).notes == ()


def test_another_type_of_a_column_that_nothing_reads_is_nobodys_business(loaded):
    run_in_erp(loaded, "alter table orders add coupon text")
    load_feed(loaded.settings, "orders", days_after(1))
    run_in_erp(loaded, "alter table orders alter coupon type integer using 1")
    assert load_feed(loaded.settings, "orders", days_after(2)).notes == ()


def test_a_mapped_column_that_is_gone_is_refused_by_name(loaded, query):
    run_in_erp(loaded, "alter table orders rename customer to buyer")
    message = refusal(loaded, query)
    assert "'customer'" in message
    assert "buyer" in message


def test_a_mapped_column_may_go_where_that_is_accepted(loaded, query):
    run_in_erp(loaded, "alter table orders drop customer")
    change_source(loaded, "orders", drift={"column_gone": "accept"}, lookback="0 seconds")
    result = load_feed(loaded.settings, "orders", days_after(1))
    assert result.notes == ("columns gone: customer",)
    assert query("select customer_id from raw.orders where order_id = 'A2'") == [(None,)]


def test_a_required_column_may_never_go(loaded, query):
    run_in_erp(loaded, "alter table orders drop amount")
    change_source(loaded, "orders", drift={"column_gone": "accept"})
    assert "'amount'" in refusal(loaded, query)


def test_a_column_that_nothing_reads_may_go_and_that_is_noted(company):
    run_in_erp(company, "alter table orders add coupon text")
    load_feed(company.settings, "orders", DAY)
    run_in_erp(company, "alter table orders drop coupon")
    assert load_feed(company.settings, "orders", days_after(1)).notes == ("columns gone: coupon",)


def test_files_drift_by_their_headers(company, query):
    company.complain(DAY, "T1,2026-03-02 10:00,C1,已结案,4")
    load_feed(company.settings, "complaints", DAY)
    file = company.folder / f"投诉_{days_after(1)}.csv"
    file.write_bytes(
        "编号,时间,客户,状态,满意度,渠道\nT2,2026-03-03 10:00,C1,已结案,4,电话\n".encode("gb18030")
    )
    assert load_feed(company.settings, "complaints", days_after(1)).notes == ("new columns: 渠道",)
    later = company.folder / f"投诉_{days_after(2)}.csv"
    later.write_bytes("编号,时间,客户,状态,渠道\nT3,2026-03-04 10:00,C1,已结案,电话\n".encode("gb18030"))
    with pytest.raises(WinbackError, match="满意度"):
        load_feed(company.settings, "complaints", days_after(2))
    assert query("select complaint_id from raw.complaints order by 1") == [("T1",), ("T2",)]
    change_source(company, "complaints", drift={"column_gone": "accept"})
    accepted = load_feed(company.settings, "complaints", days_after(2))
    assert accepted.notes == ("columns gone: 满意度",)
    assert accepted.counts == BatchCounts(rows_in=1, rows_inserted=1)
