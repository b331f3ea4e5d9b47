"""Invent small companies whose customers stand at every edge of the rules."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.property.company_scene import TIMES, Scene
from tests.property.company_service import MANAGERS, Service
from tests.property.company_stories import Stories
from tests.property.oracle_customers import DAY, RawCompany, Row, first_of_month
from tests.property.oracle_rules import Rules

CLOSED_REASONS = ("deceased", " Bankrupt", "搬迁", "price", "unheard of", None)
SALE_STATUSES = (None, "", "completed", " Completed ", "已完成", "shipped")
VOID_STATUSES = ("cancelled", "CANCELED", "作废", "draft")
MINIMUMS = (100, 99.99, "20", "20.01", 1000, 0, "n/a", "", None, True)


class CompanyMaker(Scene):
    """Invent one company; the same seed gives the same one.

    With `months`, all its business lines begin so many complete months before its day.
    """

    def __init__(self, seed: int, rules: Rules, months: int | None = None) -> None:
        super().__init__(seed, rules, months)
        self.stories, self.service = Stories(self), Service(self)
        self.numbers: Counter[str] = Counter()
        self.orders: list[Row] = []
        self.customers: list[Row] = []
        self.past_versions: list[Row] = []
        self.contacts: list[Row] = []

    def make(self) -> RawCompany:
        for number in range(self.random.choice((5, 10, self.random.randint(5, 40), 40, 40))):
            self.add_customer(f"C{number}", self.staffed[number % len(self.staffed)])
        if self.is_likely(0.2):
            self.add_crowd(self.random.choice((50, 51, 99, 100, 101, 140)))
        self.add_walk_ins()
        self.service.add_account_managers()
        self.add_merges()
        self.add_past_versions()
        self.delete_some()
        self.add_promises()
        self.add_contacts()
        return self.company()

    def company(self) -> RawCompany:
        return RawCompany(
            self.as_of,
            self.zone,
            self.lines,
            self.default_line,
            self.orders,
            self.customers,
            self.service.complaints,
            [*self.past_versions, *self.customers],
            self.service.surveys,
            self.service.balances,
            self.service.account_managers,
            self.contacts,
            self.regions(),
        )

    def regions(self) -> list[Row]:
        """Describe where east and west lie; north is only referred to."""
        above = {"east": "mainland", "west": "mainland", "mainland": None}
        return [
            self.row("regions", source_id="erp", region_id=region, name=region, parent_region_id=parent)
            for region, parent in above.items()
        ]

    def add_order(self, customer_id: str | None, day: date, amount: Decimal, **changes: Any) -> Row:
        source_id = changes.get("source_id") or self.random.choice(("erp", "erp", "web"))
        usual = self.row(
            "orders",
            source_id=source_id,
            order_id=f"A{self.numbers[source_id]}",  # both systems count from 0
            ordered_at=self.moment(day),
            amount=amount,
            # the web shop uses the ERP's customer numbers, but once in a while its own
            customer_source_id=source_id if self.is_likely(0.03) else "erp",
            customer_id=customer_id,
            document_type=self.random.choice((None, "order", "", " Order")),
            status=self.random.choice(SALE_STATUSES),
            channel=self.random.choice((None, "store")),
            store_id=self.random.choice((None, "7")),
            region_id=self.random.choice((None, "east", "west")),
            currency=self.random.choice((None, "CNY")),
        )
        row = usual | changes
        self.numbers[source_id] += 1
        self.orders.append(row)
        return row

    def add_customer(self, customer_id: str, line: str) -> None:
        purchases = self.stories.purchases(line)
        if all(row["business_line"] != line for row in self.customers):  # somebody opens the line
            purchases = sorted([(self.begin[line], self.random.choice(self.stories.amounts)), *purchases])
        days = [day for day, _ in purchases]
        is_plain = self.is_likely(0.6)
        for day, amount in purchases:
            order = self.add_order(customer_id, day, amount)
            if not is_plain:
                self.spoil(order, day)
            if not is_plain and self.is_likely(0.25):
                self.add_order(customer_id, day, self.random.choice(self.stories.amounts))
        some_day = self.some_day(self.begin[line])
        if self.is_likely(0.1):  # money comes back, perhaps before the first order
            self.add_order(customer_id, some_day, -self.random.choice(self.stories.amounts))
        self.service.add_all(customer_id, line, days)
        if line != self.default_line or self.random.random() < 0.8:
            self.describe(customer_id, line, days)
        elif not days and self.random.random() < 0.7:
            self.add_order(customer_id, some_day, Decimal(-5))  # known by a return only

    def spoil(self, order: Row, day: date) -> None:
        """Perhaps cancel, duplicate as another document, return or reverse an order."""
        random, fate = self.random, self.random.random()
        same = {"source_id": order["source_id"]}
        if fate < 0.05 or 0.15 < fate < 0.16:
            order["status"] = random.choice(VOID_STATUSES)
        if fate < 0.05:
            pass
        elif fate < 0.08:
            order["document_type"] = random.choice(("invoice", "delivery"))
        elif fate < 0.15:
            share = random.choice((1, 1, Decimal("0.5")))
            later = day + random.choice((random.randint(0, 30), random.randint(0, 400), 365, 366)) * DAY
            way = random.choice(({"status": "退款"}, {"document_type": "return"}, {}))
            amount = order["amount"] * share * (random.choice((1, -1)) if way else -1)
            self.add_order(order["customer_id"], later, amount, **same, **way)
        elif fate < 0.25:
            reverse = same | {"reverses_order_id": order["order_id"]}
            later = day + timedelta(days=random.choice((-1, 0, 6, 7, 7, 8, 8)))
            who = random.choice((order["customer_id"], order["customer_id"], None))
            parts = random.choice(((1,), (1,), (Decimal("0.5"),), (Decimal("0.5"), Decimal("0.5")), (2,)))
            for part in parts:
                status = "cancelled" if random.random() < 0.1 else "completed"
                kind, sign = random.choice((("return", 1), ("return", -1), ("order", -1)))
                amount = sign * order["amount"] * part
                self.add_order(who, later, amount, status=status, document_type=kind, **reverse)
                later = later if random.random() < 0.5 else later + DAY

    def describe(self, customer_id: str, line: str, days: list[date]) -> None:
        """Add the customer's master data; perhaps the account was closed."""
        random = self.random
        closed_on = None
        if random.random() < 0.25:
            near = random.choice(days or [self.edge(self.begin[line])])
            first, after = min([near, *days]), self.as_of + 9 * DAY
            far = random.choice((first - 40 * DAY, first + DAY, self.edge(self.begin[line]), after))
            late = max([near, *days]) + random.randint(10, 200) * DAY
            closed_on = random.choice((near, near + DAY, near - DAY, far, late, late))
        self.customers.append(
            self.row(
                "customers",
                source_id="erp",
                customer_id=customer_id,
                kind=random.choice((None, "consumer", "dealer")),
                business_line=random.choice((None, "", line)) if line == self.default_line else line,
                region_id=random.choice((None, "", "east", "west")),
                account_manager_id=random.choice((None, *MANAGERS)),
                registered_on=random.choice((None, None, self.opened - DAY, self.as_of, *days[:1])),
                do_not_contact=random.choice((None, False, True)),
                closed_on=closed_on,
                closed_reason=random.choice(CLOSED_REASONS),
                attributes=self.attributes(),
                valid_from=date.min,
            )
        )

    def attributes(self) -> dict[str, Any] | None:
        names = ("monthly_minimum", "balance_minimum", "balance_minimums")
        if self.is_likely(0.7):
            return self.random.choice((None, {}))
        return {name: self.random.choice(MINIMUMS) for name in self.random.sample(names, 2)}

    def add_crowd(self, size: int) -> None:
        """Let many buy once, enough to fill even the smallest tier, some of them for the same amount."""
        day = self.edge(self.begin[self.default_line])
        for number in range(size):
            self.add_order(f"D{number}", day, Decimal(5 + self.random.randint(number // 2, number)))

    def add_walk_ins(self) -> None:
        for _ in range(self.random.choice((0, 3, 20))):
            day = self.edge(self.begin[self.default_line]) - timedelta(days=self.random.randint(0, 60))
            nobody = self.random.choice((None, ""))
            amount = self.random.choice(self.stories.amounts) * self.random.choice((1, 1, -1))
            if day >= self.begin[self.default_line]:
                self.add_order(nobody, day, amount)
        for stranger in (None, "", "K1"):  # K1 never ordered
            if self.random.random() < 0.5:
                self.service.add_complaint(stranger, self.edge(self.opened))

    def add_merges(self) -> None:
        """Merge some customers, some of them into merged ones, one into a number nobody describes."""
        described = self.random.sample(self.customers, len(self.customers))
        for loser, winner in zip(described[::5], described[1::5], strict=False):
            loser["merged_into"] = winner["customer_id"]
        for loser, winner in zip(described[1::10], described[2::10], strict=False):
            loser["merged_into"] = winner["customer_id"]
        if described and self.random.random() < 0.3:
            described[-1]["merged_into"] = self.random.choice(("X1", described[-1]["customer_id"]))

    def add_past_versions(self) -> None:
        """Let some customers have been elsewhere before, until just before or after an end of some period."""
        for now in self.customers:
            if self.random.random() < 0.5:
                continue
            moves = {self.edge(self.opened) + self.random.choice((0, 1)) * DAY for _ in range(3)}
            *past, now["valid_from"] = sorted({date.min, *moves})
            for valid_from in past:
                self.past_versions.append(
                    now
                    | {
                        "valid_from": valid_from,
                        "region_id": self.random.choice((None, "", "east", "west", "north")),
                        "account_manager_id": self.random.choice((None, *MANAGERS)),
                        "deleted_on": self.as_of if self.random.random() < 0.1 else None,
                        # of all this the marts go by what is known now
                        "business_line": "exports",
                        "merged_into": None,
                        "closed_on": valid_from,
                        "do_not_contact": True,
                        "attributes": {"monthly_minimum": 500, "balance_minimum": 5000},
                    }
                )

    def delete_some(self) -> None:
        """Let the sources delete some rows, among them reversals and customers whom others merged into."""
        service = self.service
        shares = ((self.orders, 0.02), (service.complaints, 0.1), (self.customers, 0.1))
        for rows, share in (*shares, (service.surveys, 0.1), (service.balances, 0.02)):
            for row in rows:
                if self.is_likely(share):
                    row["deleted_on"] = self.as_of

    def add_promises(self) -> None:
        """Let some orders say when they were promised and delivered: on the day, before it or after it."""
        for order in self.orders:
            if self.aside.random() < 0.5:
                day = order["ordered_at"].astimezone(ZoneInfo(self.zone)).date() + 3 * DAY
                late = self.aside.choice((-1, 0, 0, 1)) * DAY
                times = [datetime.combine(at, self.aside.choice(TIMES)) for at in (day, day + late)]
                promised, delivered = (it.replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC) for it in times)
                order["promised_at"] = self.aside.choice((promised, promised, None))
                order["delivered_at"] = self.aside.choice((delivered, delivered, None))

    def add_contacts(self) -> None:
        """Let somebody speak with some customers, from some month on."""
        first = first_of_month(self.as_of, -self.aside.randint(0, 8))
        for number in range(self.aside.choice((0, 20, 60))):
            day = first + timedelta(days=self.aside.randint(0, (self.as_of - first).days + 2))
            moment = datetime.combine(day, self.aside.choice(TIMES)).replace(tzinfo=ZoneInfo(self.zone))
            self.contacts.append(
                self.row(
                    "contacts",
                    source_id="erp",
                    contact_id=f"K{number}",
                    customer_source_id="erp",
                    customer_id=f"C{self.aside.randint(0, 12)}",
                    contacted_at=moment.astimezone(UTC),
                    reason_code=self.aside.choice((None, "price", " 质量", "unheard of")),
                    deleted_on=self.aside.choice((None, None, None, self.as_of)),
                )
            )
