"""Each expectation is red once: per feed a row that breaks nothing, per rule a change that breaks it alone.

The rules are those of the suites themselves, so that a new one without an example fails.
"""

import csv
import string
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from itertools import islice
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import sql

from tests.company import DAY as COMPANY_DAY
from tests.conftest import DatabaseMaker
from tests.sources import give_source, run_in_erp
from winback import warehouse
from winback.check.landed import create_rules_view, delivered_now, find
from winback.check.rules import RowRule
from winback.check.suites import rules_for, suite_for, thresholds
from winback.config import FileSystem, Settings, load_settings
from winback.config_checks import FeedChecks
from winback.extract.files import open_file
from winback.extract.shaped import ShapedBatch
from winback.feeds import FEEDS
from winback.load import load_feed
from winback.load.landing import land
from winback.warehouse.schema import ensure_schema

DAY = date(2024, 3, 5)
ZONE = "Asia/Shanghai"
MOST_RULES = 60  # so many keys are known
FUTURE = "2199-12-31"
TOO_EARLY, TOO_LATE = "1899-12-30", "2200-01-02"

# Every column is filled, so that no rule holds for want of a value. The first column of the key is added.
GOOD: dict[str, dict[str, str]] = {
    "orders": {
        "ordered_at": "2024-03-02 09:00",
        "amount": "120.50",
        "customer_source_id": "till",
        "customer_id": "C1",
        "document_type": "order",
        "status": "completed",
        "reverses_order_id": "A1",
        "channel": "门店",
        "store_id": "S1",
        "region_id": "R1",
        "promised_at": "2024-03-05 18:00",
        "delivered_at": "2024-03-04 18:00",
        "currency": "CNY",
        "updated_at": "2024-03-04 19:00",
    },
    "order_lines": {
        "line_no": "1",
        "product_id": "P1",
        "batch_no": "B1",
        "quantity": "3",
        "unit_price": "10",
        "discount": "0.50",
        "amount": "29.50",
    },
    "complaints": {
        "opened_at": "2024-03-02 09:00",
        "customer_source_id": "till",
        "customer_id": "C1",
        "order_source_id": "till",
        "order_id": "A1",
        "product_id": "P1",
        "batch_no": "B1",
        "channel": "电话",
        "category": "商品质量",
        "severity": "一般",
        "first_response_at": "2024-03-02 10:00",
        "resolved_at": "2024-03-03 09:00",
        "reopened_count": "0",
        "status": "已结案",
        "satisfaction": "4",
        "compensation": "20",
        "updated_at": "2024-03-03 09:00",
    },
    "customers": {
        "name": "李娜",
        "kind": "Consumer",
        "business_line": "retail",
        "region_id": "R1",
        "account_manager_id": "M1",
        "registered_on": "2020-01-01",
        "gender": "女",
        "birthday": "1990-05-01",
        "birthday_calendar": "lunar",
        "phone": "１３８００１３８０００",
        "email": "na@example.com",
        "im_account": "na",
        "preferred_channel": "电话",
        "do_not_contact": "false",
        "merged_into": "C1",
        "closed_on": "2024-01-01",
        "closed_reason": "搬迁",
        "attributes": "{}",
        "updated_at": "2024-01-01 09:00",
    },
    "products": {
        "name": "Crème brûlée",
        "category": "甜点",
        "brand": "Müller",
        "unit_cost": "3.20",
        "launched_on": "2020-01-01",
        "discontinued_on": "2023-01-01",
    },
    "regions": {"name": "São Paulo", "parent_region_id": "R1"},
    "account_managers": {
        "name": "王强",
        "email": "qiang@example.com",
        "region_id": "R1",
        "reports_to": "M1",
        "left_on": "2024-01-01",
    },
    "contacts": {
        "customer_source_id": "till",
        "customer_id": "C1",
        "contacted_at": "2024-03-02 09:00",
        "account_manager_id": "M1",
        "campaign_id": "K1",
        "task_id": "T1",
        "channel": "电话",
        "outcome": "promised",
        "reason_code": "price",
        "competitor": "某某",
        "note": "下周再来",
    },
    "surveys": {
        "customer_source_id": "till",
        "customer_id": "C1",
        "asked_at": "2024-03-02 09:00",
        "score": "10",
        "expected_score": "0",
        "scale_max": "10",
        "comment": "很好",
    },
    "balances": {"customer_source_id": "till", "month": "2024-03-01", "balance": "-5"},
    "events": {
        "started_on": "2024-03-02",
        "ended_on": "2024-03-09",
        "name": "开业周年",
        "product_id": "P1",
        "batch_no": "B1",
        "region_id": "R1",
    },
    "exchange_rates": {"day": "2024-03-02", "rate": "7.1"},
}

# What breaks a rule that says more than that a column is filled, readable and of our time.
RED: dict[str, dict[str, dict[str, str]]] = {
    "orders": {
        "text_is_legible": {"channel": "é—¨åº—"},
        "status_is_known": {"status": "转王经理"},
        "document_type_is_known": {"document_type": "快照"},
        "currency_is_the_business_currency": {"currency": "USD"},
        "ordered_at_is_not_in_the_future": {"ordered_at": FUTURE, "promised_at": "", "delivered_at": ""},
        "updated_at_is_not_in_the_future": {"updated_at": FUTURE},
        "promised_at_is_plausible": {"promised_at": TOO_LATE},
        "promised_at_is_not_before_ordered_at": {"promised_at": "2024-03-02 08:59"},
        "delivered_at_is_not_before_ordered_at": {"delivered_at": "2024-03-02 08:59"},
        "delivered_at_is_not_in_the_future": {"delivered_at": FUTURE},
        "customer_id_is_filled": {"customer_id": ""},
        "customer_id_refers_to_customers": {"customer_id": "unknown"},
        "region_id_refers_to_regions": {"region_id": "unknown"},
        "reverses_order_id_refers_to_orders": {"reverses_order_id": "unknown"},
    },
    "order_lines": {
        "text_is_legible": {"batch_no": "锟斤拷"},
        "order_id_refers_to_orders": {"order_id": "unknown"},
        "order_has_a_customer": {"order_id": "walk-in"},
        "key_is_not_repeated": {"quantity": "4", "amount": "39.50"},
        "line_is_not_repeated": {"line_no": "2"},
        "product_id_is_filled": {"product_id": ""},
        "product_id_refers_to_products": {"product_id": "unknown"},
        "discount_is_readable": {"discount": "?", "amount": "30"},
        "quantity_is_not_zero": {"quantity": "0", "discount": "", "amount": "0"},
        "unit_price_is_not_negative": {"unit_price": "-10", "quantity": "-3"},
        "amount_is_quantity_times_unit_price": {"amount": "29.80"},  # 1 % of it is 0.298, the difference 0.30
    },
    "complaints": {
        "text_is_legible": {"category": "ÉÌÆ·ÖÊÁ¿"},
        "status_is_known": {"status": "转王经理"},
        "opened_at_is_not_in_the_future": {"opened_at": FUTURE, "first_response_at": "", "resolved_at": ""},
        "updated_at_is_not_in_the_future": {"updated_at": FUTURE},
        "first_response_at_is_not_before_opened_at": {"first_response_at": "2024-03-02 08:59"},
        "first_response_at_is_not_in_the_future": {"first_response_at": FUTURE},
        "resolved_at_is_not_before_opened_at": {"resolved_at": "2024-03-02 08:59"},
        "resolved_at_is_not_in_the_future": {"resolved_at": FUTURE},
        "satisfaction_is_from_1_to_5": {"satisfaction": "0.9"},
        "reopened_count_is_not_negative": {"reopened_count": "-1"},
        "compensation_is_not_negative": {"compensation": "-0.01"},
        "customer_id_is_filled": {"customer_id": ""},
        "customer_id_refers_to_customers": {"customer_source_id": "desk"},
        "order_id_refers_to_orders": {"order_id": "unknown"},
        "product_id_refers_to_products": {"product_id": "unknown"},
    },
    "customers": {
        "text_is_legible": {"name": "æŽå¨œ"},
        "business_line_is_known": {"business_line": "bank"},
        "updated_at_is_not_in_the_future": {"updated_at": FUTURE},
        "kind_is_known": {"kind": "friend"},
        "closed_reason_is_known": {"closed_reason": "不详"},
        "birthday_calendar_is_known": {"birthday_calendar": "julian"},
        "birthday_is_not_in_the_future": {"birthday": FUTURE},
        "registered_on_is_not_in_the_future": {"registered_on": FUTURE, "closed_on": ""},
        "closed_on_is_plausible": {"closed_on": TOO_LATE},
        "closed_on_is_not_before_registered_on": {"closed_on": "2019-12-31"},
        "email_looks_like_an_address": {"email": "na＠example.com"},
        "phone_has_digits": {"phone": "暂无"},
        "region_id_refers_to_regions": {"region_id": "unknown"},
        "account_manager_id_refers_to_account_managers": {"account_manager_id": "unknown"},
        "merged_into_refers_to_customers": {"merged_into": "unknown"},
    },
    "products": {
        "text_is_legible": {"name": "CrÃ¨me brÃ»lÃ©e"},
        "unit_cost_is_not_negative": {"unit_cost": "-0.01"},
        "discontinued_on_is_plausible": {"discontinued_on": TOO_LATE},
        "discontinued_on_is_not_before_launched_on": {"discontinued_on": "2019-12-31"},
    },
    "regions": {
        "text_is_legible": {"name": "S�o Paulo"},
        "parent_region_is_another_region": {"parent_region_id": "its own key"},
        "parent_region_id_refers_to_regions": {"parent_region_id": "unknown"},
    },
    "account_managers": {
        "text_is_legible": {"name": "ÍõÇ¿"},
        "email_looks_like_an_address": {"email": "qiang@example"},
        "reports_to_somebody_else": {"reports_to": "its own key"},
        "reports_to_refers_to_account_managers": {"reports_to": "unknown"},
        "region_id_refers_to_regions": {"region_id": "unknown"},
    },
    "contacts": {
        "text_is_legible": {"note": "烫烫烫烫"},
        "contacted_at_is_not_in_the_future": {"contacted_at": FUTURE},
        "customer_id_refers_to_customers": {"customer_id": "unknown"},
    },
    "surveys": {
        "text_is_legible": {"comment": "it wasnâ€™t"},
        "asked_at_is_not_in_the_future": {"asked_at": FUTURE},
        "scale_max_is_positive": {"scale_max": "0", "score": "0"},
        "score_is_on_its_scale": {"score": "10.1"},
        "expected_score_is_on_its_scale": {"expected_score": "-0.1"},
        "customer_id_refers_to_customers": {"customer_id": "unknown"},
    },
    "balances": {
        "text_is_legible": {"customer_source_id": "锟斤拷"},
        "month_is_not_in_the_future": {"month": FUTURE},
        "balance_is_filled": {"balance": ""},
        "customer_id_refers_to_customers": {"customer_id": "unknown"},
    },
    "events": {
        "text_is_legible": {"name": "ðŸŽ‰"},
        "ended_on_is_plausible": {"ended_on": TOO_LATE},
        "ended_on_is_not_before_started_on": {"ended_on": "2024-03-01"},
        "product_id_refers_to_products": {"product_id": "unknown"},
        "region_id_refers_to_regions": {"region_id": "unknown"},
    },
    "exchange_rates": {
        "text_is_legible": {"currency": "锟斤拷"},
        "currency_is_a_code": {"currency": "US$"},
        "rate_is_filled": {"rate": ""},
        "rate_is_positive": {"rate": "0"},
        "day_is_not_in_the_future": {"day": FUTURE},
    },
}

# Where no row can break one rule alone: a moment of 1899 is before everything, and nonsense is no code.
IMPLIED = {
    ("orders", "delivered_at_is_plausible"): {"delivered_at_is_not_before_ordered_at"},
    ("complaints", "first_response_at_is_plausible"): {"first_response_at_is_not_before_opened_at"},
    ("complaints", "resolved_at_is_plausible"): {"resolved_at_is_not_before_opened_at"},
    ("exchange_rates", "text_is_legible"): {"currency_is_a_code"},
}


def example(feed: str, rule: RowRule, key: str) -> list[dict[str, str]]:
    """Return the rows that show a rule red; only the last of them breaks it."""
    good = {FEEDS[feed].key[0]: key, **GOOD[feed]}
    change = RED[feed].get(rule.name) or structural_change(feed, rule)
    red = good | {name: key if value == "its own key" else value for name, value in change.items()}
    return [good, red] if rule.compares_rows else [red]


def structural_change(feed: str, rule: RowRule) -> dict[str, str]:
    """Return what breaks a rule that every feed has."""
    if rule.name == "key_is_not_repeated":
        return {}
    column, _, says = rule.name.rpartition("_is_")
    assert column in FEEDS[feed].column_names, f"{feed}: say under RED what breaks {rule.name}"
    return {column: {"filled": "", "readable": "?", "plausible": TOO_EARLY}[says]}


def implied(feed: str, rule: RowRule) -> set[str]:
    """Return which other rules a row breaks that breaks this one."""
    return IMPLIED.get((feed, rule.name), set())


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    """Configure every feed as a file with the feed's own columns."""
    folder = tmp_path_factory.mktemp("expectations")
    config = {
        "company": {"name_en": "Test", "name_zh": "测试"},
        "systems": {"till": {"connector": "files", "folder": str(folder), "time_zone": ZONE}},
        "feeds": {
            name: {
                "sources": [
                    {
                        "source": "till",
                        "files": f"{name}.csv",
                        "encoding": "utf-8",
                        "columns": {column: column for column in feed.column_names},
                    }
                ]
            }
            for name, feed in FEEDS.items()
        },
    }
    file = folder / "winback.yml"
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return load_settings(file)


@pytest.fixture(scope="module")
def connection(server, tmp_path_factory) -> Iterator[psycopg.Connection[Any]]:
    """Open a warehouse that knows what the good rows refer to."""
    maker = DatabaseMaker(server.url("postgres"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINBACK_WAREHOUSE_URL", maker())
        patch.setenv("WINBACK_STATE", str(tmp_path_factory.mktemp("state")))
        with warehouse.connect(autocommit=True) as connection:
            ensure_schema(connection)
            for source in ("till", "锟斤拷"):
                for number in range(MOST_RULES):
                    know(connection, "customers", source, key_of(number))
                    know(connection, "orders", source, key_of(number), customer_id="C1")
            for feed, key in {
                "customers": "C1",
                "orders": "A1",
                "products": "P1",
                "regions": "R1",
                "account_managers": "M1",
            }.items():
                know(connection, feed, "till", key)
            know(connection, "orders", "till", "walk-in")
            connection.execute("update raw.orders set ordered_at = now()")  # of older rows, all is known
            yield connection
    maker.drop_all()


def key_of(number: int) -> str:
    """Return the key of a case: three letters, as a currency has."""
    return "".join(string.ascii_uppercase[number // 26**place % 26] for place in (2, 1, 0))


def know(connection: psycopg.Connection[Any], feed: str, source: str, key: str, **values: str) -> None:
    """Put a row that others refer to into raw."""
    row = {"source_id": source, FEEDS[feed].key[0]: key, "business_day": DAY, "load_batch_id": 0, **values}
    if feed == "orders":
        row |= {"ordered_at": DAY, "amount": 1, "customer_source_id": source}
    connection.execute(
        sql.SQL("insert into {} ({}, loaded_at) values ({}, now())").format(
            sql.Identifier("raw", feed),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(map(sql.Literal, row.values())),
        )
    )


@pytest.fixture(scope="module")
def broken(settings, connection) -> Callable[[str], dict[str, list[set[str]]]]:
    """Return a function that checks all examples of a feed at once: by example, what its rows break."""

    @cache
    def check(feed: str) -> dict[str, list[set[str]]]:
        rules = rules_for(settings, feed)
        examples = {"nothing": [{FEEDS[feed].key[0]: key_of(0), **GOOD[feed]}]}
        for number, rule in enumerate(rules, start=1):
            examples[rule.name] = example(feed, rule, key_of(number))
        landing = f"{feed}_1"
        land(connection, FEEDS[feed], landing, batch_of(settings, feed, examples))
        find(connection, landing, rules, "till")
        view = create_rules_view(connection, landing, rules, thresholds(settings), delivered_now(DAY, 1))
        rows = connection.execute(
            sql.SQL("select {} from {} order by row_number").format(
                sql.SQL(", ").join(sql.Identifier(rule.name) for rule in rules),
                sql.Identifier("landing", view),
            )
        )
        found = iter([{r.name for r, bit in zip(rules, row, strict=True) if bit} for row in rows])
        return {name: list(islice(found, len(example))) for name, example in examples.items()}

    return check


def batch_of(settings: Settings, feed: str, examples: dict[str, list[dict[str, str]]]) -> ShapedBatch:
    """Write the rows of all examples into the feed's file, and open it as a load would."""
    (source,) = settings.feeds[feed].sources
    system = settings.systems["till"]
    assert isinstance(system, FileSystem)
    file = system.folder / f"{feed}.csv"
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, FEEDS[feed].column_names)
        writer.writeheader()
        writer.writerows(row for example in examples.values() for row in example)
    return ShapedBatch(FEEDS[feed], source, ZONE, {"rows": open_file(file, source)})


@pytest.mark.parametrize("feed", FEEDS)
def test_a_good_row_fills_every_column_and_breaks_nothing(feed, broken):
    assert {FEEDS[feed].key[0], *GOOD[feed]} == set(FEEDS[feed].column_names)
    assert broken(feed)["nothing"] == [set()]


@pytest.mark.parametrize(
    ("feed", "rule"),
    [
        pytest.param(feed, rule, id=f"{feed}-{rule.name}")
        for feed in FEEDS
        for rule in suite_for(feed).row_rules()
    ],
)
def test_an_expectation_is_red_for_the_row_that_breaks_it_alone(feed, rule, broken):
    *before, red = broken(feed)[rule.name]
    assert red == {rule.name} | implied(feed, rule)
    assert all(not names for names in before)


def test_what_is_said_of_examples_is_of_rules_that_there_are():
    for feed, reds in RED.items():
        assert set(reds) <= {rule.name for rule in suite_for(feed).row_rules()}


def test_a_region_may_come_in_one_batch_with_the_one_above_it(settings, connection):
    regions = [{"region_id": "NEW"}, {"region_id": "BELOW", "parent_region_id": "NEW"}]
    rules = rules_for(settings, "regions")
    land(connection, FEEDS["regions"], "regions_2", batch_of(settings, "regions", {"two": regions}))
    find(connection, "regions_2", rules, "till")
    assert connection.execute("select * from landing.regions_2_found").fetchall() == []


def test_a_walk_ins_line_that_waits_comes_in_when_the_order_has_a_customer(company, query):
    run_in_erp(company, "create table lines (no text, line text); insert into lines values ('A1', '1')")
    columns = {"order_id": "no", "line_no": "line"}
    give_source(company, "order_lines", source="erp", table="lines", columns=columns)
    checks = FeedChecks(severities={"order_has_a_customer": "reject"})
    lines = company.settings.feeds["order_lines"].model_copy(update={"checks": checks})
    company.settings = company.settings.model_copy(
        update={"feeds": {**company.settings.feeds, "order_lines": lines}}
    )
    company.sell(("A1", f"{COMPANY_DAY} 10:00", 5, None, f"{COMPANY_DAY} 10:00"))
    load_feed(company.settings, "orders", COMPANY_DAY)
    assert load_feed(company.settings, "order_lines", COMPANY_DAY).counts.rows_quarantined == 1
    load_feed(company.settings, "orders", COMPANY_DAY)  # the order is there, still without a customer
    assert query("select count(*) from raw.order_lines") == [(0,)]
    company.sell(("A1", f"{COMPANY_DAY} 10:00", 5, "C1", f"{COMPANY_DAY} 11:00"))
    load_feed(company.settings, "orders", COMPANY_DAY)
    assert query("select order_id, line_no from raw.order_lines") == [("A1", "1")]


LEGIBLE = (
    "Straße 5, Groß-Gerau; Größe: 1,80 m ±2 cm; Müller’s „Café“ – 5 €",
    "À São João: «não», “até…”, IRMÃ, AMANHÃ – 30 °C, nº 5ª, R$ 10,00 · ção",
    "Où êtes-vous né ? « À Évry ! » Crème brûlée, l’œuf, naïveté, 12 h ½, 3×4",
    "¡¡¡¡Hola!!!! ¿¿¿¿Qué???? Peña – 25 años",
    "李娜，买买提·艾力：“水太烫烫伤了”；电话 138××××1234；￥12.50；３０℃×４０℃……",
    "Łódź, Žižkov, Đà Nẵng, Œuvre, Ålesund, Привет, 東京",
    "J. O'Neil <x@y.z> #1 100% \\ | a/b {c} [d]",
)


@pytest.mark.parametrize("text", LEGIBLE)
def test_legible_text_of_many_languages_is_no_mojibake(text, connection):
    assert not is_mojibake(connection, text)


@pytest.mark.parametrize(
    "text", ["李娜", "陈", "张三丰", "退款太慢，服务态度差", "Größe", "São Paulo", "Óculos", "5 €", "it’s"]
)
@pytest.mark.parametrize("read_as", ["cp1252", "latin-1"])
def test_utf8_read_as_a_western_encoding_is_mojibake(text, read_as, connection):
    # Windows reads the five bytes that cp1252 leaves open as control characters.
    western = "".join(
        bytes([byte]).decode(read_as) if byte not in b"\x81\x8d\x8f\x90\x9d" else chr(byte)
        for byte in text.encode("utf-8")
    )
    assert is_mojibake(connection, western)


@pytest.mark.parametrize("text", ["李娜", "王强", "张三丰", "退款太慢，服务态度差"])
@pytest.mark.parametrize("read_as", ["cp1252", "latin-1", "utf-8"])
def test_gbk_read_as_another_encoding_is_mojibake(text, read_as, connection):
    assert is_mojibake(connection, text.encode("gbk").decode(read_as, errors="replace"))


@pytest.mark.parametrize("text", ["锟斤拷", "烫烫烫烫", "屯屯屯屯", "Gr\ufffd\ufffde"])
def test_the_traces_of_lost_text_are_mojibake(text, connection):
    assert is_mojibake(connection, f"Straße {text} 5")


def is_mojibake(connection: psycopg.Connection[Any], text: str) -> bool:
    """Ask the rule about one text."""
    (rule,) = (rule for rule in suite_for("regions").row_rules() if rule.name == "text_is_legible")
    row = connection.execute(
        sql.SQL(
            "select {} from (select {}::text as region_id, ''::text as name, null::text as parent_region_id)"
            " as landed"
        ).format(sql.SQL(rule.fails_when).format(), text)
    ).fetchone()
    assert row is not None
    return bool(row[0])
