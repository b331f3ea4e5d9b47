"""The signals: what a customer with an order shows at the end of a day. None stands for null."""

import re
from bisect import bisect_right
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from statistics import median

from tests.property.oracle_customers import (
    DAY,
    Customer,
    count,
    first_of_month,
    last_complete_month,
    month_end,
)
from tests.property.oracle_rules import Policy, Rules

Value = int | Decimal


class Signals:
    """Every signal by its name, for any customer who has ordered by the day."""

    def __init__(
        self,
        rules: Rules,
        policy: Callable[[Customer], Policy],
        line_revenue: Callable[[str, date], Decimal],
        manager_left_on: Callable[[Customer, date], date | None],
    ) -> None:
        self.rules, self.policy, self.line_revenue = rules, policy, line_revenue
        self.manager_left_on = cache(manager_left_on)
        self.median_gap = cache(self._median_gap)
        self.declining = cache(self._declining)
        self.below_minimum = cache(self._below_minimum)
        self.balance_below_minimum = cache(self._balance_below_minimum)
        self.seasonal_due = cache(self._seasonal_due)

    def value(self, signal: str, who: Customer, day: date) -> Value | None:
        found: Value | None = getattr(self, signal)(who, day)
        return found

    # Orders

    def days_since_last_order(self, who: Customer, day: date) -> int:
        last = who.last_order(day)
        assert last is not None
        return (day - last).days

    def orders_last_30d(self, who: Customer, day: date) -> int:
        return count(who.order_days, day - 29 * DAY, day)

    def orders_last_30d_regulars(self, who: Customer, day: date) -> int | None:
        before = self.orders_last_30d(who, day - 30 * DAY)
        return self.orders_last_30d(who, day) if before >= self.rules.regulars_min_orders else None

    def orders_last_365d(self, who: Customer, day: date) -> int:
        return count(who.order_days, day - 364 * DAY, day)

    def interval_ratio(self, who: Customer, day: date) -> Decimal | None:
        silent = self.days_since_last_order(who, day)
        purchases = bisect_right(who.purchase_days, day)
        if purchases - 1 < self.rules.interval_ratio_min_gaps or silent < self.rules.interval_ratio_min_days:
            return None
        return silent / self.median_gap(who, purchases)

    def _median_gap(self, who: Customer, purchases: int) -> Decimal:
        """Return the middle time between the customer's first so many purchase days."""
        days = who.purchase_days[:purchases]
        return median(Decimal((days[n + 1] - days[n]).days) for n in range(purchases - 1))

    # Months

    def months_without_orders(self, who: Customer, day: date) -> int:
        last, month = who.last_order(day), last_complete_month(day)
        assert last is not None
        return max(0, (month.year - last.year) * 12 + month.month - last.month)

    def months_declining(self, who: Customer, day: date) -> int | None:
        return self.declining(who, last_complete_month(day))

    def _declining(self, who: Customer, month: date) -> int | None:
        first = first_of_month(who.order_days[0])
        if month <= first:
            return None

        def declines(month: date) -> bool:
            before = first_of_month(month, -1)
            if before <= first:
                return False
            now, then = self.share(who, month), self.share(who, before)
            return now is not None and then is not None and now < then

        return run_of_months(month, declines)

    def share(self, who: Customer, month: date) -> Fraction | None:
        """Return the customer's part of what the whole line took in a month, if it took anything."""
        whole = self.line_revenue(who.line, month)
        return Fraction(who.revenue(month, month_end(month))) / Fraction(whole) if whole > 0 else None

    def months_below_minimum(self, who: Customer, day: date) -> int | None:
        return self.below_minimum(who, last_complete_month(day))

    def _below_minimum(self, who: Customer, month: date) -> int | None:
        first, minimum = first_of_month(who.order_days[0]), self.minimum(who, "monthly_minimum")
        if minimum is None or minimum <= 0 or month <= first:  # 0 is how systems write that there is none
            return None
        return run_of_months(
            month, lambda month: month > first and who.revenue(month, month_end(month)) < minimum
        )

    def minimum(self, who: Customer, name: str) -> Decimal | None:
        """Return the customer's own minimum if a number is given, else the policy's."""
        own = (who.master.get("attributes") or {}).get(name)
        if not isinstance(own, bool) and re.fullmatch(r"-?\d+(\.\d+)?", str(own)):
            return Decimal(str(own))
        policys: Decimal | None = getattr(self.policy(who), name)
        return policys

    def seasonal_order_missed(self, who: Customer, day: date) -> int:
        months = (first_of_month(day, -n) for n in range(3))
        return int(any(self.is_missed(who, month, day) for month in months))

    def is_missed(self, who: Customer, month: date, day: date) -> bool:
        due = self.seasonal_due(who, month)
        return due is not None and day > due and not count(who.order_days, month - 7 * DAY, day)

    def _seasonal_due(self, who: Customer, month: date) -> date | None:
        """Return by when the order of a month is expected; none if it is not a yearly one."""
        firsts = [who.first_order_in(first_of_month(month, -n)) for n in (12, 24)]
        busy = sum(who.first_order_in(first_of_month(month, -n)) is not None for n in range(1, 25))
        if None in firsts or busy >= 12:
            return None
        usual = max(first.day for first in firsts if first)
        return month.replace(day=min(usual, month_end(month).day)) + 7 * DAY

    def amount_change_90d(self, who: Customer, day: date) -> Decimal | None:
        middle = day - 90 * DAY
        earlier = who.revenue(middle - 89 * DAY, middle)
        if (day - who.order_days[0]).days < 180 or earlier <= 0:
            return None
        return who.revenue(middle + DAY, day) / earlier - 1

    # Balances

    def balance_change_3m(self, who: Customer, day: date) -> Decimal | None:
        month = last_complete_month(day)
        now, then = who.balances.get(month), who.balances.get(first_of_month(month, -3))
        return None if now is None or then is None or then <= 0 else now / then - 1

    def months_balance_below_minimum(self, who: Customer, day: date) -> int | None:
        return self.balance_below_minimum(who, last_complete_month(day))

    def _balance_below_minimum(self, who: Customer, month: date) -> int | None:
        minimum = self.minimum(who, "balance_minimum")
        if minimum is None or month not in who.balances:
            return None
        return run_of_months(month, lambda month: month in who.balances and who.balances[month] < minimum)

    # Service

    def open_complaint_days(self, who: Customer, day: date) -> int | None:
        opened = [each.opened_on for each in who.complaints if each.is_open_on(day)]
        return (day - min(opened)).days if opened else None

    def complaints_last_90d(self, who: Customer, day: date) -> int:
        return count(who.complaint_days, day - 89 * DAY, day)

    def last_satisfaction(self, who: Customer, day: date) -> Decimal | None:
        resolved = [
            (complaint.resolved_at, complaint.key, complaint.satisfaction)
            for complaint in who.complaints
            if complaint.resolved_on and complaint.resolved_on <= day and complaint.satisfaction is not None
        ]
        if resolved:
            return max(resolved)[-1]
        asked = [
            (survey.asked_at, survey.key, survey.score * 5 / (survey.scale_max or 5))
            for survey in who.surveys
            if survey.asked_on <= day and survey.score is not None
        ]
        return max(asked)[-1] if asked else None

    def account_manager_left_days(self, who: Customer, day: date) -> int | None:
        last = who.last_order(day)
        assert last is not None
        left_on = self.manager_left_on(who, last)
        return (day - left_on).days if left_on and left_on <= day else None


def run_of_months(month: date, holds: Callable[[date], bool]) -> int:
    """Count the consecutive months, ending with this one, of which something holds."""
    length = 0
    while holds(first_of_month(month, -length)):
        length += 1
    return length


def waiting_days(signal: str) -> timedelta:
    """Return how long after the first order an at-most rule on a signal's window begins."""
    windows = {
        "orders_last_30d": 30,
        "orders_last_30d_regulars": 30,
        "orders_last_365d": 365,
        "complaints_last_90d": 90,
    }
    return windows.get(signal, 0) * DAY
