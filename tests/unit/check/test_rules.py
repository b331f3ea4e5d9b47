"""Suites: structural rules follow from the feed, codes from the seeds, names are unique."""

import re

import pytest

from winback.check import suite_for
from winback.check.rules import RowRule, Severity, Suite
from winback.errors import WinbackError
from winback.feeds import FEEDS


@pytest.mark.parametrize("feed", FEEDS)
def test_every_feed_rejects_rows_without_what_is_required(feed):
    names = {rule.name for rule in suite_for(feed).row_rules()}
    assert {f"{column}_is_filled" for column in FEEDS[feed].required} <= names


@pytest.mark.parametrize("feed", ["orders", "complaints"])
def test_every_rule_says_in_both_languages_what_it_protects_and_whose_it_is(feed):
    rules = suite_for(feed).row_rules()
    assert rules
    for rule in rules:
        assert rule.owner
        assert rule.protects_en.endswith(".")
        assert rule.protects_zh.endswith("。")


def test_the_codes_of_a_seed_become_the_rule():
    (rule,) = (rule for rule in suite_for("orders").row_rules() if rule.name == "status_is_known")
    assert "'completed'" in rule.fails_when
    assert rule.severity is Severity.REJECT


@pytest.mark.parametrize("feed", FEEDS)
def test_no_rule_reads_a_clock_that_goes_on_between_check_and_load(feed):
    rules = suite_for(feed).row_rules()
    assert rules
    for rule in rules:
        assert not re.search(r"now\(|current_|clock_timestamp|localtime", rule.fails_when)


def test_two_rules_of_one_name_are_refused():
    twice = RowRule("amount_is_filled", "false", Severity.WARN, "x", "X.", "。")
    with pytest.raises(WinbackError, match="two rules named"):
        Suite("orders", (twice,)).row_rules()
