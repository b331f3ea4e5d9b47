"""How a company's rows reach the warehouse: on time, late, early, wrong at first, or by mistake.

A delivery is one row as some load writes it. The deliveries between two builds are a portion. After the last
portion raw says what the company says, but for the loads' own columns and the days of past versions.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import accumulate, pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.property.oracle_customers import DAY, RawCompany, Row, first_of_month
from winback.feeds import FEEDS
from winback.warehouse.schema import VERSIONED_FEEDS

LOADED = ("orders", "customers", "complaints", "surveys", "balances", "account_managers")
OWN_DAY = {
    "orders": "ordered_at",
    "complaints": "opened_at",
    "surveys": "asked_at",
    "balances": "month",
    "customers": "valid_from",
}
# What a source may have wrong at first; columns that belong together are wrong together.
SLIPS: dict[str, tuple[tuple[str, ...], ...]] = {
    "orders": (
        *(("amount",), ("ordered_at",), ("customer_id",), ("customer_source_id",), ("status",)),
        *(("document_type",), ("reverses_order_id",), ("region_id",), ("store_id",), ("channel",)),
    ),
    "customers": (
        *(("business_line",), ("merged_into",), ("region_id",), ("account_manager_id",), ("attributes",)),
        *(("closed_on", "closed_reason"), ("kind",), ("registered_on",), ("do_not_contact",)),
    ),
    "complaints": (
        *(("opened_at", "resolved_at"), ("customer_id",), ("status",), ("resolved_at",)),
        ("satisfaction",),
    ),
    "surveys": (("asked_at",), ("customer_id",), ("score", "scale_max")),
    "balances": (("balance",),),
    "account_managers": (("left_on",), ("name",)),
}
FATES = ("late", "late", "early", "wrong", "wrong", "wrong twice", "gone for a while")
STEPS = (*(timedelta(0), DAY, DAY, DAY, 2 * DAY, 3 * DAY, 7 * DAY), *(31 * DAY, 40 * DAY, 95 * DAY))
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Delivery:
    """One row as a load writes it; `why` says what became of it."""

    at: datetime
    feed: str
    row: Row
    why: str

    @property
    def key(self) -> tuple[Any, ...]:
        return (self.feed, *(self.row[name] for name in ("source_id", *FEEDS[self.feed].key)))


class Arrivals:
    """The build days of one company and what comes before each; the same seed gives the same ones."""

    def __init__(self, raw: RawCompany, seed: int, builds: int | None = None) -> None:
        self.raw = raw
        self.random = random = Random(f"arrivals of {seed}")
        self.zone = ZoneInfo(raw.time_zone)
        self.builds = self.build_moments(builds or random.randint(3, 5))
        # Builds with nothing but the day's own rows before them show what time alone changes.
        later = range(1, len(self.builds))
        self.busy = sorted(random.sample(later, random.randint(1, len(later))))
        self.unrest = random.choice((0.003, 0.01, 0.03, 0.1, 0.3))
        self.backfill_at = self.busy_moment()
        self.backfilled = self.choose_backfill()
        self.deliveries: list[Delivery] = []
        for feed in LOADED:
            self.add_feed(feed)
        self.deliveries.sort(key=lambda delivery: delivery.at)

    def __str__(self) -> str:
        """Say what is special about these arrivals."""
        builds = ", ".join(f"{moment:%Y-%m-%d %H:%M}" for moment in self.builds)
        busy = [at + 1 for at in self.busy]
        return f"builds {builds}; busy before {busy}; backfilled {self.backfilled}; unrest {self.unrest}"

    @property
    def days(self) -> list[date]:
        return [moment.date() for moment in self.builds]

    def portions(self) -> Iterator[list[Delivery]]:
        """Return what comes between each build and the one before."""
        for since, to in pairwise([datetime.min, *self.builds]):
            yield [delivery for delivery in self.deliveries if since < delivery.at <= to]

    # When

    def build_moments(self, builds: int) -> list[datetime]:
        """Choose the moments of the builds, the last on the company's last day."""
        moments = [datetime.combine(self.raw.as_of, time(23))]
        while len(moments) < builds:
            first = moments[0]
            to_last_month = first.date() - first_of_month(first.date()) + DAY
            step = self.random.choice((*STEPS, to_last_month))
            earlier = datetime.combine(first.date() - step, time(23))
            moments.insert(0, earlier if step else first - timedelta(hours=1))
        return moments

    def busy_moment(self) -> datetime:
        at = self.random.choice(self.busy)
        return self.between(self.builds[at - 1], self.builds[at])

    def between(self, since: datetime, to: datetime) -> datetime:
        return to - (to - since) * self.random.random()

    def own_day(self, feed: str, row: Row) -> date:
        """Return the day a row speaks of; what has none was always there."""
        day = row[OWN_DAY[feed]] if feed in OWN_DAY else date.min
        if isinstance(day, datetime):
            return day.astimezone(self.zone).date()
        return self.raw.as_of - 1500 * DAY if day == date.min else day

    def usual(self, feed: str, row: Row) -> datetime:
        """Return when a row would come: on its own day, and what lies ahead, some time before."""
        at = datetime.combine(self.own_day(feed, row), time(0)) + timedelta(hours=self.random.uniform(0, 22))
        return at if at <= self.builds[-1] else self.between(self.builds[0] - 2 * DAY, self.builds[-1])

    def choose_backfill(self) -> dict[str, Any]:
        """Choose what is loaded at one late moment: the oldest orders, what one system has, or a feed."""
        kind = self.random.choice((None, None, "before", "before", "source_id", "feed"))
        days = sorted(self.own_day("orders", row) for row in self.raw.orders) or [self.raw.as_of]
        oldest = self.random.choice((0.01, 0.05, 0.3))
        values = {
            "before": days[int(len(days) * oldest)] + DAY,
            "source_id": self.random.choice(("web", "desk", "chat", "hotline")),
            "feed": self.random.choice(("complaints", "surveys", "balances", "account_managers")),
        }
        return {kind: values[kind]} if kind else {}

    def is_backfilled(self, feed: str, row: Row) -> bool:
        return (
            self.backfilled.get("feed") == feed
            or (self.backfilled.get("source_id") == row["source_id"] and feed != "account_managers")
            or (feed == "orders" and self.own_day(feed, row) < self.backfilled.get("before", date.min))
        )

    def kinds(self) -> set[str]:
        """Return what happens after the first build, feed by feed."""
        _, *portions = self.portions()
        kinds = {f"{delivery.feed} {delivery.why}" for portion in portions for delivery in portion}
        for to, portion in zip(self.builds, self.portions(), strict=True):
            if to < self.builds[-1]:
                kinds |= {
                    f"{delivery.feed} ahead"
                    for delivery in portion
                    if to.date() < self.own_day(delivery.feed, delivery.row) <= self.raw.as_of
                }
        steps = {(later - earlier).days for earlier, later in pairwise(self.days)}
        if len({(day.year, day.month) for day in self.days}) > 1:
            kinds.add("a month ends")
        return (
            kinds
            | {"a day is built twice" for step in steps if step == 0}
            | {"days are skipped" for step in steps if step > 1}
        )

    # What

    def add_feed(self, feed: str) -> None:
        rows: list[Row] = getattr(self.raw, feed)
        for row in rows:
            states = (*self.past(feed, row), row)
            moments = accumulate((self.usual(feed, state) for state in states), max)
            self.add(feed, list(zip(moments, states, strict=True)))
        for number in range(len(rows)):
            if self.random.random() < self.unrest_of(feed) / 3:
                self.invent(feed, number)

    def unrest_of(self, feed: str) -> float:
        """Return the share of a feed's rows that do not simply come; the few managers are restless."""
        return max(self.unrest, 0.2) if feed == "account_managers" else self.unrest

    def past(self, feed: str, row: Row) -> list[Row]:
        """Return what a customer was before. The marts go by what is known now of all but these columns."""
        if feed != "customers":
            return []
        moved = ("region_id", "account_manager_id", "valid_from", "deleted_on")
        return [
            row | {name: past[name] for name in moved}
            for past in self.raw.customers_versions
            if past["customer_id"] == row["customer_id"] and past["valid_from"] < row["valid_from"]
        ]

    def add(self, feed: str, states: list[tuple[datetime, Row]]) -> None:
        """Let a row come as it was, state after state, or otherwise."""
        *past, (at, now) = states
        fate = self.random.choice(FATES) if self.random.random() < self.unrest_of(feed) else "usual"
        later = max(at, self.busy_moment())
        if self.is_backfilled(feed, now):
            return self.deliver(feed, max(at, self.backfill_at), now, "backfilled")
        if fate == "late":
            return self.deliver(feed, later, now, fate)
        for past_at, row in past:
            self.deliver(feed, past_at, row, "past")
        if fate == "early":
            at -= self.random.randint(1, 60) * DAY
        if fate in ("wrong", "wrong twice"):
            self.deliver(feed, at, self.slip(feed, now), "wrong")
        if fate == "wrong twice":
            self.deliver(feed, self.between(at, later), self.slip(feed, now), "wrong again")
        if fate == "gone for a while":
            self.deliver(feed, at, self.live(now), "usual")
            self.deliver(feed, self.between(at, later), now | {"deleted_on": self.raw.as_of}, "gone")
        if fate in ("usual", "early") and now["deleted_on"] and self.random.random() < 0.8:
            self.deliver(feed, at, self.live(now), "deleted later")
            return self.deliver(feed, later, now, "deleted")
        if fate.startswith(("wrong", "gone")):
            return self.deliver(feed, later, now, "corrected")
        return self.deliver(feed, at, now, fate)

    def invent(self, feed: str, number: int) -> None:
        """Let a row come that there is not, and go again."""
        rows: list[Row] = getattr(self.raw, feed)
        model = self.random.choice(rows)
        key = FEEDS[feed].key[0]
        row = self.live(self.slip(feed, model)) | {key: f"P{number}"}
        at = self.usual(feed, model) if self.random.random() < 0.5 else self.busy_moment()
        self.deliver(feed, at, row, "invented")
        if feed == "customers" and self.random.random() < 0.7:  # they bought as well, it was said
            order = self.random.choice(self.raw.orders)
            bought = self.live(order) | {"order_id": f"PC{number}", "customer_id": row["customer_id"]}
            self.deliver("orders", at, bought, "invented")
            self.deliver("orders", max(at, self.busy_moment()), self.gone(bought), "withdrawn")
        self.deliver(feed, max(at, self.busy_moment()), self.gone(row), "withdrawn")

    def deliver(self, feed: str, at: datetime, row: Row, why: str) -> None:
        gone = {"deleted_on": at.date()} if row["deleted_on"] else {}
        self.deliveries.append(Delivery(at, feed, row | gone, why))

    def live(self, row: Row) -> Row:
        return row | {"deleted_on": None}

    def gone(self, row: Row) -> Row:
        return row | {"deleted_on": self.raw.as_of}

    def slip(self, feed: str, row: Row) -> Row:
        """Return a row with one thing wrong, or two; most are what some other row says there."""
        rows: list[Row] = getattr(self.raw, feed)
        wrong = row
        for columns in self.random.sample(SLIPS[feed], min(len(SLIPS[feed]), self.random.choice((1, 1, 2)))):
            other = self.random.choice(rows)
            wrong = wrong | {name: other[name] for name in columns} | self.special(columns[0], row)
        return wrong

    def special(self, column: str, row: Row) -> Row:
        """Return, where a neighbour's value would seldom matter, one that does."""
        random = self.random
        values = {
            "amount": (row.get("amount", Decimal(0)) + CENT, -row.get("amount", Decimal(0))),
            "merged_into": tuple(other["customer_id"] for other in self.raw.customers),
            "business_line": (None, *self.raw.lines),
            "reverses_order_id": tuple(
                order["order_id"] for order in self.raw.orders if order["source_id"] == row["source_id"]
            ),
            "resolved_at": (None,),
            "left_on": (None, self.raw.as_of - 20 * DAY),
        }
        if column == "ordered_at" and random.random() < 0.7:
            days = random.choice((-400, -31, -1, 1, 10, 40))
            return {column: row[column] + days * DAY}
        return {column: random.choice(values[column])} if column in values and random.random() < 0.7 else {}


class RawWriter:
    """Writes deliveries into raw as the loader does, for one warehouse that nobody else writes to."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.stored: dict[tuple[Any, ...], Delivery] = {}
        self.valid_from: dict[tuple[Any, ...], Any] = {}
        self.batches = 0

    def write(self, deliveries: list[Delivery], day: date, sources: dict[str, set[str]]) -> Counter[str]:
        """Write a portion and note the day for all sources; return how many rows there were of each kind."""
        with psycopg.connect(self.url) as connection:
            written = Counter[str]()
            for feed, its_sources in sources.items():
                written += self.write_feed(
                    connection, feed, [delivery for delivery in deliveries if delivery.feed == feed]
                )
                for source_id in its_sources:
                    note_day(connection, feed, source_id, day)
        return written

    def bring(self, day: date, *orders: Row, within: psycopg.Connection[Any] | None = None) -> None:
        """Write some orders as a load of a day does, perhaps in a transaction that goes on.

        Whoever loads holds the watermark of the source until the end; a build may wait for that.
        """
        at = datetime.combine(day, time(12))
        deliveries = [Delivery(at, "orders", order, "brought") for order in orders]
        if within:
            for source_id in {order["source_id"] for order in orders}:
                hold_watermark(within, "orders", source_id)
            self.write_feed(within, "orders", deliveries)
        else:
            self.write(deliveries, day, {"orders": {"erp"}})

    def write_feed(
        self, connection: psycopg.Connection[Any], feed: str, deliveries: list[Delivery]
    ) -> Counter[str]:
        """Write rows of one feed. What says what is stored already is not written: its `loaded_at` stays."""
        written: Counter[str] = Counter()
        rows: list[Row] = []
        versions: list[Row] = []
        self.batches += 1
        for delivery in deliveries:
            before = self.stored.get(delivery.key)
            if before and is_same(before, delivery):
                continue
            row: Row = {name: in_raw(delivery.row[name]) for name in FEEDS[feed].column_names} | {
                "source_id": delivery.row["source_id"],
                "deleted_on": delivery.row["deleted_on"],
                "load_batch_id": self.batches,
            }
            rows.append(row | {"business_day": delivery.at.date(), "row_number": len(rows)})
            versions.append(row | {"valid_from": self.since(before, delivery)})
            self.stored[delivery.key] = delivery
            written[f"{feed} {delivery.why}"] += 1
        upsert(connection, feed, FEEDS[feed].key, rows)
        if feed in VERSIONED_FEEDS:
            upsert(connection, f"{feed}_versions", (*FEEDS[feed].key, "valid_from"), versions)
        return written

    def since(self, before: Delivery | None, delivery: Delivery) -> Any:
        """Return from when a version holds: from ever, from its day, or from when that day's last one did."""
        if before is None:
            self.valid_from[delivery.key] = "-infinity"
        elif before.at.date() < delivery.at.date():
            self.valid_from[delivery.key] = delivery.at.date()
        return self.valid_from[delivery.key]


def is_same(before: Delivery, after: Delivery) -> bool:
    return all(before.row[name] == after.row[name] for name in FEEDS[after.feed].column_names) and (
        (before.row["deleted_on"] is None) == (after.row["deleted_on"] is None)
    )


def note_day(connection: psycopg.Connection[Any], feed: str, source_id: str, day: date) -> None:
    connection.execute(
        "insert into ops.feed_days values (%s, %s, %s, false) on conflict do nothing", [source_id, feed, day]
    )


def hold_watermark(connection: psycopg.Connection[Any], feed: str, source_id: str) -> None:
    key = [source_id, feed]
    connection.execute(
        "insert into ops.watermarks (source_id, feed) values (%s, %s) on conflict do nothing", key
    )
    connection.execute("select from ops.watermarks where source_id = %s and feed = %s for update", key)


def in_raw(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict) else value


def upsert(
    connection: psycopg.Connection[Any], table: str, key: tuple[str, ...], rows: list[dict[str, Any]]
) -> None:
    """Write rows one after the other, each at its own moment."""
    if not rows:
        return
    names = [*rows[0]]
    statement = sql.SQL(
        "insert into {table} ({names}, loaded_at) values ({values}, clock_timestamp())"
        " on conflict (source_id, {key}) do update set {assignments}, loaded_at = excluded.loaded_at"
    ).format(
        table=sql.Identifier("raw", table),
        names=sql.SQL(", ").join(map(sql.Identifier, names)),
        values=sql.SQL(", ").join(map(sql.Placeholder, names)),
        key=sql.SQL(", ").join(map(sql.Identifier, key)),
        assignments=sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(n)) for n in names
        ),
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)
