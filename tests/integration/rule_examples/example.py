"""A worked example: what one customer did, and every flag that it gives; and the raw rows that it makes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

AS_OF = date(2024, 3, 31)
ZONE = "Asia/Shanghai"

Row = dict[str, Any]


@dataclass(frozen=True)
class Example:
    """A customer in a business line of its own, so that nobody else's sales move its share.

    Orders are days with the local time and the amount where they matter, `2024-03-31T00:30=80`; a negative
    amount is a return. `flags` are all that the customer ever had, in the order of their days.
    """

    about: str
    policy: str
    orders: str = ""
    flags: tuple[str, ...] = ()
    stage: str | None = None
    stages: Mapping[str, str] = field(default_factory=dict)  # at the end of a month
    says: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # rule: evidence in English, in Chinese
    cancelled: str = ""
    taken_back: Mapping[str, str] = field(default_factory=dict)  # day of an order: day of its whole reversal
    others: str = ""  # orders of everybody else in the line
    walk_ins: str = ""
    complaints: tuple[Row, ...] = ()
    surveys: str = ""  # day=score/scale
    balances: str = ""  # month=balance
    managers: Mapping[str, str] = field(default_factory=dict)  # first day with the customer: day of leaving
    attributes: Row | None = None
    closed: str = ""  # day and reason

    def __str__(self) -> str:
        return f"{self.policy}: {self.about}"


def complaint(
    opened: str, resolved: str | None = None, satisfaction: int | None = None, status: str | None = None
) -> Row:
    """Return a complaint at a desk that says what becomes of its complaints."""
    return {
        "source_id": "desk",
        "opened_at": moment(opened),
        "resolved_at": moment(resolved) if resolved else None,
        "satisfaction": satisfaction,
        "status": status or ("closed" if resolved else "open"),
    }


def hotline(opened: str) -> Row:
    """Return a complaint of a source that says nothing of what became of it."""
    return {"source_id": "hotline", "opened_at": moment(opened)}


def moment(text: str) -> datetime:
    """Return a local moment; a day alone stands for its noon."""
    at = datetime.fromisoformat(text)
    return (at if "T" in text else datetime.combine(at, time(12))).replace(tzinfo=ZoneInfo(ZONE))


def tokens(text: str, default: str = "10") -> Iterator[tuple[str, str]]:
    for word in text.split():
        name, _, value = word.partition("=")
        yield name, value or default


class RawRows:
    """The rows of the raw tables for a list of examples; example number n is customer Cn of line Ln."""

    def __init__(self, examples: Iterable[Example]) -> None:
        self.orders: list[Row] = []
        self.customers: list[Row] = []
        self.customers_versions: list[Row] = []
        self.complaints: list[Row] = []
        self.surveys: list[Row] = []
        self.balances: list[Row] = []
        self.account_managers: list[Row] = []
        for number, example in enumerate(examples):
            self._add(f"C{number}", f"L{number}", example)

    def _add(self, customer_id: str, line: str, example: Example) -> None:
        mine = {"source_id": "erp", "customer_source_id": "erp", "customer_id": customer_id}
        for text, buyer, status in (
            (example.orders, customer_id, None),
            (example.cancelled, customer_id, "cancelled"),
            (example.others, f"{customer_id} others", None),
            (example.walk_ins, None, None),
        ):
            for at, amount in tokens(text):
                self._order(buyer, at, amount, status=status)
        for sold_on, back_on in example.taken_back.items():
            number = self._order(customer_id, sold_on, "50")
            self._order(customer_id, back_on, "-50", reverses_order_id=number)
        for number, row in enumerate(example.complaints):
            said = {"complaint_id": f"{customer_id} {number}", "order_source_id": "erp"}
            self.complaints.append({**mine, **said, **row})
        for day, answer in tokens(example.surveys):
            score, _, scale = answer.partition("/")
            asked = {"survey_id": f"{customer_id} {day}", "asked_at": moment(day)}
            self.surveys.append({**mine, **asked, "score": Decimal(score), "scale_max": Decimal(scale or 5)})
        for month, balance in tokens(example.balances):
            day = date.fromisoformat(f"{month}-15")
            self.balances.append({**mine, "month": day, "balance": Decimal(balance)})
        self._describe(customer_id, line, example)

    def _order(self, customer_id: str | None, at: str, amount: str, **more: Any) -> str:
        number = str(len(self.orders))
        row = {"source_id": "erp", "order_id": number, "ordered_at": moment(at), "amount": Decimal(amount)}
        self.orders.append({**row, "customer_source_id": "erp", "customer_id": customer_id, **more})
        return number

    def _describe(self, customer_id: str, line: str, example: Example) -> None:
        closed_on, _, reason = example.closed.partition(" ")
        customer = {
            "source_id": "erp",
            "customer_id": customer_id,
            "business_line": line,
            "attributes": example.attributes,
            "closed_on": closed_on or None,
            "closed_reason": reason or None,
        }
        for first_day, left_on in (example.managers or {"": None}).items():
            customer["account_manager_id"] = None
            if left_on is not None:
                customer["account_manager_id"] = f"{customer_id} {first_day}"
                manager = {name: customer[name] for name in ("source_id", "account_manager_id")}
                self.account_managers.append({**manager, "left_on": left_on or None})
            self.customers_versions.append({**customer, "valid_from": first_day or "-infinity"})
        self.customers.append(customer)
        if example.others:
            other = {"source_id": "erp", "customer_id": f"{customer_id} others", "business_line": line}
            self.customers.append(other)
            self.customers_versions.append({**other, "valid_from": "-infinity"})
