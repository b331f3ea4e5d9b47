"""A company's own rules, on top of the shipped ones: with them some business line watches every signal.

They bring each comparator, thresholds that change from a day on, rules that end, and minimums.
"""

import csv
import io
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from tests.property.oracle_rules import ChurnRule, Rules, shipped_rules

OWN_RULES = """
restaurant   rare              1900-01-01 orders_last_30d              <  2    watch
restaurant   regulars_gone     1900-01-01 orders_last_30d_regulars     <= 2    at_risk
restaurant   rhythm            1900-01-01 interval_ratio               >  2.5  at_risk
restaurant   unhappy           1900-01-01 last_satisfaction            <= 2    watch
restaurant   silent            2024-02-01 days_since_last_order        >= 10   at_risk
restaurant   silent            2024-08-15 days_since_last_order        >= 21   at_risk
auto_service few_visits        1900-01-01 orders_last_365d             <= 1    watch
auto_service few_visits        2024-03-01 orders_last_365d             <= 2    watch
auto_service spends_less       1900-01-01 amount_change_90d            <= -0.5 watch
auto_service complains         1900-01-01 complaints_last_90d          >  1    watch
auto_service season            1900-01-01 seasonal_order_missed        =  1    at_risk
auto_service silent_long       2024-06-30 days_since_last_order        >= 365  ended
distribution minimum_long      1900-01-01 months_below_minimum         >= 5    churned
distribution left_long_ago     1900-01-01 account_manager_left_days    >= 30   at_risk
distribution no_word           1900-01-01 complaints_last_90d          <  1    watch
distribution declining_on      1900-01-01 months_declining             >  4    watch
telecom      complaint_open    1900-01-01 open_complaint_days          >= 7    at_risk
telecom      complaint_ignored 1900-01-01 open_complaint_days          >= 30   churned
telecom      unhappy           1900-01-01 last_satisfaction            <  3    at_risk
telecom      hardly_used       1900-01-01 orders_last_30d              <= 1    watch
telecom      small_bill        1900-01-01 months_below_minimum         >= 2    watch
telecom      unused            2024-02-29 months_without_orders        >= 2    at_risk
retail       few_purchases     1900-01-01 orders_last_365d             <  3    watch
retail       spends_less       1900-01-01 amount_change_90d            <  -0.3 at_risk
retail       spends_more       1900-01-01 amount_change_90d            >= 1    watch
retail       complaint_open    1900-01-01 open_complaint_days          >  14   watch
retail       manager_left      1900-01-01 account_manager_left_days    =  10   watch
retail       silent_long       2024-03-01 days_since_last_order        >= 150  churned
retail_bank  balance_gone      1900-01-01 balance_change_3m            <  -0.5 churned
retail_bank  balance_low       1900-01-01 months_balance_below_minimum >= 1    watch
retail_bank  silent            1900-01-01 days_since_last_order        >  60   at_risk
retail_bank  silent            2024-01-01 days_since_last_order        >  60   ended
retail_bank  idle              1900-01-01 months_without_orders        =  2    watch
"""
HEADER = """
policy rule_id valid_from signal comparator threshold outcome action enabled label_zh label_en source
"""
MINIMUMS: dict[str, dict[str, Any]] = {
    "distribution": {"monthly_minimum": Decimal(100)},
    "telecom": {"monthly_minimum": Decimal(20)},
    "retail_bank": {"balance_minimum": Decimal(1000)},
}


@cache
def company_rules() -> Rules:
    """Return the shipped rules with the company's own."""
    shipped = shipped_rules()
    policies = {name: replace(shipped.policies[name], **minimums) for name, minimums in MINIMUMS.items()}
    return shipped.with_company(own_churn_rules(), policies)


def own_churn_rules() -> list[ChurnRule]:
    rules = []
    for line in OWN_RULES.strip().splitlines():
        policy, rule_id, valid_from, signal, comparator, threshold, outcome = line.split()
        goes_on = outcome != "ended"
        rules.append(
            ChurnRule(
                policy,
                rule_id,
                date.fromisoformat(valid_from),
                signal,
                comparator,
                Decimal(threshold),
                outcome if goes_on else "watch",
                goes_on,
            )
        )
    return rules


def company_seeds() -> dict[str, str]:
    """Return the company's own rules as the files of seeds/company, by name."""
    rules = company_rules()
    churn_rules = [
        asdict(rule)
        | {
            "action": "review",
            "enabled": str(rule.enabled).lower(),
            "label_zh": f"规则：{rule.rule_id}",
            "label_en": rule.rule_id.replace("_", " "),
            "source": "default",
        }
        for rule in own_churn_rules()
    ]
    unused = {"margin_share": "0.3", "discount_rate": "0.15"}  # forecasts are no part of the oracle
    policies = [{"policy": name, **asdict(rules.policies[name]), **unused} for name in MINIMUMS]
    return {
        "churn_rules.csv": as_csv(HEADER.split(), churn_rules),
        "policies.csv": as_csv(list(policies[0]), policies),
    }


def as_csv(columns: list[str], rows: list[dict[str, object]]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()
