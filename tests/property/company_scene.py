"""Where and when an invented company lives, and how its days are chosen: at the edges of its rules."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.property.oracle_customers import DAY, Row, first_of_month, month_end
from tests.property.oracle_rules import Rules
from winback.feeds import FEEDS

LINES = {
    "shops": "retail",
    "canteens": "restaurant",
    "garages": "auto_service",
    "phones": "telecom",
    "bank": "retail_bank",
    "dealers": "distribution",
    "exports": "distribution",  # nobody belongs to it
}
ZONES = ("Asia/Shanghai", "America/New_York", "Europe/Berlin", "UTC", "Pacific/Auckland")
LAST_DAYS = (
    *(date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1), date(2025, 2, 28)),
    *(date(2023, 12, 31), date(2024, 1, 1), date(2024, 6, 30), date(2024, 8, 30)),
    *(date(2024, 9, 15), date(2024, 3, 31), date(2025, 3, 29), date(2024, 7, 17)),
)
TIMES = (time(0, 0), time(0, 30), time(12, 0), time(23, 59), time(23, 59, 59, 999999))


class Scene:
    """A company's as-of date, time zone, business lines and rules."""

    def __init__(self, seed: int, rules: Rules, months: int | None = None) -> None:
        self.random = random = Random(seed)
        self.rules = rules
        self.aside = Random(f"aside {seed}")  # what is drawn of it leaves everything else as it is
        self.as_of = random.choice(LAST_DAYS)
        self.zone = random.choice(ZONES)
        self.opened = self.as_of - timedelta(days=random.randint(2 * 365, 3 * 365))
        self.lines = dict(random.sample(sorted(LINES.items()), random.randint(2, len(LINES))))
        self.default_line = random.choice(sorted(self.lines))
        self.staffed = [line for line in self.lines if line != "exports"]
        self.begin = {line: self.line_begin(policy) for line, policy in self.lines.items()}
        if months:
            self.opened = first_of_month(self.as_of + DAY, -months)
            self.begin = dict.fromkeys(self.lines, self.opened)

    def line_begin(self, policy: str) -> date:
        """Choose a line's first day; often just where the churn rate of some period begins to exist."""
        churn_days = self.rules.policies[policy].churn_days or 90
        if self.random.random() < 0.5:
            return self.opened
        start = first_of_month(self.as_of, -self.random.randint(1, 12)) - DAY
        if self.random.random() < 0.3:
            start = self.as_of - timedelta(days=self.as_of.isoweekday() + 7 * self.random.randint(1, 11))
        return start - timedelta(days=churn_days - self.random.choice((1, 2)))

    def is_likely(self, share: float) -> bool:
        return self.random.random() < share

    def some_day(self, earliest: date) -> date:
        return earliest + timedelta(days=self.random.randint(0, max(1, (self.as_of - earliest).days)))

    def edge(self, earliest: date) -> date:
        """Choose the end of some month or week, or the as-of date."""
        day = earliest + timedelta(days=self.random.randint(0, max(0, (self.as_of - earliest).days)))
        if self.is_likely(0.5):
            day = self.as_of - timedelta(days=self.random.randint(0, 100))
        return self.random.choice(
            (self.as_of, month_end(day), first_of_month(day) - DAY, day - timedelta(days=day.isoweekday()))
        )

    def near(self, days: int | None) -> timedelta:
        """Return a threshold in days, or one day more or less."""
        return timedelta(days=(days or 90) + self.random.choice((-1, 0, 1)))

    def near_threshold(self, signal: str, line: str) -> timedelta:
        """Return about as many days as some rule on a signal demands, mostly one of the line's own."""
        rules = [rule for rule in self.rules.churn_rules if rule.signal == signal]
        own = [rule for rule in rules if rule.policy == self.lines[line]]
        return self.near(int(self.random.choice(own * 3 + rules).threshold))

    def moment(self, day: date) -> datetime:
        return datetime.combine(day, self.random.choice(TIMES), ZoneInfo(self.zone)).astimezone(UTC)

    def near_moment(self, moment: datetime) -> datetime:
        """Return the same moment, or another of the same business day."""
        return self.random.choice((moment, self.moment(moment.astimezone(ZoneInfo(self.zone)).date())))

    def row(self, feed: str, **values: Any) -> Row:
        """Return a row of a raw table in which all that is not stated is null."""
        return dict.fromkeys(FEEDS[feed].column_names) | {"deleted_on": None} | values
