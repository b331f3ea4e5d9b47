"""Whatever a company's past looks like, the marts say what a plain reading of the definitions says.

WINBACK_SLOW_SHARE (default 1.0) scales the number of companies in the slow test.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
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
from tests.property.oracle import (
    DAY,
    Oracle,
    RawCompany,
    Row,
    Rules,
    Table,
    first_of_month,
    month_end,
    shipped_rules,
)

from winback.build import run_dbt
from winback.config import Settings
from winback.demo.sales import open_receipts
from winback.feeds import FEEDS
from winback.warehouse.schema import ensure_schema
from winback.warehouse.server import EmbeddedServer

FAST_SEEDS = (1, 2, 3)
SLOW_COMPANIES = max(1, round(30 * float(os.environ.get("WINBACK_SLOW_SHARE", "1.0"))))
MARTS = {
    "fct_orders": ("order_key",),
    "dim_customer": ("customer_key",),
    "customer_months": ("customer_key", "month"),
    "customer_weeks": ("customer_key", "week_starts_on"),
    "retention_months": ("month", "business_line", "region_key", "value_tier"),
}
SHOWN_DIFFERENCES = 12

# A company


LINES = {
    "shops": "retail",
    "canteens": "restaurant",
    "garages": "auto_service",
    "phones": "telecom",
    "bank": "retail_bank",
    "dealers": "distribution",  # nobody belongs to it
}
ZONES = ("Asia/Shanghai", "America/New_York", "Europe/Berlin", "UTC", "Pacific/Auckland")
LAST_DAYS = tuple(
    map(
        date.fromisoformat,
        # leap day, its eve, Sundays, ends and first days of months and years, any day
        "2024-02-29 2024-02-28 2024-03-01 2024-03-31 2023-12-31 2024-01-01 2024-06-30 2024-07-17 2025-02-28"
        " 2024-09-15 2024-08-30 2025-03-29".split(),
    )
)
TIMES = (time(0, 0), time(0, 30), time(12, 0), time(23, 59), time(23, 59, 59, 999999))
AMOUNTS = tuple(map(Decimal, "10 10 20 20 50 0 0.01 99.99 1000 77183.60".split()))
SALE_STATUSES = (None, "", "completed", " Completed ", "已完成", "shipped")
VOID_STATUSES = ("cancelled", "CANCELED", "作废", "draft")


class CompanyMaker:
    """Invent a small company whose customers stand at every edge of the rules."""

    def __init__(self, seed: int, rules: Rules) -> None:
        self.random = random = Random(seed)
        self.rules = rules
        self.as_of = random.choice(LAST_DAYS)
        self.zone = random.choice(ZONES)
        self.opened = self.as_of - timedelta(days=random.randint(2 * 365, 3 * 365))
        self.lines = dict(random.sample(sorted(LINES.items()), random.randint(1, len(LINES))))
        self.default_line = random.choice(sorted(self.lines))
        self.staffed = [line for line in self.lines if line != "dealers"] or [self.default_line]
        self.begin = {line: self.line_begin(policy) for line, policy in self.lines.items()}
        self.orders: list[Row] = []
        self.customers: list[Row] = []
        self.complaints: list[Row] = []

    def make(self) -> RawCompany:
        for number in range(self.random.randint(5, 40)):
            self.add_customer(f"C{number}", self.random.choice(self.staffed))
        self.add_walk_ins()
        self.add_merges()
        return RawCompany(
            self.as_of,
            self.zone,
            self.lines,
            self.default_line,
            self.orders,
            self.customers,
            self.complaints,
        )

    def line_begin(self, policy: str) -> date:
        """Choose a line's first day; often just where the churn rate of some period begins to exist."""
        churn_days = self.rules.policies[policy].churn_days or 90
        if self.random.random() < 0.5:
            return self.opened
        start = self.edge(self.opened + timedelta(days=churn_days + 40))
        return start - timedelta(days=churn_days - self.random.choice((0, 1, 2)))

    def edge(self, earliest: date) -> date:
        """Choose the end of some month or week, or the as-of date."""
        day = earliest + timedelta(days=self.random.randint(0, max(0, (self.as_of - earliest).days)))
        if self.random.random() < 0.5:
            day = self.as_of - timedelta(days=self.random.randint(0, 100))
        return self.random.choice(
            (self.as_of, month_end(day), first_of_month(day) - DAY, day - timedelta(days=day.isoweekday()))
        )

    def thresholds(self, line: str) -> list[int]:
        policy = self.rules.policies[self.lines[line]]
        days = [
            int(rule.threshold)
            for rule in self.rules.churn_rules
            if rule.policy == self.lines[line] and rule.signal == "days_since_last_order"
        ]
        return [*days, policy.new_days, policy.won_back_days, policy.churn_days or 90, 59, 90, 180, 365]

    def near(self, line: str) -> timedelta:
        """Choose a time span at a threshold, one day before or after it."""
        return timedelta(days=self.random.choice(self.thresholds(line)) + self.random.choice((-1, 0, 1)))

    def moment(self, day: date) -> datetime:
        return datetime.combine(day, self.random.choice(TIMES), ZoneInfo(self.zone)).astimezone(UTC)

    def add_order(self, customer_id: str | None, day: date, amount: Decimal, **changes: Any) -> Row:
        source_id = self.random.choice(("erp", "erp", "web"))
        row = dict.fromkeys(FEEDS["orders"].column_names) | {
            "source_id": source_id,
            "order_id": f"A{len(self.orders)}",
            "ordered_at": self.moment(day),
            "amount": amount,
            "customer_source_id": "erp",  # the web shop uses the ERP's customer numbers
            "customer_id": customer_id,
            "document_type": self.random.choice((None, "order")),
            "status": self.random.choice(SALE_STATUSES),
            "channel": self.random.choice((None, "store")),
            "store_id": self.random.choice((None, "7")),
            "region_id": self.random.choice((None, "east", "west")),
            "currency": self.random.choice((None, "CNY")),
            **changes,
        }
        self.orders.append(row)
        return row

    def add_customer(self, customer_id: str, line: str) -> None:
        days = self.order_days(line)
        for day in days:
            for _ in range(self.random.choice((1, 1, 1, 2))):
                order = self.add_order(customer_id, day, self.random.choice(AMOUNTS))
                self.spoil(order, day)
        some_day = self.begin[line] + timedelta(
            days=self.random.randint(0, max(1, (self.as_of - self.begin[line]).days))
        )
        if self.random.random() < 0.15:  # money comes back on a day of its own, perhaps before the first order
            self.add_order(customer_id, some_day, -self.random.choice(AMOUNTS))
        if self.random.random() < 0.2:
            self.add_complaint(customer_id, some_day)
        if self.random.random() < 0.8 or line != self.default_line:
            self.describe(customer_id, line, days)
        elif not days and self.random.random() < 0.7:
            self.add_order(customer_id, some_day, Decimal(-5))  # known by a return only

    def order_days(self, line: str) -> list[date]:
        """Choose a customer's order days, from the line's first day to a little after the as-of date."""
        random, begin = self.random, self.begin[line]
        last_possible = self.as_of + timedelta(days=3)
        story = random.choice(("gaps", "gaps", "silent", "silent", "once", "leap", "months", "late", "never"))
        if story == "gaps":
            days = [begin + timedelta(days=random.choice((0, 0, random.randint(0, 300))))]
            while days[-1] < last_possible:
                usual = timedelta(days=random.randint(1, 70))
                days.append(days[-1] + random.choice((usual, self.near(line))))
        elif story == "silent":
            last = self.edge(begin) - self.near(line)
            days = [last - timedelta(days=random.randint(0, 500)) for _ in range(random.randint(0, 5))] + [last]
        elif story == "once":
            days = [random.choice((begin, self.as_of, self.edge(begin), self.edge(begin) + DAY))]
        elif story == "leap":
            days = [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1), date(2023, 2, 28), date(2023, 3, 1)]
            days = random.sample(days, random.randint(1, 3))
        elif story == "months":
            ends = [month_end(self.as_of - timedelta(days=30 * n)) for n in range(24)]
            days = [end + random.choice((-1, 0, 1)) * DAY for end in random.sample(ends, random.randint(1, 8))]
        elif story == "late":
            days = [self.as_of + DAY]
        else:
            days = []
        return sorted(day for day in days if begin <= day <= last_possible)

    def spoil(self, order: Row, day: date) -> None:
        """Perhaps cancel, duplicate as another document, return or reverse an order."""
        random, fate = self.random, self.random.random()
        same = {"source_id": order["source_id"]}
        if fate < 0.05:
            order["status"] = random.choice(VOID_STATUSES)
        elif fate < 0.08:
            order["document_type"] = random.choice(("invoice", "delivery"))
        elif fate < 0.15:
            share = random.choice((1, 1, Decimal("0.5")))
            later = day + random.choice((timedelta(days=random.randint(0, 400)), self.near(self.default_line)))
            way = random.choice(({"status": "退款"}, {"document_type": "return"}, {}))
            amount = order["amount"] * share * (random.choice((1, -1)) if way else -1)
            self.add_order(order["customer_id"], later, amount, **same, **way)
        elif fate < 0.25:
            reverse = same | {"reverses_order_id": order["order_id"], "document_type": "return"}
            later = day + timedelta(days=random.choice((0, 6, 7, 7, 8, 8)))
            who = random.choice((order["customer_id"], order["customer_id"], None))
            parts = random.choice(((1,), (1,), (Decimal("0.5"),), (Decimal("0.5"), Decimal("0.5"))))
            for part in parts:
                status = "cancelled" if random.random() < 0.1 else "completed"
                self.add_order(who, later, order["amount"] * part, status=status, **reverse)
                later = later if random.random() < 0.5 else later + DAY

    def add_complaint(self, customer_id: str | None, day: date) -> None:
        self.complaints.append(
            dict.fromkeys(FEEDS["complaints"].column_names)
            | {
                "source_id": "desk",
                "complaint_id": f"T{len(self.complaints)}",
                "opened_at": self.moment(day),
                "customer_source_id": "erp",
                "customer_id": customer_id,
                "order_source_id": "erp",
                "status": self.random.choice((None, "open", "已结案")),
            }
        )

    def describe(self, customer_id: str, line: str, days: list[date]) -> None:
        """Add the customer's master data; perhaps the account was closed."""
        random = self.random
        closed_on = None
        if random.random() < 0.25:
            around = random.choice(days) if days else self.edge(self.begin[line])
            closed_on = random.choice(
                (around, around + DAY, around - DAY, self.edge(self.begin[line]), self.as_of + 9 * DAY)
            )
        self.customers.append(
            dict.fromkeys(FEEDS["customers"].column_names)
            | {
                "source_id": "erp",
                "customer_id": customer_id,
                "kind": random.choice((None, "consumer", "dealer")),
                "business_line": None if line == self.default_line else line,
                "region_id": random.choice((None, "east", "west")),
                "account_manager_id": random.choice((None, "M1", "M2")),
                "registered_on": random.choice((None, None, self.opened - DAY, self.as_of, *days[:1])),
                "do_not_contact": random.choice((None, False, True)),
                "closed_on": closed_on,
                "closed_reason": random.choice((None, "deceased", "Bankrupt", "搬迁", "price", "unheard of")),
                "attributes": {},
            }
        )

    def add_walk_ins(self) -> None:
        for _ in range(self.random.choice((0, 3, 20))):
            day = self.edge(self.begin[self.default_line]) - timedelta(days=self.random.randint(0, 60))
            nobody = self.random.choice((None, ""))
            amount = self.random.choice(AMOUNTS) * self.random.choice((1, 1, -1))
            if day >= self.begin[self.default_line]:
                self.add_order(nobody, day, amount)
        if self.random.random() < 0.5:
            self.add_complaint(None, self.edge(self.opened))

    def add_merges(self) -> None:
        """Merge some customers, some of them into merged ones, one into a number nobody describes."""
        described = self.random.sample(self.customers, len(self.customers))
        for loser, winner in zip(described[:-1:3], described[1::3], strict=False):
            loser["merged_into"] = winner["customer_id"]
        for loser, winner in zip(described[1:-2:6], described[2::6], strict=False):
            loser["merged_into"] = winner["customer_id"]
        if described and self.random.random() < 0.3:
            described[-1]["merged_into"] = self.random.choice(("X1", described[-1]["customer_id"]))


# A warehouse


@pytest.fixture(scope="module")
def database(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Make one empty warehouse for all companies of this module, one after the other."""
    maker = DatabaseMaker(server.url("postgres"))
    url = maker()
    with psycopg.connect(url, autocommit=True) as connection:
        ensure_schema(connection)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINBACK_WAREHOUSE_URL", url)
        patch.setenv("WINBACK_STATE", str(tmp_path_factory.mktemp("state")))
        yield url
    maker.drop_all()


def load(url: str, raw: RawCompany) -> None:
    """Put a company's rows into the raw tables, in place of the last one's."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "truncate raw.orders, raw.customers, raw.complaints, raw.account_managers, ops.feed_days"
        )
        for feed, rows in (
            ("orders", raw.orders),
            ("customers", raw.customers),
            ("complaints", raw.complaints),
        ):
            names = ["source_id", *FEEDS[feed].column_names]
            statement = f"copy raw.{feed} ({', '.join(names)}, load_batch_id, loaded_at) from stdin"
            with connection.cursor().copy(statement) as copy:
                for row in rows:
                    values = [Jsonb(row[name]) if name == "attributes" else row[name] for name in names]
                    copy.write_row([*values, 1, datetime.now(UTC)])
            for source_id in {row["source_id"] for row in rows}:
                connection.execute(
                    "insert into ops.feed_days values (%s, %s, %s, false)", [source_id, feed, raw.as_of]
                )
        for manager in sorted({row["account_manager_id"] for row in raw.customers} - {None}):
            connection.execute(
                "insert into raw.account_managers (source_id, account_manager_id, load_batch_id, loaded_at)"
                " values ('erp', %s, 1, now())",
                [manager],
            )


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
                for row in connection.execute(f"select * from marts.{mart}")
            }
            for mart, key in MARTS.items()
        }


# What is said and what should be


def differences(marts: dict[str, Table], oracle: Oracle) -> list[str]:
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
    if isinstance(found, Decimal) and isinstance(expected, Decimal):
        return abs(found - expected) < Decimal("1e-12")
    return bool(found == expected)


def show(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def explain(found: list[str], oracle: Oracle) -> str:
    """Show the first differences, their extent, and the past of the first customer they name."""
    extent = Counter(line.split()[0] for line in found)
    raw = oracle.raw
    lines = [
        f"{sum(extent.values())} differences {dict(extent)}, as of {raw.as_of}, {raw.time_zone}, {raw.lines}",
        *found[:SHOWN_DIFFERENCES],
    ]
    for who in oracle.customers.values():
        if any(f" {who.key} " in f"{line.split(':  ')[0].replace(': ', ' ')} " for line in found):
            lines += ["the first customer concerned:", f"  {who}"]
            break
    return "\n".join(lines)


def agrees(database: str, raw: RawCompany) -> tuple[dict[str, Table], Oracle]:
    """Build a company's marts and hold them against the oracle."""
    load(database, raw)
    build(raw)
    marts, oracle = read_marts(database), Oracle(raw, shipped_rules())
    found = differences(marts, oracle)
    assert not found, explain(found, oracle)
    assert len(marts["dim_customer"]) > 1
    return marts, oracle


@pytest.mark.parametrize("seed", FAST_SEEDS)
def test_the_marts_of_a_small_company_are_what_the_definitions_say(database, seed):
    agrees(database, CompanyMaker(seed, shipped_rules()).make())


@pytest.mark.slow
@hypothesis_settings(max_examples=SLOW_COMPANIES, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(4, 2**32))
def test_the_marts_of_any_small_company_are_what_the_definitions_say(database, seed):
    agrees(database, CompanyMaker(seed, shipped_rules()).make())
