"""Whatever a company's past looks like, the marts say what a plain reading of the definitions says.

WINBACK_SLOW_SHARE (default 1.0) scales the number of companies in the slow test.
"""

import csv
import lzma
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tests.conftest import DatabaseMaker
from tests.property.company_maker import CompanyMaker
from tests.property.company_rules import company_rules, company_seeds
from tests.property.oracle_customers import DAY, RawCompany, Row, Table
from tests.property.oracle_flags import Flags
from tests.property.oracle_retention import BRIDGE, RetentionOracle
from tests.property.oracle_rules import SIGNALS, ChurnRule, Rules
from winback.config import Settings
from winback.demo.sales import open_receipts
from winback.feeds import FEEDS
from winback.project import run_dbt
from winback.warehouse.schema import ensure_schema
from winback.warehouse.server import EmbeddedServer

FAST_SEEDS = (6, 15, 47, 85)  # between them they notice every churn rule that is one off
SLOW_COMPANIES = max(1, round(30 * float(os.environ.get("WINBACK_SLOW_SHARE", "1.0"))))
MARTS = {
    "fct_orders": ("order_key",),
    "dim_customer": ("customer_key",),
    "customer_months": ("customer_key", "month"),
    "customer_weeks": ("customer_key", "week_starts_on"),
    "customer_quarters": ("customer_key", "quarter"),
    "retention_months": ("month", "business_line", "region_key", "value_tier"),
    "retention_months_rollup": ("month", "business_line", "region_key", "value_tier"),
    "retention_quarters": ("quarter", "business_line", "region_key", "value_tier"),
    "retention_weeks": ("week_starts_on", "business_line", "region_key", "value_tier"),
    "retention_cohorts": ("cohort_month", "month_number", "business_line"),
    "int_signals": ("customer_key",),
    "customer_flags": ("customer_key", "rule_id"),
    "customer_flag_history": ("customer_key", "rule_id", "opened_on"),
    "tier_movements": ("customer_key", "month"),
}
SCHEMAS = {"int_signals": "intermediate"}  # all others are marts
LOADED = (
    "orders",
    "customers",
    "complaints",
    "surveys",
    "balances",
    "account_managers",
    "contacts",
    "regions",
)
LONG_SEED = 22  # with customers of every region and every tier a year before
REGIONS = ("east", "west", "north", "mainland")
SHOWN_DIFFERENCES = 12
SCALARS = (
    *("reversal_days", "trailing_months", "weeks_kept", "history_days"),
    *("interval_ratio_min_gaps", "interval_ratio_min_days", "regulars_min_orders"),
)

# A warehouse


@pytest.fixture(scope="module")
def database(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Make one empty warehouse for all companies of this module, and the rules they share."""
    maker = DatabaseMaker(server.url("postgres"))
    url = maker()
    own_rules = tmp_path_factory.mktemp("company")
    for name, text in company_seeds().items():
        (own_rules / name).write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINBACK_WAREHOUSE_URL", url)
        patch.setenv("WINBACK_STATE", str(tmp_path_factory.mktemp("state")))
        patch.setenv("WINBACK_COMPANY_RULES", str(own_rules))
        with psycopg.connect(url, autocommit=True) as connection:
            ensure_schema(connection)
        yield url
    maker.drop_all()


def load(url: str, raw: RawCompany) -> None:
    """Put a company's rows into the raw tables, in place of the last one's."""
    with psycopg.connect(url) as connection:
        tables = ", ".join(f"raw.{feed}" for feed in LOADED)
        versions = {"customers": raw.customers_versions, "account_managers": raw.account_managers}
        histories = ", ".join(f"raw.{feed}_versions" for feed in versions)
        connection.execute(f"truncate {tables}, {histories}, ops.feed_days")
        for feed in LOADED:
            rows: list[Row] = getattr(raw, feed)
            copy_rows(
                connection,
                feed,
                FEEDS[feed].column_names,
                [row | {"business_day": raw.as_of} for row in rows],
            )
            for source_id in {row["source_id"] for row in rows}:
                connection.execute(
                    "insert into ops.feed_days values (%s, %s, %s, false)", [source_id, feed, raw.as_of]
                )
        for feed, past in versions.items():
            since = [{"valid_from": date.min} | row for row in past]
            copy_rows(connection, f"{feed}_versions", FEEDS[feed].column_names, since)


def copy_rows(
    connection: psycopg.Connection[Any], table: str, columns: Iterable[str], rows: list[Row]
) -> None:
    day = "valid_from" if table.endswith("_versions") else "business_day"
    names = ["source_id", *columns, "deleted_on", day]
    statement = f"copy raw.{table} ({', '.join(names)}, load_batch_id, loaded_at) from stdin"
    with connection.cursor().copy(statement) as copy:
        for row in rows:
            values = [in_copy(row.get(name)) for name in names]
            copy.write_row([*values, 1, datetime.now(UTC)])


def in_copy(value: Any) -> Any:
    if value == date.min:
        return "-infinity"
    return Jsonb(value) if isinstance(value, dict) else value


def build(raw: RawCompany) -> None:
    """Run all models and their tests as of the company's day."""
    settings = Settings.model_validate(
        {
            "company": {"name_en": "Test", "name_zh": "测试"},
            "business": {
                "time_zone": raw.time_zone,
                "default_business_line": raw.default_line,
                "lines": raw.lines,
            },
            "systems": {"erp": {"connector": "postgres", "connection": "test_erp", "time_zone": "UTC"}},
            "feeds": {
                "orders": {
                    "sources": [
                        {
                            "source": "erp",
                            "table": "orders",
                            "columns": {name: name for name in FEEDS["orders"].required},
                        }
                    ]
                }
            },
        }
    )
    run_dbt(settings, raw.as_of, "build", "--exclude-resource-type", "unit_test")


def read_marts(url: str) -> dict[str, Table]:
    """Read the marts that the oracle knows."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return {
            mart: {
                tuple(row[column] for column in key): row
                for row in connection.execute(f"select * from {SCHEMAS.get(mart, 'marts')}.{mart}")
            }
            for mart, key in MARTS.items()
        }


# What is said and what should be


def differences(marts: dict[str, Table], oracle: RetentionOracle) -> list[str]:
    """List, mart by mart, the rows that only one side has and the values that differ."""
    found = []
    for mart, rows in marts.items():
        expected: Table = getattr(oracle, mart)
        found += [f"{mart} {show(key)}: missing" for key in sorted(expected.keys() - rows.keys())]
        found += [f"{mart} {show(key)}: should not be there" for key in sorted(rows.keys() - expected.keys())]
        for key in sorted(expected.keys() & rows.keys()):
            wrong = [
                f"{column} is {show(rows[key][column])}, should be {show(value)}"
                for column, value in expected[key].items()
                if not is_same(rows[key][column], value)
            ]
            if wrong:
                found.append(f"{mart} {show(key)}: {'; '.join(wrong)}")
    return found


def is_same(found: Any, expected: Any) -> bool:
    """Compare exactly; only a quotient may differ where its digits end."""
    if isinstance(found, Decimal | float) and isinstance(expected, Decimal):
        return abs(Decimal(found) - expected) <= Decimal("1e-12") * max(1, abs(expected))
    return bool(found == expected)


def show(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def explain(found: list[str], oracle: RetentionOracle) -> str:
    """Show the first differences, their extent, and the past of the first customer they name."""
    raw, extent = oracle.raw, Counter(line.split()[0] for line in found)
    named = {word.rstrip(":") for line in found for word in line.split()[1:2]}
    return "\n".join(
        [
            f"{len(found)} differences {dict(extent)}, as of {raw.as_of}, {raw.time_zone}, {raw.lines}",
            *found[:SHOWN_DIFFERENCES],
            *[f"concerned: {who}" for who in oracle.customers.values() if who.key in named][:1],
        ]
    )


def agrees(database: str, raw: RawCompany) -> tuple[dict[str, Table], RetentionOracle]:
    """Build a company's marts and hold them against the oracle."""
    load(database, raw)
    build(raw)
    marts, oracle = read_marts(database), RetentionOracle(raw, company_rules())
    found = differences(marts, oracle)
    assert not found, explain(found, oracle)
    assert len(marts["dim_customer"]) > 1
    return marts, oracle


@pytest.mark.parametrize("seed", FAST_SEEDS)
def test_the_marts_of_a_small_company_are_what_the_definitions_say(database, seed):
    agrees(database, CompanyMaker(seed, company_rules()).make())


def test_whom_nobody_has_sold_to_yet_is_a_prospect(database):
    """On its first day a warehouse may hold customers and no order, return or complaint that counts."""
    maker = CompanyMaker(1, company_rules())
    maker.describe("C1", maker.default_line, [])
    maker.customers[0]["closed_on"] = None
    maker.add_order("C2", maker.as_of, Decimal(10), status="cancelled")
    maker.add_order("C2", maker.as_of + DAY, Decimal(10))
    marts, _ = agrees(database, maker.company())
    assert [row["stage"] for row in marts["dim_customer"].values() if row["stage"]] == ["prospect"] * 2


@pytest.mark.slow
@hypothesis_settings(max_examples=SLOW_COMPANIES, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(100, 2**32))
def test_the_marts_of_any_small_company_are_what_the_definitions_say(database, seed):
    agrees(database, CompanyMaker(seed, company_rules()).make())


def test_the_fast_companies_notice_any_rule_that_is_one_off():
    """Without this, the comparison could hold because nobody stands at the edge that a model gets wrong."""
    rules, unnoticed = company_rules(), one_off_rules()
    assert len(unnoticed) > 2 * len(SIGNALS)
    for seed in FAST_SEEDS:
        oracle = RetentionOracle(CompanyMaker(seed, rules).make(), rules)
        unnoticed = [
            (rule, other)
            for rule, other in unnoticed
            if history(oracle, rule) == history(oracle, rule, instead=other)
        ]
    assert not unnoticed


def test_the_fast_companies_have_something_to_say_of_retention():
    """Without this, the comparison could hold because a figure is not defined for anybody."""
    oracles = [
        RetentionOracle(CompanyMaker(seed, company_rules()).make(), company_rules()) for seed in FAST_SEEDS
    ]
    months = [row for oracle in oracles for row in oracle.customer_months.values()]
    assert {row["bridge_class"] for row in months} == {None, "flat", *BRIDGE}
    assert {row["is_established"] for row in months} == {None, True, False}
    rates = [row for oracle in oracles for row in oracle.retention_months.values()]
    for name in ("gross_revenue_retention", "net_revenue_retention", "repeat_rate", "on_time_share"):
        assert any(row[name] is not None and 0 < row[name] < 1 for row in rates), name
    assert {row["contact_coverage"] for row in rates} >= {None, Decimal(0), Decimal(1)}
    cohorts = [row for oracle in oracles for row in oracle.retention_cohorts.values()]
    assert {row["is_left_truncated"] for row in cohorts} == {True, False}
    assert any(row["share_active"] is None for row in cohorts)


def one_off_rules() -> list[tuple[ChurnRule, ChurnRule]]:
    """Return each rule with one whose threshold's last digit is one more, and with one where it is less."""
    pairs = []
    for rule in company_rules().churn_rules:
        for by in (-1, 1):
            other = replace(rule, threshold=rule.threshold + by * last_digit(rule.threshold))
            if rule.enabled and not (rule.signal == "account_manager_left_days" and other.threshold < 0):
                pairs.append((rule, other))
    return pairs


def last_digit(figure: Decimal) -> Decimal:
    return Decimal(1).scaleb(int(figure.as_tuple().exponent))


def history(oracle: RetentionOracle, rule: ChurnRule, instead: ChurnRule | None = None) -> list[list[Row]]:
    """Return the flags of all versions of one rule, perhaps with another version in the place of one."""
    versions = [
        instead if each == rule and instead else each
        for each in oracle.rules.churn_rules
        if each.key[:2] == rule.key[:2]
    ]
    flags = Flags(replace(oracle.rules, churn_rules=tuple(versions)), oracle.signals, oracle.policy_name)
    subject = [who for who in oracle.known if oracle.policy_name(who) == rule.policy]
    return [[row | {"threshold": None} for row in flags.history(who, oracle.as_of)] for who in subject]


@pytest.mark.slow
def test_companies_are_nasty_enough_to_notice_any_other_figure_that_is_one_off():
    rules = company_rules()
    unnoticed = one_off(rules)
    for seed in range(1, 200):
        oracle = RetentionOracle(CompanyMaker(seed, rules).make(), rules)
        marts = {mart: getattr(oracle, mart) for mart in MARTS}
        unnoticed = {
            name: other
            for name, other in unnoticed.items()
            if not concerns(name, oracle.raw) or not differences(marts, RetentionOracle(oracle.raw, other))
        }
        if not unnoticed:
            return
    assert not sorted(unnoticed)


def concerns(name: str, raw: RawCompany) -> bool:
    """Return whether a change can show: that of a policy does only where some line follows it."""
    policy = name.split(maxsplit=1)[0]
    return policy not in company_rules().policies or policy in raw.lines.values()


def one_off(rules: Rules) -> dict[str, Rules]:
    """Return the rules with each figure in turn one more or one less, a minimum by a cent."""
    changed = {}
    for by in (-1, 1):
        for name, policy in rules.policies.items():
            for field, figure in vars(policy).items():
                if figure is not None:
                    step = by * (Decimal("0.01") if field.endswith("_minimum") else 1)
                    others = rules.policies | {name: replace(policy, **{field: figure + step})}
                    changed[f"{name} {field} {by:+}"] = replace(rules, policies=others)
        for at, (tier, share) in enumerate(rules.tiers[:-1]):
            others = (*rules.tiers[:at], (tier, share + by), *rules.tiers[at + 1 :])
            changed[f"{tier} {by:+}"] = replace(rules, tiers=others)
        for scalar in SCALARS:
            changed[f"{scalar} {by:+}"] = replace(rules, **{scalar: getattr(rules, scalar) + by})
    return changed


@pytest.mark.slow
def test_three_years_of_retention_are_what_the_definitions_say(database):
    """With 36 complete months of every line, thirteen of them have revenue of a year ago."""
    raw = CompanyMaker(LONG_SEED, company_rules(), months=36).make()
    _, oracle = agrees(database, raw)
    rows = oracle.retention_months_rollup
    told = [key for key, row in rows.items() if row["net_revenue_retention"] is not None]
    assert len({month for month, *_ in told}) == 13
    assert {line for _, line, *_ in told} == {*raw.lines, "all"} - {"exports"}
    assert {region for _, _, region, _ in told} == {"all", "-1", *(f"erp:{name}" for name in REGIONS)}
    assert {tier for *_, tier in told} == {"all", *(tier for tier, _ in company_rules().tiers), "none"}
    months = {key[0]: row for key, row in rows.items() if key[1:] == ("all", "all", "all")}
    assert sum(row["is_complete"] for row in months.values()) >= 36
    assert sum(row["churn_rate"] is not None for row in months.values()) > 30


@pytest.mark.slow
def test_the_marts_of_real_sales_are_what_the_definitions_say(database):
    """2,469 households of a grocer, one year; read as UTC, the last evening would fall into the next year.

    Households live at the shop they go to most, every shop in one of three areas of the country.
    """
    engine = open_receipts()
    orders = [
        blank("orders")
        | {
            "source_id": "erp",
            "order_id": str(receipt_no),
            "ordered_at": sold_at.replace(tzinfo=UTC),
            "amount": net_amount,
            "customer_source_id": "erp",
            "customer_id": str(member_no),
            "store_id": str(store_no),
            "region_id": str(store_no),
        }
        for receipt_no, member_no, store_no, sold_at, net_amount in engine.execute(
            "select * from receipts"
        ).fetchall()
    ]
    homes = dict(
        engine.execute(
            "select member_no, mode(store_no order by store_no) from receipts group by member_no"
        ).fetchall()
    )
    customers = [
        blank("customers")
        | {
            "source_id": "erp",
            "customer_id": str(member_no),
            "region_id": str(store_no),
            "valid_from": date.min,
        }
        for member_no, store_no in homes.items()
    ]
    above = {str(store_no): f"area {store_no % 3}" for store_no in homes.values()}
    above |= dict.fromkeys(above.values(), "country")
    raw = RawCompany(
        date(2017, 12, 31),
        "America/New_York",
        {"retail": "retail"},
        "retail",
        orders,
        customers,
        customers_versions=customers,
        regions=region_rows(above),
    )
    marts, oracle = agrees(database, raw)
    assert len(marts["dim_customer"]) == 2_469 + 1
    assert len(marts["fct_orders"]) == 155_848
    assert sum(row["customers_churned"] for row in oracle.customer_months.values()) > 0
    tops = [
        row for (_, _, region, _), row in oracle.retention_months_rollup.items() if region == "erp:country"
    ]
    assert sum(bool(row["churn_rate"]) for row in tops) > 10
    assert {row["repeat_rate"] is None for row in tops} == {True, False}


@pytest.mark.slow
def test_the_marts_of_real_wholesale_are_what_the_definitions_say(database, test_data):
    """4,372 customers of a gift wholesaler, a year and nine days; a seventh of the money has no customer.

    Customers abroad are a business line of their own, whose revenue bridge spans months instead of years.
    """
    orders: dict[str, Row] = {}
    homes: dict[str, str] = {}
    with lzma.open(test_data / "online_retail.csv.xz", "rt", encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            order = orders.setdefault(
                line["InvoiceNo"],
                blank("orders")
                | {
                    "source_id": "erp",
                    "order_id": line["InvoiceNo"],
                    "ordered_at": in_london(line["InvoiceDate"]),
                    "amount": Decimal(0),
                    "customer_source_id": "erp",
                    "customer_id": line["CustomerID"] or None,
                },
            )
            order["amount"] += int(line["Quantity"]) * Decimal(line["UnitPrice"])
            homes.setdefault(line["CustomerID"], line["Country"])
    del homes[""]  # walk-ins
    customers = [
        blank("customers")
        | {
            "source_id": "erp",
            "customer_id": customer_id,
            "business_line": "home" if country == "United Kingdom" else "abroad",
            "region_id": country,
            "valid_from": date.min,
        }
        for customer_id, country in homes.items()
    ]
    raw = RawCompany(
        date(2011, 12, 9),
        "Europe/London",
        {"home": "retail", "abroad": "distribution"},
        "home",
        list(orders.values()),
        customers,
        customers_versions=customers,
        regions=region_rows(dict.fromkeys(homes.values(), "world")),
    )
    _, oracle = agrees(database, raw)
    assert len(oracle.dim_customer) == 4_372 + 1
    assert {row["signal"] for row in oracle.customer_flags.values()} >= {
        "interval_ratio",
        "amount_change_90d",
    }
    rows = oracle.retention_months_rollup
    bridged = {line for (_, line, *_), row in rows.items() if row["revenue_start"] is not None}
    assert bridged == {"abroad", "all"}  # all: of countries where nobody belongs to the other line
    assert sum(bool(row["churn_rate"]) for row in rows.values()) > 100


def blank(feed: str) -> Row:
    return dict.fromkeys(["source_id", *FEEDS[feed].column_names, "deleted_on"])


def region_rows(above: dict[str, str]) -> list[Row]:
    """Return rows of the regions feed: all that are named, each below the other one."""
    return [
        {"source_id": "erp", "region_id": name, "name": name, "parent_region_id": above.get(name)}
        for name in sorted({*above, *above.values()})
    ]


def in_london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/London"))
