"""The business rules as the oracle reads them: the shipped seeds, and a company's own rows on top of them."""

import csv
import operator
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from winback import paths

COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq}
AT_MOST = ("<=", "<")
SIGNALS = (
    "days_since_last_order",
    "orders_last_30d",
    "orders_last_30d_regulars",
    "orders_last_365d",
    "interval_ratio",
    "months_declining",
    "months_below_minimum",
    "months_without_orders",
    "seasonal_order_missed",
    "amount_change_90d",
    "balance_change_3m",
    "months_balance_below_minimum",
    "open_complaint_days",
    "complaints_last_90d",
    "last_satisfaction",
    "account_manager_left_days",
)


@dataclass(frozen=True)
class Policy:
    churn_days: int | None
    new_days: int
    won_back_days: int
    monthly_minimum: Decimal | None = None
    balance_minimum: Decimal | None = None
    bridge_months: int = 12


@dataclass(frozen=True)
class ChurnRule:
    policy: str
    rule_id: str
    valid_from: date
    signal: str
    comparator: str
    threshold: Decimal
    outcome: str
    enabled: bool

    @property
    def key(self) -> tuple[str, str, date]:
        return self.policy, self.rule_id, self.valid_from


@dataclass(frozen=True)
class Rules:
    """The business rules: the seeds, and the few scalars of the definitions."""

    policies: dict[str, Policy]
    churn_rules: tuple[ChurnRule, ...]
    tiers: tuple[tuple[str, int], ...]
    order_classes: dict[str, str]
    natural_reasons: frozenset[str]
    open_statuses: dict[str, bool]
    reversal_days: int = 7
    trailing_months: int = 12
    weeks_kept: int = 13
    history_days: int = 1  # the churn rate needs data from s - churn_days + 1 day
    interval_ratio_min_gaps: int = 5
    interval_ratio_min_days: int = 30
    regulars_min_orders: int = 4

    def with_company(
        self, churn_rules: Iterable[ChurnRule] = (), policies: dict[str, Policy] | None = None
    ) -> "Rules":
        """Return the rules with a company's own rows, which win over those of the same key."""
        merged = {rule.key: rule for rule in (*self.churn_rules, *churn_rules)}
        return replace(self, churn_rules=tuple(merged.values()), policies=self.policies | (policies or {}))

    def watched(self, policy: str) -> set[str]:
        """Return the signals that some enabled rule of a policy looks at, whenever it is in force."""
        return {rule.signal for rule in self.churn_rules if rule.policy == policy and rule.enabled}


def shipped_rules() -> Rules:
    """Read the seeds."""
    return Rules(
        policies={row["policy"]: _policy(row) for row in _seed("policies")},
        churn_rules=tuple(
            ChurnRule(
                row["policy"],
                row["rule_id"],
                date.fromisoformat(row["valid_from"]),
                row["signal"],
                row["comparator"],
                Decimal(row["threshold"]),
                row["outcome"],
                row["enabled"] == "true",
            )
            for row in _seed("churn_rules")
        ),
        tiers=tuple(
            (row["tier"], int(row["upper_share"]))
            for row in sorted(_seed("tier_rules"), key=lambda row: int(row["rank_order"]))
        ),
        order_classes={row["status"]: row["order_class"] for row in _seed("order_statuses")},
        natural_reasons=frozenset(
            row["reason"] for row in _seed("closed_reasons") if row["closing_class"] == "natural"
        ),
        open_statuses={row["status"]: row["is_open"] == "true" for row in _seed("complaint_statuses")},
    )


def _policy(row: dict[str, str]) -> Policy:
    return Policy(
        int(row["churn_days"]) if row["churn_days"] else None,
        int(row["new_days"]),
        int(row["won_back_days"]),
        *(Decimal(row[name]) if row.get(name) else None for name in ("monthly_minimum", "balance_minimum")),
        int(row["bridge_months"]),
    )


def _seed(name: str) -> list[dict[str, str]]:
    with open(paths.DBT_PROJECT / "seeds" / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
