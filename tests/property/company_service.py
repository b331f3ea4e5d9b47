"""Complaints, surveys, balances and account managers of an invented company."""

from datetime import date
from decimal import Decimal

from tests.property.company_scene import Scene
from tests.property.oracle_customers import DAY, Row, first_of_month, month_end

STATUSES = (None, None, "", "open", "Reopened", "处理中", "已结案", " Closed ", "closed", "unheard of")
MANAGERS = ("M1", "M2", "M3", "M4")


class Service:
    """What is known of the customers besides their orders.

    The desk says what becomes of its complaints, the chat has statuses only, the mail moments of resolution
    only, and the hotline neither, whatever its deleted and its future rows may say.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene, self.random = scene, scene.random
        self.complaints: list[Row] = []
        self.surveys: list[Row] = []
        self.balances: list[Row] = []
        self.account_managers: list[Row] = []

    def add_all(self, customer_id: str, line: str, days: list[date]) -> None:
        """Let a customer complain, answer and save, each perhaps."""
        watched = self.scene.rules.watched(self.scene.lines[line])
        is_heard = bool(watched & {"open_complaint_days", "complaints_last_90d", "last_satisfaction"})
        if self.scene.is_likely(0.6 if is_heard else 0.2):
            for _ in range(self.random.randint(1, 4)):
                self.add_complaint(customer_id, self.service_day(line, days))
        if self.scene.is_likely(0.4 if is_heard else 0.1):
            for _ in range(self.random.randint(1, 2)):
                self.add_survey(customer_id, self.service_day(line, days))
        if self.scene.is_likely(0.8 if self.scene.lines[line] == "retail_bank" else 0.1):
            self.add_balances(customer_id, line)

    def service_day(self, line: str, days: list[date]) -> date:
        begin, as_of = self.scene.begin[line], self.scene.as_of
        threshold = self.scene.near_threshold("open_complaint_days", line)
        recent = self.random.choice((0, 1, 88, 89, 90, 91)) * DAY
        return self.random.choice(
            (*days[-1:], self.scene.some_day(begin), as_of - threshold, as_of - recent, as_of + DAY)
        )

    def add_complaint(self, customer_id: str | None, day: date) -> None:
        source_id = self.random.choice(("desk", "desk", "desk", "chat", "mail", "hotline"))
        has_statuses, has_resolutions = source_id in ("desk", "chat"), source_id in ("desk", "mail")
        after = self.random.choice((0, 1, 6, 7, 8, 14, 15, 29, 30, 31, 60)) * DAY
        as_of = self.scene.as_of
        resolved_on = self.random.choice(
            (None, None, day + after, day + after, day + after, as_of, as_of + DAY)
        )
        row = self.scene.row(
            "complaints",
            source_id=source_id,
            complaint_id=f"T{len(self.complaints)}",
            opened_at=self.scene.moment(day),
            customer_source_id="erp",
            customer_id=customer_id,
            order_source_id="erp",
            status=self.random.choice(STATUSES if has_statuses else (None, "", " ")),
            resolved_at=self.scene.moment(max(day, resolved_on)) if has_resolutions and resolved_on else None,
            satisfaction=self.random.choice((None, None, *map(Decimal, (1, 2, 3, 4, 5)), Decimal("2.5"))),
        )
        last = self.complaints[-1]["resolved_at"] if self.complaints else None
        if row["resolved_at"] and last and last >= row["opened_at"] and self.scene.is_likely(0.5):
            row["resolved_at"] = self.scene.near_moment(last)
        if source_id == "hotline" and self.scene.is_likely(0.1):
            row |= {"status": "open", "deleted_on": as_of}
        elif source_id == "hotline" and day > as_of:
            row |= {"status": "open"}
        self.complaints.append(row)

    def add_survey(self, customer_id: str, day: date) -> None:
        scale_max = self.random.choice((None, *map(Decimal, (3, 5, 10, 100))))
        share = self.random.choice((None, *map(Decimal, ("0.2", "0.4", "0.41", "0.6", "0.59", "1"))))
        asked_at = self.scene.moment(day)
        if self.surveys and self.scene.is_likely(0.3):
            asked_at = self.scene.near_moment(self.surveys[-1]["asked_at"])
        self.surveys.append(
            self.scene.row(
                "surveys",
                source_id="app",
                survey_id=f"S{len(self.surveys)}",
                customer_source_id="erp",
                customer_id=customer_id,
                asked_at=asked_at,
                score=None if share is None else share * (scale_max or 5),
                scale_max=scale_max,
            )
        )

    def add_balances(self, customer_id: str, line: str) -> None:
        """Let a balance move around the minimum, and to the thresholds of its change in three months."""
        minimum = self.scene.rules.policies[self.scene.lines[line]].balance_minimum or Decimal(1000)
        last = first_of_month(self.scene.edge(self.scene.begin[line]), self.random.choice((-1, 0, 1)))
        factors = ("1", "1", "0.999", "0.99999", "0.7", "0.69", "0.71", "0.5", "0.49", "2", "0", "-1")
        for n in range(self.random.randint(1, 12)):
            month = first_of_month(last, -n)
            day = self.random.choice((month, month_end(month)))
            balance = minimum * Decimal(self.random.choice(factors))
            if self.scene.is_likely(0.9):
                self.balances.append(
                    self.scene.row(
                        "balances",
                        source_id="core",
                        customer_source_id="erp",
                        customer_id=customer_id,
                        month=day,
                        balance=None if self.scene.is_likely(0.05) else balance,
                    )
                )

    def add_account_managers(self) -> None:
        """Let some managers leave; M4 has been deleted, and another system uses the same numbers."""
        for number in MANAGERS:
            for source_id in ("erp", "web"):
                gone = self.scene.edge(self.scene.opened)
                threshold = self.scene.near_threshold("account_manager_left_days", self.scene.default_line)
                as_of = self.scene.as_of
                left_on = self.random.choice((None, gone, as_of, as_of + DAY, as_of - threshold))
                self.account_managers.append(
                    self.scene.row(
                        "account_managers",
                        source_id=source_id,
                        account_manager_id=number,
                        name=f"Manager {number}",
                        left_on=left_on,
                        deleted_on=as_of if number == "M4" else None,
                    )
                )
