"""The weekly report's queries and scopes on small hand-made marts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.unit.report import samples
from winback.demo.inbox import Inbox
from winback.errors import WinbackError
from winback.report.archive import Archive
from winback.report.definition import load_report
from winback.report.deliver import Mail, Post, SendSummary, send_report
from winback.report.period import iso_week
from winback.report.query import ReportRows, read_rows
from winback.report.scope import Recipient, Scope, with_account_managers
from winback.warehouse.schema import ensure_schema

REPORT = load_report("weekly_retention")
AS_OF = date(2017, 12, 31)
WEEK = iso_week(AS_OF)
BEFORE = date(2017, 12, 24)

MARTS = """
create schema marts;
create table marts.dim_region (
    region_key text primary key, name text, parent_region_key text, region_path text[]
);
create table marts.dim_account_manager (
    account_manager_key text primary key, name text, email text, left_on date
);
create table marts.dim_customer (
    customer_key text primary key, customer_id text, business_line text, region_key text,
    account_manager_key text, do_not_contact boolean, last_order_on date, value_tier text,
    value_12m numeric, stage text, closed_on date
);
create table marts.dim_customer_contact (customer_key text primary key, name text, phone text);
create table marts.customer_flags (
    customer_key text, rule_id text, outcome text, signal text,
    label_zh text, label_en text, evidence_zh text, evidence_en text
);
create table marts.fct_complaints (
    complaint_key text primary key, customer_key text, opened_on date, is_open boolean, resolved_on date
);
create table marts.customer_weeks (
    customer_key text, week_ends_on date, stage text,
    orders integer, revenue numeric, complaints integer, customers_churned integer,
    customers_new integer, customers_reactivated integer, customers_end integer, churn_base integer,
    churn_members integer, lost_revenue numeric, revenue_at_risk numeric
);
create table marts.feed_status (
    feed text, source_id text, last_business_day date, is_stale boolean, rows_in bigint,
    rows_waiting bigint
);

insert into marts.dim_region values
    ('-1', null, null, '{-1}'),
    ('erp:ALL', '全国', '-1', '{erp:ALL}'),
    ('erp:N', '北区', 'erp:ALL', '{erp:ALL,erp:N}'),
    ('erp:N1', '北区一店', 'erp:N', '{erp:ALL,erp:N,erp:N1}'),
    ('erp:S', '南区', 'erp:ALL', '{erp:ALL,erp:S}');
insert into marts.dim_account_manager values
    ('-1', null, null, null),
    ('erp:1', '林经理', 'lin@example.com', null),
    ('erp:2', '王经理', 'wang@example.com', '2017-12-31'),
    ('erp:3', '赵经理', 'zhao@example.com', '2018-01-01'),
    ('erp:4', '无客户', 'none@example.com', null);
insert into marts.dim_customer values
    ('-1', null, null, '-1', '-1', null, null, null, null, null, null),
    ('c:a', 'a', 'retail', 'erp:N1', 'erp:1', false, '2017-09-20', 'major', 500, 'at_risk', null),
    ('c:b', 'b', 'retail', 'erp:N', 'erp:1', null, '2017-06-30', 'vip', 900, 'churned', null),
    ('c:c', 'c', 'retail', 'erp:S', 'erp:2', false, '2017-12-30', 'small', 50, 'active', null),
    ('c:d', 'd', 'export', 'erp:S', 'erp:3', false, '2017-09-01', 'ordinary', 700, 'at_risk', null);
insert into marts.dim_customer_contact values ('c:a', '客户甲', '13800000001'), ('c:b', '客户乙', null);
insert into marts.customer_flags values
    ('c:a', 'silent', 'at_risk', 'days', '久未购买', 'No purchase', '距今 102 天', '102 days ago'),
    ('c:a', 'angry', 'watch', 'complaint', '投诉未结', 'Open complaint', '14 天', '14 days'),
    ('c:b', 'silent', 'at_risk', 'days', '久未购买', 'No purchase', '距今 184 天', '184 days ago'),
    ('c:b', 'silent_long', 'churned', 'days', '长期未购买', 'Long silence', '距今 184 天', '184 days');
insert into marts.fct_complaints values
    ('k1', 'c:a', '2017-12-18', true, null),
    ('k2', 'c:a', '2017-12-20', false, '2017-12-26'),
    ('k3', 'c:d', '2017-12-28', true, null);
insert into marts.customer_weeks values
    ('-1', '2017-12-31', null, 9, 999, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    ('c:a', '2017-12-24', 'at_risk', 0, 0, 2, 0, 0, 0, 1, 1, 0, 0, 500),
    ('c:b', '2017-12-24', 'at_risk', 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 900),
    ('c:c', '2017-12-24', 'active', 2, 20.5, 0, 0, 1, 0, 1, 0, 0, 0, 0),
    ('c:d', '2017-12-24', 'active', 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0),
    ('c:a', '2017-12-31', 'at_risk', 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 500),
    ('c:b', '2017-12-31', 'churned', 0, 0, 0, 1, 0, 0, 0, 1, 1, 900, 0),
    ('c:c', '2017-12-31', 'active', 3, 30.25, 0, 0, 0, 0, 1, 1, 0, 0, 0),
    ('c:d', '2017-12-31', 'at_risk', 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 700),
    ('c:a', '2018-01-07', 'at_risk', 0, 0, 0, 0, 0, 0, 1, 0, 0, null, 500);
insert into marts.feed_status values
    ('orders', 'erp', '2017-12-31', false, 1000, 3), ('complaints', 'desk', '2017-12-29', true, 20, 1);
"""


@pytest.fixture
def marts(warehouse: str) -> Any:
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute(MARTS)
        yield connection


def recipient(kind: Any, key: str | None = None, **changes: Any) -> Recipient:
    return samples.recipient(scope=Scope(kind, key), **changes)


def read(connection: psycopg.Connection[Any], reader: Recipient) -> ReportRows:
    rows = read_rows(connection, REPORT, reader, WEEK, AS_OF)
    assert rows is not None
    return rows


def figures(rows: ReportRows) -> dict[str, tuple[Decimal | None, Decimal | None]]:
    return {row["name"]: (row["value"], row["change"]) for row in rows.blocks["figures"]}


def called(rows: ReportRows) -> list[str]:
    return [row["customer_id"] for row in rows.blocks["call_first"]]


@pytest.mark.parametrize(
    ("kind", "key", "name", "customers"),
    [
        ("everything", None, None, 4),
        ("region", "erp:ALL", "全国", 4),
        ("region", "erp:N", "北区", 2),
        ("region", "erp:N1", "北区一店", 1),
        ("region", "erp:S", "南区", 2),
        ("business_line", "export", "export", 1),
        ("account_manager", "erp:1", "林经理", 2),
        ("account_manager", "erp:4", "无客户", 0),
    ],
)
def test_a_scope_holds_its_customers_and_never_walk_ins(
    marts: Any, kind: str, key: str | None, name: str | None, customers: int
) -> None:
    scope = read(marts, recipient(kind, key)).scope
    assert (scope.name, scope.customers) == (name, customers)


@pytest.mark.parametrize("kind", ["region", "business_line", "account_manager"])
def test_a_scope_that_does_not_exist_is_refused(marts: Any, kind: str) -> None:
    with pytest.raises(WinbackError, match=f"{kind} 'erp:X', and the warehouse has none"):
        read(marts, recipient(kind, "erp:X"))


@pytest.mark.parametrize(
    ("reader", "receives"),
    [
        (recipient("account_manager", "erp:2", address="wang@example.com"), False),
        (recipient("region", "erp:N", address="WANG@example.com"), False),  # left, whatever the scope
        (recipient("account_manager", "erp:2", address="successor@example.com"), False),
        (
            recipient("account_manager", "erp:2", address="lin@example.com"),
            True,
        ),  # a present manager steps in
        (recipient("account_manager", "erp:3", address="zhao@example.com"), True),  # leaves tomorrow
    ],
)
def test_managers_who_left_get_nothing(marts: Any, reader: Recipient, receives: bool) -> None:
    assert (read_rows(marts, REPORT, reader, WEEK, AS_OF) is not None) == receives


def test_account_managers_who_are_there_and_have_customers_are_added_once(marts: Any) -> None:
    head = recipient("everything", address="LIN@example.com")
    everyone = with_account_managers(marts, [head], "en", AS_OF)
    assert everyone == [
        head,
        Recipient("zhao@example.com", "赵经理", "en", Scope("account_manager", "erp:3")),
    ]
    assert with_account_managers(marts, [head], None, AS_OF) == [head]


def test_an_address_that_occurs_twice_is_refused(marts: Any) -> None:
    twice = [recipient("region", "erp:N"), recipient("region", "erp:S")]
    with pytest.raises(WinbackError, match="1 of 2 recipients repeat an address"):
        with_account_managers(marts, twice, None, AS_OF)


def test_figures_are_sums_over_the_scope_beside_the_week_before(marts: Any) -> None:
    everything = figures(read(marts, recipient("everything")))
    assert everything == {
        "customers_at_risk": (2, 0),
        "revenue_at_risk": (1200, -200),
        "customers_churned": (1, 1),
        "lost_revenue": (900, 900),
        "customers_end": (3, -1),
        "customers_new": (0, -1),
        "customers_reactivated": (0, 0),
        "churn_rate": (Decimal("0.25"), Decimal("0.25")),
        "orders": (3, 1),
        "revenue": (Decimal("30.25"), Decimal("9.75")),
        "complaints_opened": (1, -1),
        "complaints_open": (2, 0),  # k1, k3 against k1, k2
    }
    north = figures(read(marts, recipient("region", "erp:N")))
    assert north["customers_at_risk"] == (1, -1)
    assert north["revenue"] == (0, 0)
    assert north["complaints_open"] == (1, -1)


def test_the_churn_rate_brings_its_counts(marts: Any) -> None:
    rates = {
        row["name"]: (row["part"], row["whole"])
        for row in read(marts, recipient("everything")).blocks["figures"]
    }
    assert rates["churn_rate"] == (1, 4)
    assert rates["orders"] == (None, None)


def test_a_rate_without_a_base_is_null(marts: Any) -> None:
    marts.execute("update marts.customer_weeks set churn_base = 0, churn_members = 0, lost_revenue = null")
    rows = read(marts, recipient("everything"))
    assert figures(rows)["churn_rate"] == (None, None)
    text = samples.message("en", rows).get_body(("plain",)).get_content()
    assert "Churn rate: – (–)" in text
    assert "Lost revenue: – (–)" in text


def test_the_first_week_has_no_change(marts: Any) -> None:
    marts.execute("delete from marts.customer_weeks where week_ends_on = %s", [BEFORE])
    assert figures(read(marts, recipient("everything")))["orders"] == (3, None)


def test_a_week_that_is_not_there_has_no_figures(marts: Any) -> None:
    marts.execute("delete from marts.customer_weeks where week_ends_on = %s", [AS_OF])
    rows = read(marts, recipient("everything"))
    assert rows.blocks["figures"] == ()
    assert "There are no figures for this week yet." in str(samples.message("en", rows).get_body(("plain",)))


def test_complaints_are_left_out_where_there_are_none_to_load(marts: Any) -> None:
    marts.execute("delete from marts.feed_status where feed = 'complaints'")
    assert {"complaints_opened", "complaints_open"}.isdisjoint(figures(read(marts, recipient("everything"))))


def test_the_trend_is_the_scopes_and_ends_with_the_week(marts: Any) -> None:
    def trend(reader: Recipient) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in read(marts, reader).blocks["trend"]]

    assert trend(recipient("everything")) == [(BEFORE, 2, 0), (AS_OF, 2, 1)]
    assert trend(recipient("region", "erp:N1")) == [(BEFORE, 1, 0), (AS_OF, 1, 0)]


def test_customers_to_call_come_dearest_first_with_reason_and_evidence(marts: Any) -> None:
    first, second, third = read(marts, recipient("everything")).blocks["call_first"]
    assert (first["customer_id"], first["reason"], first["evidence"]) == ("b", "长期未购买", "距今 184 天")
    assert not first["other_reasons"]  # the milder flag on the same signal says nothing new
    assert (first["name"], first["phone"], first["region"], first["open_complaints"]) == (
        "客户乙",
        None,
        "北区",
        0,
    )
    assert (second["customer_id"], second["name"], second["reason"]) == ("d", None, None)
    assert (third["reason"], third["other_reasons"], third["open_complaints"]) == (
        "久未购买",
        ["投诉未结"],
        1,
    )
    assert {row["listed_value"] for row in (first, second, third)} == {2100}
    english = read(marts, recipient("everything", language="en")).blocks["call_first"][0]
    assert (english["reason"], english["evidence"]) == ("Long silence", "184 days")


@pytest.mark.parametrize(
    "change",
    [
        "do_not_contact = true",
        "closed_on = '2017-12-01'",
        "value_12m = 0",
        "value_12m = -5",
        "value_12m = null",
        "stage = 'closed'",
        "stage = 'active'",
        "stage = 'prospect'",
    ],
)
def test_nobody_is_listed_who_should_not_be_called(marts: Any, change: str) -> None:
    marts.execute(f"update marts.dim_customer set {change} where customer_key = 'c:a'")
    assert called(read(marts, recipient("everything"))) == ["b", "d"]


def test_an_account_that_was_closed_and_used_again_is_listed(marts: Any) -> None:
    marts.execute("update marts.dim_customer set closed_on = '2017-01-01' where customer_key = 'c:a'")
    assert called(read(marts, recipient("everything"))) == ["b", "d", "a"]


@pytest.mark.parametrize(("left_in_week", "listed"), [("2017-12-10", True), ("2017-12-03", False)])
def test_churned_customers_stay_on_the_list_for_four_weeks(
    marts: Any, left_in_week: str, listed: bool
) -> None:
    marts.execute(
        "update marts.customer_weeks set week_ends_on = %s"
        " where customer_key = 'c:b' and customers_churned = 1",
        [left_in_week],
    )
    assert ("b" in called(read(marts, recipient("everything")))) == listed


def test_at_most_twenty_are_listed_and_the_others_counted(marts: Any) -> None:
    marts.execute(
        """
        insert into marts.dim_customer
        select 'x:' || n, 'x' || n, 'retail', 'erp:S', 'erp:1', false, '2017-09-01', 'small',
            10000 - n, 'at_risk'
        from generate_series(1, 30) as n
        """
    )
    rows = read(marts, recipient("everything")).blocks["call_first"]
    assert [row["customer_id"] for row in rows] == [f"x{n}" for n in range(1, 21)]
    assert {row["candidates"] for row in rows} == {33}


def test_nobody_from_another_scope_is_in_any_block(marts: Any) -> None:
    assert called(read(marts, recipient("region", "erp:N"))) == ["b", "a"]
    assert called(read(marts, recipient("region", "erp:S"))) == ["d"]
    assert called(read(marts, recipient("account_manager", "erp:4"))) == []


def test_one_recipients_customers_are_gone_when_the_next_is_read(marts: Any) -> None:
    read(marts, recipient("everything"))
    assert marts.execute("select count(*) from scoped_customers").fetchone() == (0,)


def test_a_report_cannot_write(marts: Any) -> None:
    writing = replace(REPORT, queries=(("figures", "delete from marts.dim_customer returning customer_key"),))
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        read_rows(marts, writing, recipient("everything"), WEEK, AS_OF)


def test_the_data_box_names_late_feeds_first(marts: Any) -> None:
    feeds = read(marts, recipient("everything")).blocks["data_quality"]
    assert [(row["feed"], row["is_stale"]) for row in feeds] == [("complaints", True), ("orders", False)]


def test_from_the_marts_to_the_inbox(
    marts: Any, warehouse: str, tmp_path: Path, query: Callable[[str], list[Any]]
) -> None:
    ensure_schema(marts)
    readers = [
        recipient("region", "erp:N"),
        recipient("everything", address="head@example.com", language="en"),
        recipient("account_manager", "erp:2", address="wang@example.com"),
    ]

    def mail(reader: Recipient) -> Mail:
        rows = read_rows(marts, REPORT, reader, WEEK, AS_OF)
        make = lambda: rows and samples.message(reader.language, rows, recipient=reader)  # noqa: E731
        return Mail(reader.address, reader.address, make)

    with Inbox(tmp_path) as inbox:
        post = Post(inbox.url, Archive(tmp_path / "archive"))
        summary = send_report(marts, post, REPORT.name, WEEK.name, [mail(reader) for reader in readers])
    assert summary == SendSummary(sent=2, silent=1)
    mails = [message_from_bytes(file.read_bytes(), policy=default) for file in tmp_path.glob("*.eml")]
    texts = {str(mail["To"]).rpartition("<")[2]: mail.get_body(("plain",)).get_content() for mail in mails}
    assert "本周流失客户\u00a01\u00a0位，涉及年销售额 US$900。" in texts["lin@example.com>"]
    assert "[2 位中的 1 位]" in texts["lin@example.com>"]
    assert "d [有流失风险]" not in texts["lin@example.com>"]
    assert "Complaints from desk did not arrive in time" in texts["head@example.com>"]
    assert "2. d [At risk] $700" in texts["head@example.com>"]
    assert query("select distinct state from ops.deliveries") == [("sent",)]
