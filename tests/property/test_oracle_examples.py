"""The oracle itself against examples that were worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.property.company_rules import company_rules, company_seeds
from tests.property.oracle import Oracle
from tests.property.oracle_customers import DAY, RawCompany, Row
from tests.property.oracle_rules import SIGNALS, ChurnRule, Policy, Rules, shipped_rules
from winback.feeds import FEEDS

AS_OF = date(2024, 6, 30)
MAY, JUNE = date(2024, 5, 1), date(2024, 6, 1)


def row(feed: str, source_id: str = "erp", **values: Any) -> Row:
    common = {"source_id": source_id, "customer_source_id": "erp", "customer_id": "A", "deleted_on": None}
    return dict.fromkeys(FEEDS[feed].column_names) | common | values


def order(day: date, amount: int = 10, **values: Any) -> Row:
    moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    number = f"{values.get('customer_id', 'A')} {day} {amount}"
    return row("orders", **({"order_id": number, "ordered_at": moment, "amount": Decimal(amount)} | values))


def complaint(number: str, day: date, resolved_on: date | None = None, **values: Any) -> Row:
    at = {"opened_at": noon(day), "resolved_at": noon(resolved_on) if resolved_on else None}
    return row("complaints", complaint_id=number, **at, **values)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def rules_of(*watched: tuple[str, str, str], since: date = date.min, **minimums: Any) -> Rules:
    """Return rules of a shop alone: a signal, a comparator and a threshold each."""
    return Rules(
        policies={"retail": Policy(180, 90, 90, **minimums)},
        churn_rules=tuple(
            ChurnRule("retail", signal, since, signal, comparator, Decimal(threshold), "watch", True)
            for signal, comparator, threshold in watched
        ),
        tiers=shipped_rules().tiers,
        order_classes=shipped_rules().order_classes,
        natural_reasons=frozenset({"deceased"}),
        open_statuses={"open": True, "closed": False},
    )


def company(orders: list[Row], zone: str = "UTC", **others: list[Row]) -> RawCompany:
    return RawCompany(AS_OF, zone, {"shop": "retail"}, "shop", orders, **others)


def signal(name: str, orders: list[Row], zone: str = "UTC", **more: Any) -> Any:
    minimums = {key: more.pop(key) for key in ("monthly_minimum", "balance_minimum") if key in more}
    oracle = Oracle(company(orders, zone, **more), rules_of((name, ">=", "0"), **minimums))
    return oracle.int_signals[("erp:A",)][name]


def test_every_signal_is_watched_by_some_line_of_the_invented_company():
    rules = company_rules()
    assert set().union(*(rules.watched(policy) for policy in rules.policies)) == set(SIGNALS)
    assert {rule.comparator for rule in rules.churn_rules} == {">=", "<=", ">", "<", "="}
    assert company_seeds()["policies.csv"].splitlines()[1] == "distribution,180,90,90,100,,1,0.3,0.15"


def test_a_signal_that_no_rule_watches_is_null():
    oracle = Oracle(company([order(AS_OF)]), rules_of(("days_since_last_order", ">=", "1")))
    found = oracle.int_signals[("erp:A",)]
    assert found["days_since_last_order"] == 0
    assert [name for name in SIGNALS if found[name] is not None] == ["days_since_last_order"]


def test_half_past_midnight_in_shanghai_is_the_day_before_in_utc():
    half_past = {"ordered_at": datetime(2024, 6, 19, 16, 30, tzinfo=UTC)}
    assert signal("days_since_last_order", [order(AS_OF, **half_past)], "Asia/Shanghai") == 10
    assert signal("days_since_last_order", [order(AS_OF, **half_past)]) == 11


def test_the_window_of_30_days_ends_with_the_day():
    assert signal("orders_last_30d", [order(MAY + 30 * DAY), order(JUNE), order(AS_OF)]) == 2


def test_regulars_had_four_orders_in_the_30_days_before():
    before = [order(date(2024, 5, day)) for day in (2, 10, 31)]
    assert signal("orders_last_30d_regulars", [*before, order(JUNE)]) is None
    assert signal("orders_last_30d_regulars", [*before, order(JUNE), order(date(2024, 5, 20))]) == 1


@pytest.mark.parametrize(
    ("days_ago", "ratio"),
    [
        ((100, 90, 80, 70, 60, 40), Decimal(4)),  # gaps 10 10 10 10 20
        ((90, 80, 70, 60, 40), None),  # four gaps
        ((79, 69, 59, 49, 39, 29), None),  # 29 silent days
        ((80, 70, 60, 50, 40, 30), Decimal(3)),
        ((96, 90, 80, 70, 60, 50, 43), Decimal("4.3")),  # gaps 6 10 10 10 10 7
        ((82, 80, 70, 60, 59, 58, 50), Decimal(10)),  # gaps 2 10 10 1 1 8: the middle is 5
    ],
)
def test_the_interval_ratio_goes_by_the_middle_gap(days_ago, ratio):
    assert signal("interval_ratio", [order(AS_OF - n * DAY) for n in days_ago]) == ratio


def test_a_share_declines_against_the_whole_line_and_after_the_first_month_only():
    own = [order(date(2024, month, 5), amount) for month, amount in ((2, 500), (3, 100), (4, 90), (5, 80))]
    walk_ins = [order(date(2024, month, 6), 100, customer_id=None) for month in range(2, 7)]
    assert signal("months_declining", [*own, *walk_ins]) == 3  # April, May and, with nothing, June
    assert signal("months_declining", own) == 0  # a share of everything; June has none
    spring = [*walk_ins[:3], order(date(2024, 5, 6), 80, customer_id=None), *walk_ins[4:]]
    assert signal("months_declining", [*own, *spring]) == 1  # May has 80 of 160, April 90 of 190


def test_months_below_the_minimum_come_after_the_first():
    orders = [order(date(2024, 3, 5), 5), order(date(2024, 4, 5), 100), order(date(2024, 5, 5), 99)]
    assert signal("months_below_minimum", orders, monthly_minimum=Decimal(100)) == 2
    assert signal("months_below_minimum", orders, monthly_minimum=Decimal(101)) == 3
    assert signal("months_below_minimum", orders) is None
    own = row("customers", attributes={"monthly_minimum": 99}, valid_from=date.min)
    assert signal("months_below_minimum", orders, customers=[own], monthly_minimum=Decimal(101)) == 1


@pytest.mark.parametrize(
    ("days", "missed"),
    [
        (("2022-06-20", "2023-06-22"), 1),  # due on the 29th
        (("2022-06-20", "2023-06-23"), 0),  # due on the 30th, which is as_of
        (("2022-06-20", "2023-06-22", "2024-05-25"), 0),  # seven days before June
        (("2022-06-20", "2023-06-22", "2024-05-24"), 1),
        (("2022-04-30", "2023-04-30"), 1),
        (("2022-03-01", "2023-03-01"), 0),  # only this month and the two before
    ],
)
def test_the_yearly_order_is_missed_a_week_after_the_later_day(days, missed):
    assert signal("seasonal_order_missed", [order(date.fromisoformat(day)) for day in days]) == missed


def test_the_change_of_the_amount_needs_180_days():
    last, before = AS_OF - 89 * DAY, AS_OF - 90 * DAY
    orders = [order(before, 200), order(last, 50)]
    assert signal("amount_change_90d", [*orders, order(AS_OF - 180 * DAY, 0)]) == Decimal("-0.75")
    assert signal("amount_change_90d", [*orders, order(AS_OF - 179 * DAY, 0)]) is None


def test_balances_of_a_month_that_is_missing_end_the_run():
    def balances(**amounts: int) -> list[Row]:
        month = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "june": 6}
        return [
            row("balances", month=date(2024, month[name], 9), balance=Decimal(amount))
            for name, amount in amounts.items()
        ]

    months = balances(jan=1, mar=100, apr=9, may=9, june=7)
    assert signal("balance_change_3m", [order(AS_OF)], balances=months) == Decimal("-0.93")
    low = {"balances": months, "balance_minimum": Decimal(10)}
    assert signal("months_balance_below_minimum", [order(AS_OF)], **low) == 3
    low["balances"] = balances(may=9)
    assert signal("months_balance_below_minimum", [order(AS_OF)], **low) is None


def test_status_beats_the_moment_of_resolution():
    def open_days(*complaints: Row) -> Any:
        return signal("open_complaint_days", [order(JUNE)], complaints=[*complaints])

    assert open_days(complaint("1", JUNE, AS_OF, status="open")) == 29
    assert open_days(complaint("1", JUNE, AS_OF)) is None
    assert open_days(complaint("1", JUNE, AS_OF + DAY, status="closed")) == 29
    assert open_days(complaint("1", JUNE, status="closed")) is None
    assert open_days(complaint("1", JUNE)) is None  # the source says nothing of any
    assert open_days(complaint("1", JUNE), complaint("2", MAY, JUNE)) == 29


def test_satisfaction_with_a_resolution_goes_before_any_survey():
    survey = row("surveys", survey_id="1", asked_at=noon(AS_OF), score=Decimal(4), scale_max=Decimal(10))
    told = {"surveys": [survey], "complaints": [complaint("1", MAY, JUNE, satisfaction=Decimal(1))]}
    assert signal("last_satisfaction", [order(JUNE)], **told) == 1
    told["complaints"] = [complaint("1", MAY, satisfaction=Decimal(1))]
    assert signal("last_satisfaction", [order(JUNE)], **told) == 2


def test_the_manager_of_the_last_order_counts_not_todays():
    left = row("account_managers", account_manager_id="M1", left_on=AS_OF - 5 * DAY)
    then = row("customers", account_manager_id="M1", valid_from=date.min)
    since = {"customers_versions": [then, row("customers", account_manager_id="M2", valid_from=JUNE)]}
    assert signal("account_manager_left_days", [order(MAY)], account_managers=[left], **since) == 5
    assert signal("account_manager_left_days", [order(JUNE)], account_managers=[left], **since) is None


def test_a_flag_opens_and_closes_on_the_day_at_whose_end_it_changes():
    rules = rules_of(("days_since_last_order", ">=", "14"))
    since = replace_threshold(rules, "12", AS_OF - 3 * DAY)
    first = date(2024, 4, 1)
    oracle = Oracle(company([order(first), order(MAY), order(AS_OF - 15 * DAY)]), since)
    history = [
        (row["opened_on"], row["closed_on"], row["closed_because"], row["observed"])
        for row in oracle.customer_flag_history.values()
    ]
    assert history == [
        (first + 14 * DAY, MAY, "condition_ended", 14),
        (MAY + 14 * DAY, AS_OF - 15 * DAY, "condition_ended", 14),
        # on the day the rule changes twelve days have gone by, and later fourteen
        (AS_OF - 3 * DAY, None, None, 12),
    ]
    assert [row["observed"] for row in oracle.customer_flags.values()] == [15]


def replace_threshold(rules: Rules, threshold: str, since: date) -> Rules:
    rule = rules.churn_rules[0]
    changed = ChurnRule(
        rule.policy,
        rule.rule_id,
        since,
        rule.signal,
        rule.comparator,
        Decimal(threshold),
        rule.outcome,
        rule.enabled,
    )
    return rules.with_company([changed])


def test_a_change_of_the_rule_and_a_natural_closing_close_a_flag():
    rules = rules_of(("days_since_last_order", ">=", "14"))
    died = row(
        "customers", closed_on=MAY + 20 * DAY, closed_reason="deceased", valid_from=date.min, attributes={}
    )
    for customers, since, why, closed_on in (
        ([died], AS_OF, "account_closed", MAY + 20 * DAY),
        ([], JUNE, "rule_changed", JUNE),
    ):
        oracle = Oracle(company([order(MAY)], customers=customers), replace_threshold(rules, "40", since))
        first = next(iter(oracle.customer_flag_history.values()))
        assert (first["opened_on"], first["closed_on"], first["closed_because"]) == (
            MAY + 14 * DAY,
            closed_on,
            why,
        )


def test_an_at_most_rule_waits_until_its_window_has_passed():
    oracle = Oracle(company([order(MAY)]), rules_of(("orders_last_30d", "<=", "1")))
    assert [row["opened_on"] for row in oracle.customer_flags.values()] == [MAY + 30 * DAY]


def test_scores_count_who_is_strictly_worse_and_ties_share_a_score():
    orders = [order(AS_OF - timedelta(days=n), amount, customer_id=name) for name, n, amount in BUYERS]
    table = Oracle(company(orders), rules_of()).dim_customer
    scores = {
        key: (row["rfm_recency"], row["rfm_frequency"], row["rfm_money"], row["segment"])
        for (key,), row in table.items()
    }
    low, high = "low_spend_low_frequency", "high_spend_low_frequency"
    assert scores["erp:A"] == (5, 1, 1, low)
    assert scores["erp:B"] == scores["erp:C"] == (2, 1, 2, low)
    assert scores["erp:D"] == (1, 1, 4, high)
    assert scores["erp:E"] == (4, 1, 5, high)
    assert scores["-1"] == (None, None, None, None)


BUYERS = (("A", 0, 10), ("B", 9, 20), ("C", 9, 20), ("D", 20, 30), ("E", 1, 40))


def test_who_moves_up_or_down_is_listed_with_the_month():
    orders = [order(date(2023, 5, 5), 10), order(MAY, 100), order(MAY, 50, customer_id="B")]
    orders += [order(date(2024, 6, day), 100, customer_id="B") for day in (1, 2)]
    moves = Oracle(company(orders), rules_of()).tier_movements
    found = {key: (row["from_tier"], row["to_tier"], row["direction"]) for key, row in moves.items()}
    assert found[("erp:A", JUNE)] == ("vip", "small", "down")
    assert found[("erp:B", JUNE)] == ("small", "vip", "up")
    assert moves[("erp:B", JUNE)]["revenue_12m"] == 250
