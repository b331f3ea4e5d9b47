"""Two public data sets, loaded through the same path as anyone's files, with the figures they must give."""

from datetime import date
from decimal import Decimal
from pathlib import Path

from winback.build import build_warehouse
from winback.config import Settings, load_settings
from winback.load import load_feed


def configured(name: str, test_data: Path, tmp_path: Path) -> Settings:
    """Read a configuration from tests/data, with the folder of the real data filled in."""
    text = (Path(__file__).parents[1] / "data" / f"{name}.yml").read_text(encoding="utf-8")
    file = tmp_path / "winback.yml"
    file.write_text(text.replace("TEST_DATA", str(test_data)), encoding="utf-8")
    return load_settings(file)


def test_online_retail_arrives_to_the_penny_and_models_find_buyers_returners_and_leavers(
    warehouse, test_data, tmp_path, query
):
    online_retail = configured("online_retail", test_data, tmp_path)
    load_feed(online_retail, "orders", date(2011, 12, 9))
    assert query("select count(*), round(sum(amount), 2) from raw.orders") == [
        (25_900, Decimal("9747747.93"))
    ]
    assert query("select count(*) from raw.orders where document_type = 'return'") == [(3_836,)]
    assert query("select round(sum(amount), 2) from raw.orders where customer_id is not null") == [
        (Decimal("8300065.81"),)
    ]
    assert query("select count(*) from quarantine.orders") == [(0,)]

    result = build_warehouse(online_retail, date(2011, 12, 9))
    assert result.as_of_date == date(2011, 12, 9)
    by_class = query(
        "select order_class, round(sum(amount), 2), count(distinct customer_key) from marts.fct_orders"
        " where customer_key <> '-1' group by order_class order by order_class"
    )
    assert by_class == [
        ("return", Decimal("-611342.09"), 1_589),
        ("sale", Decimal("8911407.90"), 4_339),
    ]
    assert query(
        "select count(*) from (select customer_key from marts.fct_orders where customer_key <> '-1'"
        " group by customer_key having count(distinct order_class) = 2) as both_kinds"
    ) == [(1_556,)]
    assert query(
        "select count(*) from marts.dim_customer where customer_key <> '-1' and last_order_on < '2011-09-10'"
    ) == [(1_449,)]
    assert query("select round(sum(amount), 2) from marts.fct_orders") == [(Decimal("9747747.93"),)]
    # Who only ever returned goods has no order, and is a prospect.
    assert query("select count(*) from marts.dim_customer where stage = 'prospect'") == [(1_589 - 1_556,)]


def test_olist_arrives_whole_and_models_leave_out_what_was_cancelled(warehouse, test_data, tmp_path, query):
    olist = configured("olist", test_data, tmp_path)
    for feed in olist.feeds:
        load_feed(olist, feed, date(2018, 10, 17))
    assert query("select count(*), sum(amount) from raw.orders") == [(14_999, Decimal("2397904.56"))]
    assert query("select reasons from quarantine.orders") == [(["amount_is_filled"],)]
    assert query("select count(*), count(distinct order_id) from raw.complaints")[0][0] == 2_179
    assert query(
        "select count(distinct customer_id) from"
        " (select customer_id from raw.orders union all"
        " select typed_values ->> 'customer_id' from quarantine.orders) as every_row"
    ) == [(14_904,)]

    build_warehouse(olist, date(2018, 10, 17))
    assert query("select count(*), count(distinct customer_key), sum(amount) from marts.fct_orders") == [
        (14_797, 14_704, Decimal("2355828.27"))
    ]
    assert query(
        "select count(*) from"
        " (select customer_key from marts.fct_orders group by 1 having count(*) > 1) as repeat_buyers"
    ) == [(91,)]
    assert query("select count(*) from marts.fct_complaints") == [(2_179,)]
