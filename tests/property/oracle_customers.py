"""What the oracle knows of a company and of each of its customers, and how it counts days and months."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any

Row = dict[str, Any]
Table = dict[tuple[Any, ...], Row]

UNKNOWN = "-1"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class RawCompany:
    """The rows of the raw tables, and how the business counts.

    A row with `deleted_on` is gone from its source. Of the versions of a customer, that with the latest
    `valid_from` on or before a day held at its end; `date.min` stands for the beginning.
    """

    as_of: date
    time_zone: str
    lines: dict[str, str]  # business line: policy
    default_line: str
    orders: list[Row]
    customers: list[Row] = field(default_factory=list)
    complaints: list[Row] = field(default_factory=list)
    customers_versions: list[Row] = field(default_factory=list)
    surveys: list[Row] = field(default_factory=list)
    balances: list[Row] = field(default_factory=list)
    account_managers: list[Row] = field(default_factory=list)
    contacts: list[Row] = field(default_factory=list)
    regions: list[Row] = field(default_factory=list)


def first_of_month(day: date, months: int = 0) -> date:
    """Return the first day of a day's month, or of one some months later."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def month_end(day: date) -> date:
    return first_of_month(day, 1) - DAY


def months_before(day: date, months: int) -> date:
    """Return the same day of an earlier month, or that month's last day if it is shorter."""
    first = first_of_month(day, -months)
    return first.replace(day=min(day.day, month_end(first).day))


def last_complete_month(day: date) -> date:
    """Return the first day of the last month that ends on or before a day."""
    return first_of_month(day + DAY, -1)


def count(days: list[date], first: date, last: date) -> int:
    """Count the entries of a sorted list from one day to another, both included."""
    return bisect_right(days, last) - bisect_left(days, first)


@dataclass(frozen=True)
class Complaint:
    key: str
    opened_on: date
    is_handled: bool  # whether its source says anything of what became of its complaints
    is_open: bool | None  # what its status says; none if nothing
    resolved_at: datetime | None
    resolved_on: date | None
    satisfaction: Decimal | None

    def is_open_on(self, day: date) -> bool:
        """Return whether it was open at the end of a day: not resolved by then, or open to this day."""
        if not self.is_handled or self.opened_on > day:
            return False
        is_open_now = self.resolved_on is None if self.is_open is None else self.is_open
        return is_open_now or (self.resolved_on is not None and self.resolved_on > day)


@dataclass(frozen=True)
class Survey:
    key: str
    asked_at: datetime
    asked_on: date
    score: Decimal | None
    scale_max: Decimal | None


@dataclass(eq=False)
class Customer:
    """A customer after merging, with every order, return and complaint up to the as-of date."""

    key: str
    line: str
    master: Row
    closing_class: str | None = None
    do_not_contact: bool = False
    first_seen_on: date = date.max
    order_days: list[date] = field(default_factory=list)  # one entry per order
    complaints: list[Complaint] = field(default_factory=list)
    surveys: list[Survey] = field(default_factory=list)
    balances: dict[date, Decimal] = field(default_factory=dict)  # by first day of the month
    money: dict[date, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def settle(self) -> None:
        """Sort what was collected, once everything is."""
        self.order_days.sort()
        self.purchase_days = sorted(set(self.order_days))
        self.complaint_days = sorted(complaint.opened_on for complaint in self.complaints)
        self.money_days = sorted(self.money)
        self.money_to_date = [Decimal(0), *accumulate(self.money[day] for day in self.money_days)]

    def has_ordered(self, day: date) -> bool:
        return bool(self.order_days) and self.order_days[0] <= day

    def last_order(self, day: date) -> date | None:
        orders = bisect_right(self.order_days, day)
        return self.order_days[orders - 1] if orders else None

    def first_order_in(self, month: date) -> date | None:
        """Return the first order day of a month, if there is any."""
        at = bisect_left(self.order_days, month)
        found = self.order_days[at] if at < len(self.order_days) else date.max
        return found if found <= month_end(month) else None

    def revenue(self, first: date, last: date) -> Decimal:
        """Return net revenue from one day to another, both included."""
        return (
            self.money_to_date[bisect_right(self.money_days, last)]
            - self.money_to_date[bisect_left(self.money_days, first)]
        )

    def closing(self, day: date) -> str | None:
        """Return natural or other if the account is closed at the end of a day and no order followed."""
        closed_on = self.master.get("closed_on")
        if closed_on is None or closed_on > day:
            return None
        last = self.last_order(day)
        return self.closing_class if last is None or last <= closed_on else None


def live(rows: Iterable[Row]) -> Iterator[Row]:
    """Leave out what the sources have deleted."""
    return (row for row in rows if not row.get("deleted_on"))


def own_key(row: Row) -> str:
    """Return the key of a row of the customers feed, before merging."""
    return f"{row['source_id']}:{row['customer_id']}"


def reference(row: Row, column: str) -> str:
    """Return the key of a region or an account manager, in the row's own source."""
    return f"{row['source_id']}:{row[column]}" if row.get(column) else UNKNOWN
