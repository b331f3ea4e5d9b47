"""Each rule as somebody works it out by hand: one below its threshold, on it, above it, and at every edge."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.conftest import DatabaseMaker
from tests.integration.rule_examples.example import AS_OF, ZONE, Example, RawRows
from tests.integration.rule_examples.lifecycle import LIVES
from tests.integration.rule_examples.own_policies import COMPANY_SEEDS, OWN
from tests.integration.rule_examples.shipped_policies import SHIPPED, WALK_INS
from tests.property.oracle_customers import RawCompany
from tests.property.test_models_oracle import build, load
from winback.rules.load import load_rules
from winback.rules.seeds import read_signals
from winback.warehouse.schema import ensure_schema
from winback.warehouse.server import EmbeddedServer

EXAMPLES = (WALK_INS, *SHIPPED, *OWN, *LIVES)  # the first one is in the default line
LINES = {f"L{number}": example.policy for number, example in enumerate(EXAMPLES)}

Row = dict[str, Any]


@pytest.fixture(scope="module")
def marts(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[Row]]]:
    """Build one company of all examples, and return what is asserted of it."""
    maker = DatabaseMaker(server.url("postgres"))
    url = maker()
    own_rules = tmp_path_factory.mktemp("own_rules")
    for name, text in COMPANY_SEEDS.items():
        (own_rules / name).write_text(text, encoding="utf-8")
    raw = RawCompany(AS_OF, ZONE, LINES, "L0", **vars(RawRows(EXAMPLES)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINBACK_WAREHOUSE_URL", url)
        patch.setenv("WINBACK_STATE", str(tmp_path_factory.mktemp("state")))
        patch.setenv("WINBACK_COMPANY_RULES", str(own_rules))
        with psycopg.connect(url, autocommit=True) as connection:
            ensure_schema(connection)
        load(url, raw)
        build(raw)
    with psycopg.connect(url, row_factory=dict_row) as connection:
        yield {
            mart: connection.execute(f"select * from marts.{mart}").fetchall()
            for mart in ("customer_flags", "customer_flag_history", "dim_customer", "customer_months")
        }
    maker.drop_all()


def of(number: int, rows: list[Row]) -> list[Row]:
    """Return the rows of the customer of an example."""
    return [row for row in rows if row["customer_key"] == f"erp:C{number}"]


def in_words(flag: Row, now: dict[str, Decimal]) -> str:
    """Say what the history has of a flag, and what is observed now where that has changed."""
    began, at = flag["opened_on"], figure(flag["observed"])
    if flag["closed_on"]:
        return f"{flag['rule_id']} {began} to {flag['closed_on']} at {at}, {flag['closed_because']}"
    latest = figure(now[flag["rule_id"]])
    return f"{flag['rule_id']} since {began} at {at}" + (f", now {latest}" if latest != at else "")


def figure(number: Decimal) -> str:
    return f"{number.normalize():f}"


@pytest.mark.parametrize(("number", "example"), list(enumerate(EXAMPLES)), ids=map(str, EXAMPLES))
def test_an_example(marts: dict[str, list[Row]], number: int, example: Example) -> None:
    now = {row["rule_id"]: row for row in of(number, marts["customer_flags"])}
    history = of(number, marts["customer_flag_history"])
    said = [in_words(flag, {rule: row["observed"] for rule, row in now.items()}) for flag in history]
    assert sorted(said) == sorted(example.flags)
    assert {rule: row["opened_on"] for rule, row in now.items()} == {
        flag["rule_id"]: flag["opened_on"] for flag in history if flag["closed_on"] is None
    }
    evidence = {rule: (row["evidence_en"], row["evidence_zh"]) for rule, row in now.items()}
    assert {rule: evidence[rule] for rule in example.says} == example.says
    (customer,) = of(number, marts["dim_customer"])
    if example.stage:
        assert customer["stage"] == example.stage
    stages = {f"{row['month']:%Y-%m}": row["stage"] for row in of(number, marts["customer_months"])}
    assert {month: stages[month] for month in example.stages} == example.stages


def test_an_order_without_a_customer_raises_nothing_and_has_no_stage(marts: dict[str, list[Row]]) -> None:
    (walk_ins,) = [row for row in marts["dim_customer"] if row["customer_key"] == "-1"]
    assert (walk_ins["stage"], walk_ins["first_order_on"]) == (None, None)
    assert not [row for row in marts["customer_flag_history"] if row["customer_key"] == "-1"]
    sold = [row["revenue"] for row in marts["customer_months"] if row["customer_key"] == "-1"]
    assert sorted(sold) == [900, 900, 1900, 3900, 9900]


def test_every_shipped_rule_and_every_signal_has_an_example_with_its_evidence(
    marts: dict[str, list[Row]],
) -> None:
    shipped = {
        (row["policy"], row["rule_id"]) for row in load_rules({}).seeds["churn_rules"] if not row.is_company
    }
    assert shipped
    assert shipped <= {(row["policy"], row["rule_id"]) for row in marts["customer_flag_history"]}
    said = {
        row["signal"]
        for number, example in enumerate(EXAMPLES)
        for row in of(number, marts["customer_flags"])
        if row["rule_id"] in example.says
    }
    assert said == set(read_signals())


def test_a_flag_carries_the_rule_that_raised_it(marts: dict[str, list[Row]]) -> None:
    number = EXAMPLES.index(next(one for one in EXAMPLES if one.about == "14 days of silence"))
    ((flag,), (past,)) = (of(number, marts[mart]) for mart in ("customer_flags", "customer_flag_history"))
    said = {
        "policy": "restaurant",
        "rule_id": "silent",
        "outcome": "at_risk",
        "signal": "days_since_last_order",
        "comparator": ">=",
        "threshold": 14,
    }
    assert {name: flag[name] for name in said} == said
    assert {name: past[name] for name in said} == said
    more = ("action", "label_zh", "label_en", "source")
    assert [flag[name] for name in more] == [
        "call",
        "好一阵没来光顾",
        "No visit for a while",
        "Chinese trade literature on churn",
    ]


def test_a_flag_of_the_past_says_what_was_true_on_its_first_day(marts: dict[str, list[Row]]) -> None:
    number = EXAMPLES.index(next(one for one in EXAMPLES if one.about == "15 days of silence"))
    ((flag,), (past,)) = (of(number, marts[mart]) for mart in ("customer_flags", "customer_flag_history"))
    assert flag["evidence_en"] == "last order 2024-03-16, 15 days ago"
    assert past["evidence_en"] == "last order 2024-03-16, 14 days ago"
    assert past["evidence_zh"] == "最近一次下单 2024-03-16，距今 14 天"
