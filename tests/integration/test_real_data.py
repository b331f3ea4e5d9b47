"""Two public data sets, loaded through the same path as anyone's files, with the figures they must give."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

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

    day = build_warehouse(olist, date(2018, 10, 17)).as_of_date
    assert query("select count(*), count(distinct customer_key), sum(amount) from marts.fct_orders") == [
        (14_797, 14_704, Decimal("2355828.27"))
    ]
    assert query(
        "select count(*) from"
        " (select customer_key from marts.fct_orders group by 1 having count(*) > 1) as repeat_buyers"
    ) == [(91,)]
    assert query("select count(*) from marts.fct_complaints") == [(2_179,)]
    # Late delivery shows as a cause: of late orders, more have a complaint than of the others.
    late, on_time = query(
        "select kind, cause_key, orders, complaints, risk_ratio, risk_ratio_low, risk_ratio_high"
        " from marts.complaint_causes where kind = 'delivery' order by cause_key"
    )
    punctual = query(
        "select coalesce(delivered_on, 'infinity'::date) > promised_on, count(*),"
        " count(*) filter (where has_complaint)"
        " from (select (ordered_at at time zone 'America/Sao_Paulo')::date as ordered_on,"
        " (promised_at at time zone 'America/Sao_Paulo')::date as promised_on,"
        " (delivered_at at time zone 'America/Sao_Paulo')::date as delivered_on,"
        " exists (select 1 from raw.complaints where complaints.order_id = orders.order_id"
        f" and (opened_at at time zone 'America/Sao_Paulo')::date <= '{day}') as has_complaint"
        " from raw.orders where status not in ('canceled', 'unavailable')) as orders"
        f" where ordered_on > date '{day}' - interval '12 months' and ordered_on <= '{day}'"
        f" and (delivered_on <= '{day}' or promised_on < '{day}')"
        " group by 1 order by 1"
    )
    (_, orders_on_time, hits_on_time), (_, orders_late, hits_late) = punctual
    assert (late[1:3], on_time[1:3]) == (("late", orders_late), ("on_time", orders_on_time))
    risk_ratio = (hits_late / orders_late) / (hits_on_time / orders_on_time)
    assert float(late[4]) == pytest.approx(risk_ratio)
    assert 6 < late[5] < late[4] < late[6] < 7.5
