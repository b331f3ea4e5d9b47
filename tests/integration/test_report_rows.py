"""The weekly report's queries and scopes on small hand-made marts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.report_marts import create_marts
from tests.unit.report import samples
from winback.demo.inbox import Inbox
from winback.errors import WinbackError
from winback.report.archive import Archive
from winback.report.definition import load_report
from winback.report.deliver import Mail, Post, SendSummary, send_report
from winback.report.period import iso_week
from winback.report.query import ReportRows, read_rows
from winback.report.restated import note_figures
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
    value_12m numeric, stage text, closed_on date,
    is_key_customer boolean generated always as (coalesce(value_tier in ('vip', 'major'), false)) stored
);
create table marts.events (event_key text primary key, name text, started_on date, region_key text);
create table marts.churn_reasons (
    customer_key text, month date, reason_class text, sub_reason text, is_inferred boolean
);
create table marts.retention_targets (
    month date, period_ends_on date, is_complete boolean, business_line text, metric text,
        target numeric, actual numeric
);
create table marts.care_calendar (
    customer_key text, rule_id text, product_key text, due_on date, value_tier text, label_zh text,
    label_en text
);
create table marts.upgrade_candidates (
    customer_key text, business_line text, tier text, next_tier text, figure_12m numeric, missing numeric,
    growth numeric
);
create table marts.complaint_causes (
    kind text, cause_key text, product_key text, batch_no text, region_key text, channel text,
    window_days integer, is_alarm boolean
);
create table marts.dim_product (product_key text primary key, name text);
create table marts.fct_orders (order_key text primary key, channel text);
create table marts.customer_months (
    customer_key text, month date, period_ends_on date, is_complete boolean, bridge_class text,
    revenue_start numeric, revenue_end numeric, bridge_amount numeric
);
create table marts.dim_customer_contact (customer_key text primary key, name text, phone text);
create table marts.customer_flags (
    customer_key text, rule_id text, outcome text, signal text,
    label_zh text, label_en text, evidence_zh text, evidence_en text
);
create table marts.fct_complaints (
    complaint_key text primary key, customer_key text, opened_on date, is_open boolean, resolved_on date,
    complaint_id text, category text, category_word text, severity text,
        opened_at timestamptz, order_key text,
    product_key text, batch_no text, region_key text, first_response_hours numeric,
        resolution_due_hours integer,
    is_response_in_time boolean, is_resolution_in_time boolean, overdue_on date
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
insert into marts.fct_complaints (complaint_key, customer_key, opened_on, is_open, resolved_on) values
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
update marts.fct_complaints set opened_at = opened_on, category = 'Late',
    category_word = 'late', product_key = 'p:1';
update marts.fct_complaints set is_resolution_in_time = false where complaint_key in ('k1', 'k2');
update marts.fct_complaints set overdue_on = '2017-12-24' where complaint_key = 'k1';
update marts.fct_complaints set region_key = 'erp:S', order_key = 'o1',
    batch_no = 'B7' where complaint_key = 'k3';
insert into marts.events values
    ('e1', '全国促销', '2017-12-20', null), ('e2', '南区封路', '2017-12-22', 'erp:S'), ('e3', 'later',
        '2018-01-02', null);
insert into marts.churn_reasons values ('c:b', '2017-12-01', 'disappointed', 'quality', false);
insert into marts.retention_targets values
    ('2017-12-01', '2017-12-31', true, 'all', 'churn_rate', 0.02, 0.03),
    ('2017-12-01', '2017-12-31', true, 'export', 'churn_rate', 0.05, 0.01),
    ('2017-11-01', '2017-11-30', true, 'all', 'churn_rate', 0.02, 0.01);
insert into marts.upgrade_candidates values
    ('c:a', 'retail', 'ordinary', 'major', 500, 20, 0.3), ('c:d', 'export', 'small',
        'ordinary', 700, 10, 0.5);
insert into marts.dim_product values ('p:1', '牛奶');
insert into marts.fct_orders values ('o1', 'web');
insert into marts.complaint_causes values
    ('batch', 'p:1:B7', 'p:1', 'B7', null, null, 7, true), ('channel', 'web', null, null,
        null, 'web', 2, true),
    ('product', 'p:1', 'p:1', null, null, null, 14, false);
insert into marts.customer_months values
    ('c:a', '2017-12-01', '2017-12-31', true, 'lapsed', 100, 0, -100),
    ('c:c', '2017-12-01', '2017-12-31', true, 'expansion', 10, 45, 35),
    ('c:c', '2018-01-01', '2018-01-31', false, 'expansion', 45, 50, 5);
insert into marts.feed_status values
    ('orders', 'erp', '2017-12-31', false, 1000, 3), ('complaints', 'desk', '2017-12-29', true, 20, 1);
"""


@pytest.fixture
def marts(warehouse: str) -> Any:
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute(MARTS)
        create_marts(connection)  # the columns that these tests say nothing about
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
    assert [row["customer_id"] for row in rows[:30]] == [f"x{n}" for n in range(1, 31)]
    assert len(rows) == 33  # for the workbook
    assert {row["candidates"] for row in rows} == {33}
    assert {row["listed_value"] for row in rows} == {sum(10_000 - n for n in range(1, 21))}
    message = samples.message("en", read(marts, recipient("everything")))
    text = message.get_body(("plain",)).get_content()
    assert "20. x20 [At risk]" in text
    assert "x21" not in text


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


def test_complaints_past_their_time_are_the_scopes_with_owner_and_age(marts: Any) -> None:
    (overdue,) = read(marts, recipient("everything")).blocks["overdue"]  # k2 is resolved, k3 has time
    assert (overdue["customer_id"], overdue["days_open"], overdue["account_manager"]) == ("a", 13, "林经理")
    assert read(marts, recipient("region", "erp:S")).blocks["overdue"] == ()


def test_overdue_complaints_are_added_up_by_the_owners_that_a_reader_sees(marts: Any) -> None:
    marts.execute("update marts.fct_complaints set overdue_on = %s where complaint_key = 'k3'", [AS_OF])

    def owners(reader: Recipient) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in read(marts, reader).blocks["overdue_owners"]]

    assert owners(recipient("everything")) == [("林经理", 1, 13), ("赵经理", 1, 3)]
    assert owners(recipient("region", "erp:S")) == [("赵经理", 1, 3)]


def test_a_complaint_without_any_answer_is_overdue_before_its_resolution_is(marts: Any) -> None:
    marts.execute(
        "update marts.fct_complaints set is_response_in_time = false, overdue_on = %s"
        " where complaint_key = 'k3'",
        [AS_OF],
    )
    late = read(marts, recipient("region", "erp:S")).blocks["overdue"]
    assert [(row["customer_id"], row["is_unanswered"]) for row in late] == [("d", True)]
    marts.execute("update marts.fct_complaints set overdue_on = null where complaint_key = 'k3'")
    assert read(marts, recipient("region", "erp:S")).blocks["overdue"] == ()


def test_reasons_are_of_those_who_churned_lately(marts: Any) -> None:
    (reason,) = read(marts, recipient("everything")).blocks["reasons"]
    assert (reason["reason_class"], reason["is_inferred"], reason["sub_reasons"]) == (
        "disappointed",
        False,
        ["quality"],
    )
    assert (reason["customers"], reason["lost_revenue"], reason["churned"]) == (1, 900, 1)
    assert read(marts, recipient("region", "erp:S")).blocks["reasons"] == ()
    marts.execute("delete from marts.churn_reasons")
    (reason,) = read(marts, recipient("everything")).blocks["reasons"]
    assert (reason["reason_class"], reason["is_inferred"]) == ("unknown", None)


def test_care_is_for_the_scopes_customers_in_the_days_listed(marts: Any) -> None:
    assert REPORT.file.parameters["care_days_listed"] == 7
    for customer, rule, days in (("c:a", "b", 7), ("c:a", "a", 7), ("c:a", "b", 8), ("c:d", "a", 1)):
        marts.execute(
            "insert into marts.care_calendar values (%s, %s, '-1', %s, 'major', '问候', 'Greet')",
            [customer, rule, AS_OF + timedelta(days=days)],
        )
    everybody = read(marts, recipient("everything", language="zh")).blocks["care"]
    assert [(row["customer_id"], row["due_on"], row["reason"]) for row in everybody[-3:]] == [
        ("d", AS_OF + timedelta(days=1), "问候"),
        ("a", AS_OF + timedelta(days=7), "问候"),
        ("a", AS_OF + timedelta(days=7), "问候"),
    ]
    (greeted,) = read(marts, recipient("business_line", "export", language="en")).blocks["care"]
    assert (greeted["customer_id"], greeted["reason"], greeted["occasions"]) == ("d", "Greet", 1)


def test_alarms_are_those_that_the_scopes_own_complaints_are_part_of(marts: Any) -> None:
    alarms = read(marts, recipient("region", "erp:S")).blocks["alarms"]
    assert [(row["kind"], row["name"], row["complaints"]) for row in alarms] == [("batch", "牛奶", 1)]
    marts.execute("update marts.complaint_causes set window_days = 7")
    alarms = read(marts, recipient("region", "erp:S")).blocks["alarms"]
    assert [row["kind"] for row in alarms] == ["batch", "channel"]
    assert read(marts, recipient("region", "erp:N")).blocks["alarms"] == ()


def test_targets_are_shown_to_those_whose_scope_they_are_for(marts: Any) -> None:
    def lines(reader: Recipient) -> list[str]:
        return [row["business_line"] for row in read(marts, reader).blocks["targets"]]

    assert lines(recipient("everything")) == ["all", "export"]
    assert lines(recipient("business_line", "export")) == ["export"]
    assert lines(recipient("region", "erp:ALL")) == []


def test_the_bridge_adds_up_over_the_scope(marts: Any) -> None:
    def bridge(reader: Recipient) -> dict[str, Decimal]:
        return {row["name"]: row["amount"] for row in read(marts, reader).blocks["bridge"]}

    everything = bridge(recipient("everything"))
    assert everything.pop("end") == 45 == sum(everything.values())
    assert (everything["start"], everything["lapsed"], everything["expansion"]) == (110, -100, 35)
    assert bridge(recipient("region", "erp:N1"))["start"] == 100
    assert bridge(recipient("account_manager", "erp:4")) == {}


def test_events_elsewhere_are_left_out(marts: Any) -> None:
    def names(reader: Recipient) -> list[str]:
        return [row["name"] for row in read(marts, reader).blocks["events"]]

    assert names(recipient("everything")) == ["南区封路", "全国促销"]
    assert names(recipient("region", "erp:N")) == ["全国促销"]


def test_the_same_week_last_year_stands_beside_where_the_marts_keep_it(marts: Any) -> None:
    def change(name: str) -> Any:
        found = read(marts, recipient("everything")).blocks["figures"]
        return next(row["year_change"] for row in found if row["name"] == name)

    assert change("orders") is None
    marts.execute(
        "update marts.customer_weeks set week_ends_on = '2017-01-01' where week_ends_on = %s", [BEFORE]
    )
    assert change("orders") == 1  # 2017-W52 against 2016-W52


def test_a_figure_that_changed_since_it_was_sent_is_shown_old_and_new(marts: Any) -> None:
    ensure_schema(marts)
    reader = recipient("everything", language="en")
    before = read_rows(marts, REPORT, reader, iso_week(BEFORE), BEFORE)
    assert before is not None
    note_figures(marts, REPORT, reader, iso_week(BEFORE), before)
    now = {row["name"]: row for row in read(marts, reader).blocks["figures"]}
    assert now["orders"]["before_as_sent"] == now["orders"]["before"] == 2
    marts.execute(
        "update marts.customer_weeks set orders = 5 where customer_key = 'c:c' and week_ends_on = %s",
        [BEFORE],
    )
    marts.execute(
        "insert into ops.batches"
        " (feed, source_id, business_day, status, rows_in, rows_inserted, rows_updated,"
        " rows_unchanged, rows_superseded, rows_quarantined, committed_at)"
        " values ('orders', 'erp', %s, 'committed', 1, 1, 0, 0, 0, 0, clock_timestamp())",
        [BEFORE],
    )
    rows = read(marts, reader)
    text = samples.message("en", rows).get_body(("plain",)).get_content()
    assert "came in or were corrected since: Orders." in text
    assert "Orders by customers: 2 (as sent) → 5 (as of now)" in text
    assert text.count("(as sent)") == 1
    other = replace(reader, address="other@example.com")
    assert read(marts, other).blocks["figures"][0]["before_as_sent"] is None


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
