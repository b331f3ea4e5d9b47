"""What a header means: the same word in any spelling, the surest pair first."""

import pytest

from winback.feeds import FEEDS
from winback.onboarding.words import (
    Sureness,
    feed_scores,
    match_headers,
    normalised,
    status_meaning,
    vocabulary,
)


@pytest.mark.parametrize(
    "header", ["order_no", "OrderNo", "ORDER NO.", "Order-No", " order no", "ｏｒｄｅｒ＿ｎｏ"]
)
def test_one_header_in_any_spelling_is_one_word(header):
    assert normalised(header) == "orderno"


def test_a_bracketed_unit_is_no_part_of_a_header_unless_it_is_all_there_is():
    assert normalised("实付金额（元）") == "实付金额"
    assert normalised("(no)") == "no"


@pytest.mark.parametrize(
    ("feed", "header", "canonical", "sureness"),
    [
        ("orders", "订单编号", "order_id", Sureness.CERTAIN),
        ("orders", "InvoiceNo", "order_id", Sureness.CERTAIN),
        ("orders", "小票号", "order_id", Sureness.CERTAIN),
        ("orders", "单号", "order_id", Sureness.LIKELY),
        ("orders", "下单时间", "ordered_at", Sureness.CERTAIN),
        ("orders", "use_start_time", "ordered_at", Sureness.LIKELY),
        ("orders", "实付金额", "amount", Sureness.CERTAIN),
        ("orders", "应付金额", "amount", Sureness.UNSURE),
        ("orders", "客户编号", "customer_id", Sureness.CERTAIN),
        ("orders", "emp_id", "customer_id", Sureness.UNSURE),
        ("orders", "订单状态", "status", Sureness.CERTAIN),
        ("complaints", "投诉编号", "complaint_id", Sureness.CERTAIN),
        ("complaints", "投诉时间", "opened_at", Sureness.CERTAIN),
        ("complaints", "受理时间", "opened_at", Sureness.CERTAIN),
        ("complaints", "首次响应时间", "first_response_at", Sureness.CERTAIN),
        ("complaints", "结案时间", "resolved_at", Sureness.CERTAIN),
        ("customers", "手机", "phone", Sureness.CERTAIN),
        ("customers", "业务员", "account_manager_id", Sureness.CERTAIN),
        ("customers", "do_not_contact", "do_not_contact", Sureness.CERTAIN),
    ],
)
def test_a_header_means_a_column(feed, header, canonical, sureness):
    match = match_headers(feed, [header])
    assert list(match) == [canonical]
    assert (match[canonical].header, match[canonical].sureness) == (header, sureness)


def test_the_surer_header_is_taken_and_the_others_are_named():
    match = match_headers("orders", ["日期", "应付金额", "下单时间", "实付金额"])
    assert match["amount"].header == "实付金额"
    assert match["amount"].others == ("应付金额",)
    assert match["ordered_at"].others == ("日期",)


def test_one_header_serves_one_column():
    match = match_headers("account_managers", ["工号", "客户经理"])
    assert {name: found.header for name, found in match.items()} == {
        "account_manager_id": "工号",
        "name": "客户经理",
    }


@pytest.mark.parametrize(
    ("name", "headers", "feed"),
    [
        ("online_retail.csv", ["InvoiceNo", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"], "orders"),
        ("export.csv", ["客户编号", "订单号", "下单时间", "实付金额"], "orders"),
        ("export.csv", ["客户编号", "投诉编号", "投诉时间", "投诉类型", "处理状态"], "complaints"),
        ("export.csv", ["客户编号", "客户名称", "手机", "邮箱"], "customers"),
        ("order_items.csv", ["order_id", "order_item_id", "product_id", "price"], "order_lines"),
        ("会员.csv", ["编号", "姓名", "电话"], "customers"),
    ],
)
def test_a_feed_is_known_by_its_columns_and_its_name(name, headers, feed):
    assert next(iter(feed_scores(name, headers))) == feed


def test_a_word_of_another_language_within_a_name_does_not_count():
    headers = ["id", "name"]
    with_word, within_word = (feed_scores(name, headers)["regions"] for name in ("area.csv", "bareast.csv"))
    assert with_word > within_word


@pytest.mark.parametrize(
    ("feed", "status", "meant"),
    [
        ("orders", "订单已完结", "已完成"),
        ("orders", "未完成", "待付款"),
        ("orders", "客户取消", "已取消"),
        ("complaints", "未解决待跟进", "未解决"),
        ("orders", "1", None),
    ],
)
def test_a_status_is_understood_where_its_meaning_is_plain(feed, status, meant):
    assert status_meaning(feed, status) == meant


def test_every_word_stands_for_a_column_that_there_is():
    feeds = vocabulary()["feeds"]
    assert set(feeds) == set(FEEDS)
    for name, part in feeds.items():
        feed = FEEDS[name]
        assert set(part["columns"]) <= set(feed.column_names)
        assert set(feed.required) <= set(part["columns"])
        assert set(part["typical"]) <= set(feed.column_names)
        headers = [
            header for grades in part["columns"].values() for word in grades.values() for header in word
        ]
        assert headers
        assert all(isinstance(header, str) for header in headers)  # `no` without quotes is a boolean
