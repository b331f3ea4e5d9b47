"""Which rules hold in a deployment: those of the suites, with what `winback.yml` says of them."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import yaml
from psycopg import sql
from pydantic import ValidationError

from winback import paths
from winback.check.rules import RowRule, Severity
from winback.check.suites import rules_for, suite_for, thresholds
from winback.config import Settings
from winback.config_checks import FeedChecks
from winback.errors import WinbackError

SAYS = {"protects_en": "It keeps something right.", "protects_zh": "保证某事无误。"}


def configured(of_orders: dict[str, object] | None = None, *feeds: str, **more: object) -> Settings:
    """Configure orders with checks of their own, and further feeds."""
    source = {"source": "till", "table": "t"}
    columns = {
        "orders": {"order_id": "a", "ordered_at": "b", "amount": "c"},
        "customers": {"customer_id": "a"},
    }
    return Settings.model_validate(
        {
            "company": {"name_en": "Test", "name_zh": "测试"},
            "systems": {"till": {"connector": "postgres", "connection": "till", "time_zone": "UTC"}},
            "feeds": {
                feed: {
                    "sources": [{**source, "columns": columns[feed]}],
                    **({"checks": of_orders or {}} if feed == "orders" else {}),
                }
                for feed in ("orders", *feeds)
            },
            **more,
        }
    )


def rule_named(name: str, settings: Settings) -> RowRule:
    (rule,) = (rule for rule in rules_for(settings, "orders") if rule.name == name)
    return rule


def added(**rule: object) -> RowRule:
    """Return what a rule that is added in `winback.yml` becomes."""
    return rule_named("ours", configured({"rules": {"ours": {**SAYS, **rule}}}, "customers"))


def text_of(template: str, **values: sql.Composable) -> str:
    return sql.SQL(template).format(**values).as_string(None)


def test_a_severity_of_the_deployment_takes_the_place_of_the_suites():
    name = "customer_id_is_filled"
    assert rule_named(name, configured()).severity is Severity.WARN
    rejecting = configured({"severities": {name: "reject"}})
    assert rule_named(name, rejecting).severity is Severity.REJECT


def test_a_rule_that_is_off_does_not_hold():
    rules = rules_for(configured({"severities": {"customer_id_is_filled": "off"}}), "orders")
    assert "customer_id_is_filled" not in {rule.name for rule in rules}
    assert len(rules) == len(rules_for(configured(), "orders")) - 1


def test_the_severity_of_a_rule_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(WinbackError, match="no rule named customer_is_filled") as caught:
        rules_for(configured({"severities": {"customer_is_filled": "off"}}), "orders")
    assert "customer_id_is_filled" in str(caught.value)


def test_a_reference_holds_where_its_feed_is_configured():
    reference = "customer_id_refers_to_customers"
    assert reference not in {rule.name for rule in rules_for(configured(), "orders")}
    assert reference in {rule.name for rule in rules_for(configured(None, "customers"), "orders")}


@pytest.mark.parametrize(
    ("says", "predicate"),
    [
        ({"column": "channel", "required": True}, "landed.channel is null"),
        ({"column": "channel", "allowed": ["店", "it's"]}, "landed.channel::text not in ('店', 'it''s')"),
        ({"column": "amount", "at_least": 0}, "landed.amount < 0.0"),
        (
            {"column": "amount", "at_least": -1, "at_most": 9.5},
            "landed.amount < -1.0 or landed.amount > 9.5",
        ),
        ({"column": "store_id", "matches": "S[0-9]{2}|X"}, "landed.store_id::text !~ '^(S[0-9]{2}|X)$'"),
    ],
)
def test_an_added_rule_becomes_one_predicate(says, predicate):
    rule = added(**says)
    assert text_of(rule.fails_when) == predicate
    assert (rule.severity, rule.owner) == (Severity.REJECT, "data engineering")
    assert (rule.protects_en, rule.protects_zh) == tuple(SAYS.values())


def test_an_added_reference_is_found_under_its_own_name():
    rule = added(column="store_id", refers_to="customers", severity="warn")
    assert (rule.name, rule.refers_to, rule.severity) == ("ours", "customers", Severity.WARN)
    assert rule.fails_when == "'ours' = any(landed.found)"
    assert "known.customer_id = landed.store_id" in (rule.finds or "")


def test_added_repeats_compare_the_columns_that_are_named_or_every_one_of_the_source():
    assert "partition by landed.order_id, landed.amount " in (
        added(no_repeats=["order_id", "amount"]).finds or ""
    )
    assert "landed.source_text" in (added(no_repeats="every_source_column").finds or "")


@pytest.mark.parametrize(
    "says",
    [
        {"column": "channel"},
        {"column": "channel", "required": True, "allowed": ["店"]},
        {"required": True},
        {"column": "channel", "no_repeats": ["order_id"]},
    ],
)
def test_an_added_rule_says_exactly_one_thing(says):
    with pytest.raises(ValidationError, match="give "):
        added(**says)


def test_an_added_rule_may_not_take_the_name_of_another():
    taken = configured({"rules": {"amount_is_filled": {**SAYS, "column": "amount", "required": True}}})
    with pytest.raises(WinbackError, match="two rules named"):
        rules_for(taken, "orders")


def test_thresholds_are_those_of_the_deployment():
    settings = configured(
        checks={"thresholds": {"future": "2 hours"}},
        business={"currency": "EUR", "lines": {"retail": "retail", "dealers": "distribution"}},
    )
    assert settings.checks.thresholds.future == timedelta(hours=2)
    said = text_of("{future} {currency} {business_lines} {line_amount} {cent}", **thresholds(settings))
    assert "2:00:00" in said
    assert "EUR" in said
    assert "retail,dealers" in said
    assert said.endswith("0.01 0.01")


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of one language on a page of the documents."""
    text = (paths.ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def test_the_rules_in_the_documents_of_the_configuration_hold():
    (piece,) = [text for text in blocks("configuration.md", "yaml") if "order_is_not_sent_twice" in text]
    said = yaml.safe_load(piece)
    settings = configured(said["feeds"]["orders"]["checks"], checks=said["checks"])
    rules = {rule.name: rule for rule in rules_for(settings, "orders")}
    assert rules["customer_id_is_filled"].severity is Severity.REJECT
    assert rules["order_is_not_sent_twice"].severity is Severity.WARN
    assert "S[0-9]" in rules["store_is_ours"].fails_when
    assert "promised_at_is_not_before_ordered_at" not in rules


def test_the_pieces_of_the_how_to_about_checks_are_what_it_says():
    (piece,) = blocks("how-to/add-a-check.md", "yaml")
    severities = yaml.safe_load(piece)["feeds"]["complaints"]["checks"]["severities"]
    assert severities.keys() <= {rule.name for rule in suite_for("complaints").row_rules()}
    assert FeedChecks.model_validate({"severities": severities}).severities == severities
    rule, example = (
        eval(text, {"RowRule": RowRule, "Severity": Severity})
        for text in blocks("how-to/add-a-check.md", "python")
    )
    suite = suite_for("complaints")
    assert rule in replace(suite, rules=(*suite.rules, rule)).row_rules()
    assert example.keys() == {rule.name}
