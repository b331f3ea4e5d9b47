"""Suites: structural rules follow from the feed, codes from the seeds, and every rule says what it is for."""

import re
import string

import pytest

from winback.check import suites
from winback.check.rules import AllowedCodes, NoRepeats, Reference, RowRule, Severity, Suite
from winback.check.suites import suite_for
from winback.config_checks import Thresholds
from winback.errors import WinbackError
from winback.feeds import FEEDS

EVERY_RULE = [
    pytest.param(rule, id=f"{feed}-{rule.name}") for feed in FEEDS for rule in suite_for(feed).row_rules()
]
WORDS = {"severity": Severity.WARN, "owner": "x", "protects_en": "X.", "protects_zh": "某。"}


def names_in(template: str) -> set[str]:
    """Return what stands in braces in a template."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("feed", FEEDS)
def test_every_feed_has_a_suite_of_its_own(feed):
    assert suite_for(feed).feed == feed
    assert suite_for(feed).rules


@pytest.mark.parametrize("feed", FEEDS)
def test_every_feed_rejects_rows_without_what_is_required(feed):
    rejected = {rule.name for rule in suite_for(feed).row_rules() if rule.severity is Severity.REJECT}
    assert {f"{column}_is_filled" for column in FEEDS[feed].required} <= rejected


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_a_rule_says_in_both_languages_what_it_protects_and_whose_it_is(rule):
    assert rule.owner
    assert re.fullmatch(r"[A-Z].*[^.]\.", rule.protects_en)
    assert re.search(r"[\u4e00-\u9fff].*。$", rule.protects_zh)


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_a_rule_reads_no_clock_that_goes_on_between_check_and_load(rule):
    clocks = r"now\(|current_|clock_timestamp|localtime"
    assert not re.search(clocks, f"{rule.fails_when} {rule.finds} {rule.has_arrived}")


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_a_rule_names_only_what_will_be_filled_in(rule):
    assert names_in(rule.fails_when) <= {*Thresholds.model_fields, "currency", "business_lines"}
    raw = {f"raw_{feed}" for feed in FEEDS}
    assert names_in(rule.finds or "") <= {"landing", "source_id", *raw}
    assert names_in(rule.has_arrived or "") <= raw


@pytest.mark.parametrize("rule", EVERY_RULE)
def test_a_rule_that_a_row_can_wait_for_says_when_the_wait_is_over(rule):
    assert (rule.refers_to is None) == (rule.has_arrived is None)


@pytest.mark.parametrize("feed", FEEDS)
def test_what_is_compared_from_batch_to_batch_are_columns_of_the_feed(feed):
    suite = suite_for(feed)
    assert all(FEEDS[feed].column(name).type == "numeric" for name in suite.amounts)
    assert all(FEEDS[feed].column(name).type == "text" for name in suite.categories)


def test_the_money_and_the_mix_of_orders_are_compared():
    assert suite_for("orders").amounts == ("amount",)
    assert "channel" in suite_for("orders").categories


def test_the_codes_of_a_seed_become_the_rule():
    (rule,) = (rule for rule in suite_for("orders").row_rules() if rule.name == "status_is_known")
    assert "'completed'" in rule.fails_when
    assert rule.severity is Severity.REJECT


def test_the_companys_own_codes_are_known_too(tmp_path, monkeypatch):
    monkeypatch.setenv("WINBACK_COMPANY_RULES", str(tmp_path))
    (tmp_path / "order_statuses.csv").write_text("status,order_class\n Handed Over ,sale\n", encoding="utf-8")
    (rule,) = (rule for rule in suite_for("orders").row_rules() if rule.name == "status_is_known")
    assert "'handed over'" in rule.fails_when


def test_an_empty_seed_refuses_no_row(monkeypatch):
    monkeypatch.setattr("winback.check.rules.load_seed", lambda name: ())
    codes = AllowedCodes("status", "x", "X.", "某。", seed="words", seed_column="word")
    with pytest.raises(WinbackError, match="fill the seed"):
        codes.rule("orders")


def test_a_reference_is_looked_up_among_the_rows_of_the_system_that_the_row_names():
    ours = Reference("customer_id", "customers", **WORDS).rule("orders")
    assert ours.name == "customer_id_refers_to_customers"
    assert "coalesce(landed.customer_source_id, {source_id})" in (ours.finds or "")
    assert "{landing} as own" not in (ours.finds or "")
    own = Reference("parent_region_id", "regions", **WORDS).rule("regions")
    assert "known.source_id = {source_id}" in (own.finds or "")
    assert "{landing} as own" in (own.finds or "")


@pytest.mark.parametrize(("severity", "waits_for"), [(Severity.REJECT, "orders"), (Severity.WARN, None)])
def test_only_a_row_that_is_rejected_waits_for_what_it_refers_to(severity, waits_for):
    rule = Reference("order_id", "orders", **{**WORDS, "severity": severity}).rule("order_lines")
    assert rule.waits_for == waits_for


def test_repeats_are_compared_in_the_columns_that_are_named():
    rule = NoRepeats("twice", ("order_id", "amount"), **WORDS).rule("orders")
    assert "partition by landed.order_id, landed.amount " in (rule.finds or "")
    assert rule.compares_rows


def test_two_rules_of_one_name_are_refused():
    twice = RowRule("amount_is_filled", "false", **WORDS)
    with pytest.raises(WinbackError, match="two rules named"):
        Suite("orders", (twice,)).row_rules()


def test_a_feed_without_a_module_has_the_rules_of_every_feed(monkeypatch):
    monkeypatch.setattr(suites.importlib.util, "find_spec", lambda name: None)
    assert {rule.name for rule in suite_for("regions").row_rules()} == {
        "region_id_is_filled",
        "text_is_legible",
        "key_is_not_repeated",
    }
