"""Which rules hold: those of `expectations/`, those that `winback.yml` adds, with the severities it sets."""

import importlib
import importlib.util
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from psycopg import sql

from winback.check.rules import NoRepeats, Reference, RowRule, Severity, Suite, literal
from winback.config import Settings
from winback.config_checks import AddedRule, Thresholds
from winback.errors import WinbackError


def suite_for(feed: str) -> Suite:
    """Return a feed's suite from `expectations/`, or the structural rules alone where it has none."""
    name = f"expectations.{feed}"
    if importlib.util.find_spec(name) is None:
        return Suite(feed=feed)
    suite = importlib.import_module(name).SUITE
    assert isinstance(suite, Suite)
    return suite


def rules_for(settings: Settings, feed: str) -> tuple[RowRule, ...]:
    """Return the rules about rows that hold for a feed of this deployment.

    References to feeds that are not configured are left out, since nothing could be found there.

    Raises:
        WinbackError: `winback.yml` sets the severity of a rule that does not exist, or adds one whose name is
            taken, or one about a column or feed that does not exist.
    """
    suite, checks = suite_for(feed), settings.feeds[feed].checks
    added = tuple(_added(feed, name, rule) for name, rule in checks.rules.items())
    every = replace(suite, rules=(*suite.rules, *added)).row_rules()
    names = [rule.name for rule in every]
    if unknown := sorted(set(checks.severities) - set(names)):
        raise WinbackError(
            f"feeds.{feed}.checks.severities: no rule named {', '.join(unknown)}.",
            f"choose among: {', '.join(names)}",
        )
    for rule in every:
        if rule.is_needed and checks.severities.get(rule.name) in ("warn", "off"):
            raise WinbackError(
                f"feeds.{feed}.checks.severities.{rule.name}: no row that breaks it can be stored.",
                "reject such rows, or stop their batch",
            )
    return tuple(
        replace(rule, severity=Severity(checks.severities.get(rule.name, rule.severity)))
        for rule in every
        if checks.severities.get(rule.name) != "off"
        and (rule.refers_to is None or rule.refers_to in settings.feeds)
    )


def in_load_order(settings: Settings, feeds: Iterable[str]) -> list[str]:
    """Return feeds so that what rows refer to comes before them: customers, then orders, then their lines."""
    ordered: list[str] = []
    rest = list(feeds)
    while rest:
        ready = [feed for feed in rest if not _refers_to(settings, feed) & set(rest) - {feed}] or rest[:1]
        ordered += ready
        rest = [feed for feed in rest if feed not in ready]
    return ordered


def _refers_to(settings: Settings, feed: str) -> set[str]:
    return {rule.refers_to for rule in rules_for(settings, feed) if rule.refers_to is not None}


def thresholds(settings: Settings) -> dict[str, sql.Literal]:
    """Return what `{name}` in a rule's predicate stands for."""
    values: dict[str, Any] = {
        name: getattr(settings.checks.thresholds, name) for name in Thresholds.model_fields
    }
    values["currency"] = settings.business.currency
    values["business_lines"] = list(settings.business.lines)
    return {name: sql.Literal(value) for name, value in values.items()}


def _added(feed: str, name: str, added: AddedRule) -> RowRule:
    """Turn a rule of `winback.yml` into one of a suite."""
    column = f"landed.{added.column}"
    words: dict[str, Any] = {
        "severity": Severity(added.severity),
        "owner": added.owner,
        "protects_en": added.protects_en,
        "protects_zh": added.protects_zh,
    }
    if added.no_repeats is not None:
        return NoRepeats(name, added.no_repeats, apart_from=added.apart_from, **words).rule(feed)
    if added.refers_to is not None:
        rule = Reference(str(added.column), added.refers_to, **words).rule(feed)
        return replace(rule, name=name, fails_when=rule.fails_when.replace(literal(rule.name), literal(name)))
    if added.required:
        predicate = f"{column} is null"
    elif added.allowed is not None:
        predicate = f"{column}::text not in ({', '.join(map(literal, added.allowed))})"
    elif added.matches is not None:
        predicate = f"{column}::text !~ {literal(f'^({added.matches})$')}"
    else:
        bounds = ((added.at_least, "<"), (added.at_most, ">"))
        predicate = " or ".join(f"{column} {sign} {bound}" for bound, sign in bounds if bound is not None)
    return RowRule(name, predicate, **words)
