"""Flags: on which days which rule held of whom."""

from collections.abc import Callable
from datetime import date
from functools import cache

from tests.property.oracle_customers import DAY, Customer, Row
from tests.property.oracle_rules import AT_MOST, COMPARE, ChurnRule, Rules
from tests.property.oracle_signals import Signals, Value, waiting_days


class Flags:
    """The rules, applied to a customer at the end of a day."""

    def __init__(self, rules: Rules, signals: Signals, policy_name: Callable[[Customer], str]) -> None:
        self.rules, self.signals, self.policy_name = rules, signals, policy_name
        self.in_force = cache(self._in_force)

    def _in_force(self, policy: str, day: date) -> tuple[ChurnRule, ...]:
        """Return a policy's rules in force: of each the latest valid_from on or before the day."""
        latest: dict[str, ChurnRule] = {}
        for rule in sorted(self.rules.churn_rules, key=lambda rule: rule.valid_from):
            if rule.policy == policy and rule.valid_from <= day:
                latest[rule.rule_id] = rule
        return tuple(rule for rule in latest.values() if rule.enabled)

    def observed(self, rule: ChurnRule, who: Customer, day: date) -> Value | None:
        """Return what a rule sees of a customer if its condition holds at the end of a day."""
        if rule.comparator in AT_MOST and day < who.order_days[0] + waiting_days(rule.signal):
            return None
        value = self.signals.value(rule.signal, who, day)
        if value is None or not COMPARE[rule.comparator](value, rule.threshold):
            return None
        return value

    def holds(self, outcome: str, who: Customer, day: date) -> bool:
        """Return whether any rule of an outcome holds of someone who has ordered."""
        return any(
            self.observed(rule, who, day) is not None
            for rule in self.in_force(self.policy_name(who), day)
            if rule.outcome == outcome
        )

    def on(self, who: Customer, day: date) -> dict[ChurnRule, Value]:
        """Return all that holds of a customer at the end of a day, with what is observed."""
        if not who.has_ordered(day) or who.closing(day) == "natural":
            return {}
        seen = ((rule, self.observed(rule, who, day)) for rule in self.in_force(self.policy_name(who), day))
        return {rule: value for rule, value in seen if value is not None}

    def history(self, who: Customer, as_of: date) -> list[Row]:
        """Go through the customer's days, and note what opens and what closes."""
        rows: list[Row] = []
        open_rows: dict[ChurnRule, Row] = {}
        day = who.order_days[0] if who.order_days else as_of
        while day <= as_of:
            held = self.on(who, day)
            for rule in open_rows.keys() - held.keys():
                open_rows.pop(rule).update(closed_on=day, closed_because=self.why_closed(rule, who, day))
            for rule in held.keys() - open_rows.keys():
                open_rows[rule] = {
                    "rule_id": rule.rule_id,
                    "rule_valid_from": rule.valid_from,
                    "outcome": rule.outcome,
                    "signal": rule.signal,
                    "observed": held[rule],
                    "threshold": rule.threshold,
                    "opened_on": day,
                    "closed_on": None,
                    "closed_because": None,
                }
                rows.append(open_rows[rule])
            day += DAY
        return rows

    def why_closed(self, rule: ChurnRule, who: Customer, day: date) -> str:
        if who.closing(day) == "natural":
            return "account_closed"
        return "condition_ended" if rule in self.in_force(rule.policy, day) else "rule_changed"
