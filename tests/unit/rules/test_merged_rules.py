"""A company's row wins over the shipped one of the same key; what dbt loads, and what is in force."""

import csv
from datetime import date
from decimal import Decimal

from tests.unit.rules.rule_samples import LINES, RULE, as_csv
from winback.rules.load import load_rules
from winback.rules.overview import overview
from winback.rules.seeds import descriptions, read_seeds

DAY = date(2026, 3, 1)


def thresholds(rules, day=DAY):
    return {row["rule_id"]: row["threshold"] for row in rules.in_force("retail", day)}


def test_a_companys_row_replaces_the_shipped_one_or_follows_it(company):
    company(
        "churn_rules.csv",
        as_csv(
            RULE
            | {
                "rule_id": "silent_long",
                "valid_from": "1900/1/1",
                "threshold": "１５０",
                "outcome": "churned",
            },
            RULE | {"rule_id": "silent", "comparator": "＞＝", "outcome": "at_risk"},
            RULE | {"rule_id": "unusual_gap", "enabled": "FALSE", "valid_from": "2026-03-01"},
        ),
    )
    rules = load_rules(LINES)
    assert thresholds(rules, date(2025, 12, 31)) == {
        "silent": 90,
        "silent_long": 150,
        "unusual_gap": Decimal("4.3"),
    }
    assert thresholds(rules, date(2026, 2, 28)) == {
        "silent": 45,
        "silent_long": 150,
        "unusual_gap": Decimal("4.3"),
    }
    assert thresholds(rules) == {"silent": 45, "silent_long": 150}
    assert rules.watched_signals(LINES) == {"retail": ["days_since_last_order", "interval_ratio"]}


def test_a_signal_that_no_enabled_rule_watches_is_not_computed(company):
    company(
        "churn_rules.csv",
        as_csv(
            RULE
            | {
                "rule_id": "unusual_gap",
                "signal": "interval_ratio",
                "enabled": "false",
                "valid_from": "1900-01-01",
            }
        ),
    )
    assert load_rules(LINES).watched_signals(LINES) == {"retail": ["days_since_last_order"]}


def test_the_seeds_are_written_plainly_and_only_when_they_changed(company, tmp_path_factory):
    company(
        "policies.csv",
        "policy,churn_days,new_days,won_back_days,bridge_months,monthly_minimum,"
        "balance_minimum,margin_share,discount_rate\n"
        "烘焙,４５,7,30,12,,1000.50,0.5,0.1\n",
    )
    company("complaint_statuses.csv", "is_open,status\nTRUE, Escalated（高） \n")
    company("churn_rules.csv", as_csv(RULE | {"label_en": 'say "call", twice', "valid_from": "2026/3/9"}))
    folder = tmp_path_factory.mktemp("seeds")
    (folder / "gone.csv").write_text("of an older release")
    load_rules(LINES).write(folder)
    assert {file.name for file in folder.iterdir()} == {
        *(f"{name}.csv" for name in read_seeds()),
        *(file.name for file in descriptions()),
    }
    rows = {
        name: list(csv.DictReader((folder / f"{name}.csv").open(encoding="utf-8"))) for name in read_seeds()
    }
    assert list(rows["policies"][-1].values()) == ["烘焙", "45", "7", "30", "12", "", "1000.50", "0.5", "0.1"]
    assert rows["complaint_statuses"][-1] == {"status": "escalated（高）", "is_open": "true"}
    assert rows["churn_rules"][-1] == RULE | {"label_en": 'say "call", twice', "valid_from": "2026-03-09"}
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    company("complaint_statuses.csv", "status,is_open\n升级,true\n")
    load_rules(LINES).write(folder)
    changed = [file.name for file, at in before.items() if file.stat().st_mtime_ns != at]
    assert changed == ["complaint_statuses.csv"]


def test_the_overview_says_what_holds_what_will_and_which_rows_are_the_companys(company):
    file = company(
        "churn_rules.csv",
        as_csv(
            RULE | {"rule_id": "silent", "outcome": "at_risk", "valid_from": "2026-03-01"},
            RULE | {"rule_id": "silent", "enabled": "false", "valid_from": "2026-09-01"},
            RULE | {"rule_id": "silent_long", "outcome": "churned", "action": "win_back", "threshold": "200"},
        ),
    )
    said = list(overview(load_rules(LINES | {"none": "retail"}), LINES, DAY))
    assert said[:6] == [
        "shops (policy retail), 3 rules on 2026-03-01:",
        f"  silent: days_since_last_order >= 45 -> at_risk, call  ({file}:2)",
        f"  silent_long: days_since_last_order >= 200 -> churned, win_back  ({file}:4)",
        "  unusual_gap: interval_ratio >= 4.3 -> watch, review",
        f"  from 2026-09-01: silent ends  ({file}:3)",
        "policies: 6 rows",
    ]
    assert f"churn_rules: 22 rows, 3 of {file}" in said
    (warning,) = (line for line in said if line.startswith("warning"))
    assert warning == (
        f"warning: {file}:4: churned after 200 days, but retail has churn_days 180 in policies.csv:"
        " the first churn rates will be too low"
    )


def test_a_policy_without_an_enabled_rule_is_only_warned_of(company):
    company(
        "policies.csv",
        "policy,churn_days,new_days,won_back_days,bridge_months,monthly_minimum,"
        "balance_minimum,margin_share,discount_rate\n"
        "bakery,,7,30,12,,,0.5,0.1\n",
    )
    assert load_rules({"shops": "bakery"}).warnings == (
        "bakery: no rule is enabled, so none of its customers is ever at risk or churned",
    )
    assert load_rules(LINES).warnings == ()


def test_what_somebody_left_for_is_of_one_class_whether_it_was_said_or_guessed():
    seeds = load_rules(LINES).seeds
    classes = {}
    for row in (*seeds["churn_reason_codes"], *seeds["inferred_reasons"]):
        classes.setdefault(row["sub_reason"], set()).add(row["reason_class"])
    del classes["other"]
    assert {sub_reason: found for sub_reason, found in classes.items() if len(found) > 1} == {}
    assert classes["price"] == {"lured_away"}
