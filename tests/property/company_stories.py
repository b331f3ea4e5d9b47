"""When the customers of an invented company order, and for how much: a story for each kind of rule."""

from datetime import date, timedelta
from decimal import Decimal

from tests.property.company_scene import Scene
from tests.property.oracle_customers import DAY, first_of_month, month_end

AMOUNTS = (
    *map(Decimal, (10, 10, 20, 20, 50, 0, 1000)),
    Decimal("0.01"),
    Decimal("99.99"),
    Decimal("77183.60"),
)
CALM_AMOUNTS = (Decimal(10), Decimal(10), Decimal("20.50"))  # with these others the shares hardly move
CENT = Decimal("0.01")
STORIES = ("gaps", "silent", "silent", "comeback", "fresh", "months", "leap", "once", "none")
STORY_OF_SIGNAL = {
    "orders_last_30d": "slowing",
    "orders_last_30d_regulars": "slowing",
    "orders_last_365d": "rare",
    "interval_ratio": "rhythm",
    "months_declining": "declining",
    "months_below_minimum": "around_minimum",
    "seasonal_order_missed": "yearly",
    "amount_change_90d": "halved",
}
Purchases = list[tuple[date, Decimal]]


class Stories:
    """The stories that a scene allows."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.random = scene, scene.random
        self.amounts = scene.random.choice((AMOUNTS, AMOUNTS, CALM_AMOUNTS))

    def purchases(self, line: str) -> Purchases:
        """Tell one customer's story, from the line's first day to a little after the as-of date."""
        watched = self.scene.rules.watched(self.scene.lines[line])
        own = [story for signal, story in STORY_OF_SIGNAL.items() if signal in watched]
        told = getattr(self, self.random.choice((*STORIES, *own, *own)))(line)
        beyond = self.scene.as_of + 3 * DAY
        return sorted((day, amount) for day, amount in told if self.scene.begin[line] <= day <= beyond)

    def at(self, days: list[date]) -> Purchases:
        return [(day, self.random.choice(self.amounts)) for day in days]

    def end(self, line: str) -> date:
        return self.scene.edge(self.scene.begin[line])

    def silence(self, line: str) -> timedelta:
        return self.scene.near_threshold("days_since_last_order", line)

    def steadily(self, first: date) -> list[date]:
        """Order often enough never to be at risk, until some month later."""
        days, last = [first], first + timedelta(days=self.random.randint(95, 300))
        while days[-1] < last:
            days.append(days[-1] + self.random.randint(4, 13) * DAY)
        return days

    def amount_at(self, line: str, name: str) -> Decimal:
        """Return some minimum, exactly or a cent off."""
        policies = self.scene.rules.policies
        minimums = [getattr(policy, name) for policy in policies.values() if getattr(policy, name)]
        own = getattr(policies[self.scene.lines[line]], name)
        minimum: Decimal = own or self.random.choice(minimums or [Decimal(100)])
        return minimum + self.random.choice((-CENT, Decimal(0), CENT))

    # Days

    def gaps(self, line: str) -> Purchases:
        days = [self.scene.begin[line] + self.random.choice((0, 0, self.random.randint(0, 300))) * DAY]
        while days[-1] < self.scene.as_of:
            days.append(days[-1] + self.random.choice((self.random.randint(1, 70) * DAY, self.silence(line))))
        return self.at(days)

    def silent(self, line: str) -> Purchases:
        last = self.end(line) - self.silence(line)
        earlier = [last - self.random.randint(0, 500) * DAY for _ in range(self.random.randint(0, 5))]
        return self.at([last, *earlier])

    def comeback(self, line: str) -> Purchases:
        won_back_days = self.scene.rules.policies[self.scene.lines[line]].won_back_days
        days = self.steadily(self.end(line) - self.scene.near(won_back_days))
        before = days[0] - self.random.choice((self.silence(line), 400 * DAY))
        return self.at([max(self.scene.begin[line], before), *days])

    def fresh(self, line: str) -> Purchases:
        new_days = self.scene.rules.policies[self.scene.lines[line]].new_days
        return self.at(self.steadily(self.end(line) - self.scene.near(new_days)))

    def months(self, line: str) -> Purchases:
        months = self.random.sample(range(24), self.random.randint(1, 8))
        offsets = (-2 * DAY, -DAY, 0 * DAY)
        return self.at([first_of_month(self.scene.as_of, -n) + self.random.choice(offsets) for n in months])

    def leap(self, line: str) -> Purchases:
        days = [date(2024, 2, 29) + n * DAY for n in (-366, -365, -1, 0, 1)]
        return self.at(self.random.sample(days, self.random.randint(1, 3)))

    def once(self, line: str) -> Purchases:
        end = self.end(line)
        as_of = self.scene.as_of
        return self.at([self.random.choice((self.scene.begin[line], end, end + DAY, as_of, as_of + DAY))])

    def none(self, line: str) -> Purchases:
        return []

    def slowing(self, line: str) -> Purchases:
        """Come three to five times in 30 days, then less."""
        day, days = self.end(line) - self.random.randint(90, 240) * DAY, []
        for often in (self.random.randint(3, 5), self.random.randint(3, 5), self.random.randint(1, 4), 2):
            offsets = self.random.sample((0, 1, 7, 15, 22, 28, 29), often)
            days += [day + offset * DAY for offset in offsets]
            day += 30 * DAY
        return self.at(days)

    def rare(self, line: str) -> Purchases:
        """Come up to four times in about a year."""
        end = self.end(line)
        offsets = (0, 1, 100, 200, 300, 363, 364, 365, 366, 400, 500)
        return self.at([end - n * DAY for n in self.random.sample(offsets, self.random.randint(1, 5))])

    def rhythm(self, line: str) -> Purchases:
        """Come at regular times, a few times more or fewer than a rhythm takes, then stay away."""
        usual = self.random.choice((1, 7, 8, 10, 12, 20))
        purchases = self.scene.rules.interval_ratio_min_gaps + self.random.choice((0, 1, 1, 2, 3))
        day, days = self.end(line) - self.random.randint(60, 300) * DAY, []
        for _ in range(purchases):
            days.append(day)
            day += (usual + self.random.choice((0, 0, 0, 1, 30))) * DAY
        days.append(day + self.random.choice((29, 30, 31, 35, 50, 90)) * DAY)
        return self.at(days)

    def yearly(self, line: str) -> Purchases:
        """Come in one month year after year, and in just so many others that it still is a season."""
        month = first_of_month(self.scene.as_of, -self.random.randint(0, 5))
        days = []
        for year in (1, 2):
            start = first_of_month(month, -12 * year)
            days.append(
                self.random.choice((start, start + 14 * DAY, month_end(start) - DAY, month_end(start)))
            )
        if self.scene.is_likely(0.5):
            days.append(month + self.random.choice((-8, -8, -7, -7, 0, 6, 7, 8, 21, 35)) * DAY)
        others = [n for n in range(1, 25) if n not in (12, 24)]
        for n in self.random.sample(others, self.random.choice((0, 0, 1, 8, 9, 10))):
            days.append(first_of_month(month, -n) + self.random.choice((0, 9)) * DAY)
        return self.at(days)

    # Amounts

    def declining(self, line: str) -> Purchases:
        """Spend a part of the month before, down to nothing; or the same for a while."""
        month, amount = first_of_month(self.end(line), -self.random.randint(3, 14)), Decimal(3000)
        purchases = [(first_of_month(month, -1) + 14 * DAY, amount)]
        while month <= self.scene.as_of and amount > 1:
            day = self.random.choice((month, month + 14 * DAY, month_end(month)))
            purchases.append((day, amount))
            amount = (amount * self.random.choice((*[Decimal("0.3")] * 6, Decimal(1), Decimal(2)))).quantize(
                CENT
            )
            month = first_of_month(month, 1)
        return purchases

    def around_minimum(self, line: str) -> Purchases:
        """Spend about the minimum in each month; in some nothing."""
        months = self.random.randint(3, 14)
        first = first_of_month(self.end(line), -months)
        purchases = []
        for n in range(months):
            day = first_of_month(first, n) + self.random.choice((0, 20, 27)) * DAY
            low = self.random.choice((Decimal(5), self.amount_at(line, "monthly_minimum")))
            amount = low if n else Decimal(500)
            if not n or self.scene.is_likely(0.8):
                purchases.append((day, amount))
        return purchases

    def halved(self, line: str) -> Purchases:
        """Spend for 90 days, then more or less, at the thresholds of the change."""
        middle = self.end(line) - self.random.randint(0, 90) * DAY
        first = middle + DAY - self.random.choice((90, 91, 89, 120)) * DAY
        before = self.random.choice((Decimal(100), Decimal(100), Decimal(-20), Decimal(0)))
        changes = ("0.5", "0.49", "0.51", "0.7", "0.69", "0.71", "2", "1.99", "2.01", "0")
        after = abs(before) * Decimal(self.random.choice(changes))
        return [
            (first, Decimal(0)),
            (self.random.choice((middle, middle - 30 * DAY)), before),
            (self.random.choice((middle + DAY, middle + 30 * DAY, middle + 90 * DAY)), after),
        ]
