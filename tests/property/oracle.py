"""What the marts must say, worked out from the raw rows in plain Python.

Written from the wording of the definitions, without a look at the models, so that a mistake would have to be
made twice to go unseen. It reads the rules from the seeds and favours the obvious over the fast.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache, cached_property
from zoneinfo import ZoneInfo

from tests.property.oracle_buyers import Buyer, standing_among
from tests.property.oracle_customers import (
    DAY,
    UNKNOWN,
    Complaint,
    Customer,
    RawCompany,
    Row,
    Survey,
    Table,
    count,
    first_of_month,
    live,
    month_end,
    months_before,
    own_key,
    reference,
)
from tests.property.oracle_flags import Flags
from tests.property.oracle_rules import SIGNALS, Policy, Rules
from tests.property.oracle_signals import Signals

GONE = ("prospect", "closed", "churned")


class Oracle:
    """The marts of one company as of one day."""

    def __init__(self, raw: RawCompany, rules: Rules) -> None:
        self.raw, self.rules, self.as_of = raw, rules, raw.as_of
        self.zone = ZoneInfo(raw.time_zone)
        self.orders, self.complaints = list(live(raw.orders)), list(live(raw.complaints))
        self.surveys, self.balances = list(live(raw.surveys)), list(live(raw.balances))
        self.managers = {
            f"{row['source_id']}:{row['account_manager_id']}": row for row in live(raw.account_managers)
        }
        self.masters = {own_key(row): row for row in live(raw.customers)}
        self.versions: dict[str, list[Row]] = defaultdict(list)
        for row in raw.customers_versions:
            self.versions[own_key(row)].append(row)
        self.tiers_at = cache(self._tiers_at)
        self.signals = Signals(rules, self.policy, self.line_revenue, self.manager_left_on)
        self.flags = Flags(rules, self.signals, self.policy_name)
        self.comebacks = cache(self._comebacks)

    # Rows

    def business_day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def order_class(self, row: Row) -> str:
        """Return what a row of the orders feed is by itself, before reversals."""
        by_status = self.rules.order_classes[(row["status"] or "").strip().lower() or "(blank)"]
        document = (row["document_type"] or "").strip().lower() or "order"
        if by_status == "void" or document not in ("order", "return"):
            return "void"
        if by_status == "return" or document == "return" or row["amount"] < 0:
            return "return"
        return "sale"

    @cached_property
    def fct_orders(self) -> Table:
        """All sales and returns up to the as-of date."""
        rows: Table = {}
        reversals: dict[str, list[Row]] = defaultdict(list)
        for row in self.orders:
            day, order_class = self.business_day(row["ordered_at"]), self.order_class(row)
            if day > self.as_of or order_class == "void":
                continue
            key = f"{row['source_id']}:{row['order_id']}"
            rows[(key,)] = entry = {
                "order_key": key,
                "customer_key": self.customer_key(row),
                "region_key": reference(row, "region_id"),
                "store_id": row["store_id"],
                "channel": row["channel"],
                "ordered_at": row["ordered_at"],
                "ordered_on": day,
                "order_class": order_class,
                "amount": -abs(row["amount"]) if order_class == "return" else row["amount"],
                "document_type": row["document_type"],
                "status": row["status"],
            }
            if order_class == "return" and row["reverses_order_id"]:
                reversals[f"{row['source_id']}:{row['reverses_order_id']}"].append(entry)
        for key, returns in reversals.items():
            order = rows.get((key,))
            if order is None or order["order_class"] != "sale":
                continue
            in_time = [
                entry
                for entry in returns
                if 0 <= (entry["ordered_on"] - order["ordered_on"]).days <= self.rules.reversal_days
            ]
            if in_time and -sum(entry["amount"] for entry in in_time) >= order["amount"]:
                for void in (order, *in_time):
                    del rows[(void["order_key"],)]
        return rows

    def customer_key(self, row: Row) -> str:
        """Return the customer of an order or a complaint, after merging."""
        if not row["customer_id"]:
            return UNKNOWN
        return self.survivor(f"{row['customer_source_id']}:{row['customer_id']}")

    def survivor(self, key: str) -> str:
        """Follow the merges to the customer that goes on."""
        master = self.masters.get(key)
        if master and master["merged_into"] and master["merged_into"] != master["customer_id"]:
            return self.survivor(f"{master['source_id']}:{master['merged_into']}")
        return key

    def master_on(self, key: str, day: date) -> Row:
        """Return a customer's master data as they were at the end of a day; none if the source had none."""
        versions = [row for row in self.versions.get(key, []) if row["valid_from"] <= day]
        if not versions:
            return {}
        held = max(versions, key=lambda row: row["valid_from"])
        return {} if held["deleted_on"] else held

    @cached_property
    def customers(self) -> dict[str, Customer]:
        """Everybody in customers, orders of any class or complaints; and the unknown member."""
        found: dict[str, Customer] = {}

        def customer(key: str) -> Customer:
            if key not in found:
                master = self.masters.get(key, {})
                found[key] = Customer(key, master.get("business_line") or self.raw.default_line, master)
                if master.get("closed_on"):
                    reason = (master["closed_reason"] or "").strip().lower()
                    found[key].closing_class = "natural" if reason in self.rules.natural_reasons else "other"
            return found[key]

        def seen(key: str, day: date) -> Customer | None:
            if day > self.as_of:
                return None
            who = customer(key)
            who.first_seen_on = min(day, who.first_seen_on)
            return who

        customer(UNKNOWN)
        for key, master in self.masters.items():
            who = customer(self.survivor(key))
            who.do_not_contact |= bool(master["do_not_contact"])
            if master["registered_on"]:
                seen(who.key, master["registered_on"])
        for row in self.orders:
            seen(self.customer_key(row), self.business_day(row["ordered_at"]))
        for row in self.complaints:
            day = self.business_day(row["opened_at"])
            if complainer := seen(self.customer_key(row), day):
                complainer.complaints.append(self.complaint(row, day))
        for entry in self.fct_orders.values():
            buyer = found[entry["customer_key"]]
            buyer.money[entry["ordered_on"]] += entry["amount"]
            if entry["order_class"] == "sale":
                buyer.order_days.append(entry["ordered_on"])
        self.add_surveys_and_balances(found)
        for who in found.values():
            who.settle()
            who.first_seen_on = min(who.first_seen_on, self.as_of)  # where nothing carries a day
        return found

    def complaint(self, row: Row, opened_on: date) -> Complaint:
        resolved_at = row["resolved_at"]
        return Complaint(
            f"{row['source_id']}:{row['complaint_id']}",
            opened_on,
            row["source_id"] in self.handling_sources,
            self.rules.open_statuses.get((row["status"] or "").strip().lower()),
            resolved_at,
            self.business_day(resolved_at) if resolved_at else None,
            row["satisfaction"],
        )

    @cached_property
    def handling_sources(self) -> set[str]:
        """Return the sources that say of any complaint so far what became of it."""
        return {
            row["source_id"]
            for row in self.complaints
            if self.business_day(row["opened_at"]) <= self.as_of
            and ((row["status"] or "").strip() or row["resolved_at"])
        }

    def add_surveys_and_balances(self, found: dict[str, Customer]) -> None:
        """Give them to those who are customers; neither makes anybody one."""
        for row in self.surveys:
            if who := found.get(self.customer_key(row)):
                key, asked_on = f"{row['source_id']}:{row['survey_id']}", self.business_day(row["asked_at"])
                who.surveys.append(Survey(key, row["asked_at"], asked_on, row["score"], row["scale_max"]))
        for row in self.balances:
            if (who := found.get(self.customer_key(row))) and row["balance"] is not None:
                month = first_of_month(row["month"])
                who.balances[month] = who.balances.get(month, Decimal(0)) + row["balance"]

    @property
    def known(self) -> Iterator[Customer]:
        """Everybody but the unknown member."""
        return (who for who in self.customers.values() if who.key != UNKNOWN)

    # A customer at the end of a day

    def policy_name(self, who: Customer) -> str:
        return self.raw.lines[who.line]

    def policy(self, who: Customer) -> Policy:
        return self.rules.policies[self.policy_name(who)]

    def revenue_12m(self, who: Customer, day: date) -> Decimal:
        return who.revenue(months_before(day + DAY, self.rules.trailing_months), day)

    def orders_12m(self, who: Customer, day: date) -> int:
        return count(who.order_days, months_before(day + DAY, self.rules.trailing_months), day)

    @cached_property
    def line_revenues(self) -> dict[tuple[str, date], Decimal]:
        """Return the net revenue of each line and month, walk-ins included."""
        revenues: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
        for who in self.customers.values():
            for day, amount in who.money.items():
                revenues[who.line, first_of_month(day)] += amount
        return revenues

    def line_revenue(self, line: str, month: date) -> Decimal:
        return self.line_revenues[line, month]

    def manager_left_on(self, who: Customer, day: date) -> date | None:
        """Return when the manager that the customer had at the end of a day left, if that is known."""
        manager = self.managers.get(reference(self.master_on(who.key, day), "account_manager_id"))
        return manager["left_on"] if manager else None

    def is_churned(self, who: Customer, day: date) -> bool:
        closing = who.closing(day)
        return (
            closing != "natural"
            and who.has_ordered(day)
            and (closing == "other" or self.flags.holds("churned", who, day))
        )

    def _comebacks(self, key: str) -> list[date]:
        """Return the days of reactivating orders: those whose previous evening was churned."""
        who = self.customers[key]
        return [day for day in sorted(set(who.order_days)) if self.is_churned(who, day - DAY)]

    def stage(self, who: Customer, day: date) -> str:
        policy = self.policy(who)
        if who.closing(day) == "natural":
            return "closed"
        if not who.has_ordered(day):
            return "prospect"
        if self.is_churned(who, day):
            return "churned"
        if self.flags.holds("at_risk", who, day):
            return "at_risk"
        if count(self.comebacks(who.key), day - timedelta(days=policy.won_back_days - 1), day):
            return "won_back"
        return "new" if (day - who.order_days[0]).days < policy.new_days else "active"

    def _tiers_at(self, day: date) -> dict[str, str]:
        """Rank each line's customers by trailing revenue; who is not ranked is missing."""
        lines: dict[str, dict[str, Decimal]] = defaultdict(dict)
        for who in self.known:
            figure = self.revenue_12m(who, day)
            if figure > 0 and who.closing(day) is None:
                lines[who.line][who.key] = figure
        tiers = {}
        for figures in lines.values():
            ascending = sorted(figures.values())
            for key, figure in figures.items():
                more = len(ascending) - bisect_right(ascending, figure)
                tiers[key] = next(
                    tier for tier, share in self.rules.tiers if 100 * more < share * len(ascending)
                )
        return tiers

    def tier(self, who: Customer, day: date) -> str:
        review = day if day == month_end(day) else first_of_month(day) - DAY
        return self.tiers_at(review).get(who.key, "none")

    def value_tier(self, who: Customer, day: date) -> str:
        last = who.last_order(day)
        return self.tiers_at(min(month_end(last), day)).get(who.key, "none") if last else "none"

    def value_12m(self, who: Customer, day: date) -> Decimal:
        last = who.last_order(day)
        if last is None:
            return Decimal(0)
        return self.revenue_12m(who, last) + who.revenue(last + DAY, day)

    # Marts

    @cached_property
    def dim_customer(self) -> Table:
        table = {}
        not_a_buyer = dict.fromkeys(("rfm_recency", "rfm_frequency", "rfm_money", "segment"))
        for who in self.customers.values():
            is_known = who.key != UNKNOWN
            source_id, _, customer_id = who.key.partition(":") if is_known else (None, None, None)
            first = who.order_days[0] if is_known and who.order_days else None
            last = who.order_days[-1] if is_known and who.order_days else None
            table[(who.key,)] = {
                "source_id": source_id,
                "customer_id": customer_id,
                "kind": who.master.get("kind"),
                "business_line": who.line,
                "policy": self.raw.lines[who.line],
                "region_key": reference(who.master, "region_id"),
                "account_manager_key": reference(who.master, "account_manager_id"),
                "registered_on": who.master.get("registered_on"),
                "do_not_contact": who.do_not_contact,
                "closed_on": who.master.get("closed_on"),
                "first_order_on": first,
                "last_order_on": last,
                "days_since_last_order": (self.as_of - last).days if last else None,
                "orders_12m": self.orders_12m(who, self.as_of) if is_known else None,
                "revenue_12m": self.revenue_12m(who, self.as_of) if is_known else None,
                "tier": self.tier(who, self.as_of),
                **self.standing(who, self.as_of),
                **self.buyers.get(who.key, not_a_buyer),
            }
        return table

    @cached_property
    def buyers(self) -> dict[str, Row]:
        """Return RFM and segment of everybody who bought in the trailing 12 months and is not closed."""
        lines: dict[str, list[Buyer]] = defaultdict(list)
        for who in self.known:
            last, orders = who.last_order(self.as_of), self.orders_12m(who, self.as_of)
            if last and orders and who.closing(self.as_of) is None:
                revenue = self.revenue_12m(who, self.as_of)
                lines[who.line].append(Buyer(who.key, last, orders, revenue))
        return {key: row for buyers in lines.values() for key, row in standing_among(buyers).items()}

    @cached_property
    def int_signals(self) -> Table:
        table = {}
        for who in self.known:
            if who.order_days:
                watched = self.rules.watched(self.policy_name(who))
                table[(who.key,)] = {
                    name: self.signals.value(name, who, self.as_of) if name in watched else None
                    for name in SIGNALS
                }
        return table

    @cached_property
    def customer_flag_history(self) -> Table:
        return {
            (who.key, row["rule_id"], row["opened_on"]): row
            for who in self.known
            for row in self.flags.history(who, self.as_of)
        }

    @cached_property
    def customer_flags(self) -> Table:
        table = {}
        for (key, rule_id, opened_on), row in self.customer_flag_history.items():
            if row["closed_on"] is None:
                observed = self.signals.value(row["signal"], self.customers[key], self.as_of)
                wanted = {name: row[name] for name in ("outcome", "signal", "threshold")}
                table[key, rule_id] = wanted | {"observed": observed, "opened_on": opened_on}
        return table

    @cached_property
    def tier_movements(self) -> Table:
        ranks = ["none", *(tier for tier, _ in reversed(self.rules.tiers))]
        table = {}
        for (key, month), row in self.customer_months.items():
            before = self.customer_months.get((key, first_of_month(month, -1)))
            if before and row["is_complete"] and row["tier"] != before["tier"]:
                is_up = ranks.index(row["tier"]) > ranks.index(before["tier"])
                table[key, month] = {
                    "from_tier": before["tier"],
                    "to_tier": row["tier"],
                    "direction": "up" if is_up else "down",
                    "revenue_12m": self.revenue_12m(self.customers[key], month_end(month)),
                }
        return table

    def standing(self, who: Customer, day: date) -> Row:
        if who.key == UNKNOWN:
            return {"stage": None, "value_tier": "none", "value_12m": Decimal(0)}
        return {
            "stage": self.stage(who, day),
            "value_tier": self.value_tier(who, day),
            "value_12m": self.value_12m(who, day),
        }

    @cached_property
    def customer_months(self) -> Table:
        months, month = [], first_of_month(self.first_day)
        while month <= self.as_of:
            months.append((month, month_end(month)))
            month = first_of_month(month, 1)
        return self._periods(months)

    @cached_property
    def customer_weeks(self) -> Table:
        monday = self.as_of - timedelta(days=self.as_of.weekday())
        if self.as_of == monday + 6 * DAY:  # the week ends today and is complete
            monday += 7 * DAY
        weeks = [monday + timedelta(weeks=n) for n in range(-self.rules.weeks_kept, 1)]
        return self._periods(
            [(week, week + 6 * DAY) for week in weeks if self.first_day - 6 * DAY <= week <= self.as_of]
            + [(week, week + 6 * DAY) for week in [monday - timedelta(weeks=53)] if week >= self.first_day]
        )

    @cached_property
    def first_day(self) -> date:
        """Return the day of the first order, return or complaint, before which there are no periods."""
        days = [day for who in self.customers.values() for day in (*who.money, *who.complaint_days)]
        return min([*days, self.as_of])

    def _periods(self, periods: Iterable[tuple[date, date]]) -> Table:
        return {
            (who.key, first): row
            for first, last in periods
            for who in self.customers.values()
            if (row := self.customer_period(who, first, last)) is not None
        }

    @cached_property
    def data_begin(self) -> dict[str, date]:
        """Return the day of the first order, walk-ins included, by business line."""
        begin: dict[str, date] = {}
        for who in self.customers.values():
            if who.order_days:
                begin[who.line] = min(who.order_days[0], begin.get(who.line, who.order_days[0]))
        return begin

    def is_churn_rate_defined(self, line: str, first: date, last: date) -> bool:
        """Return whether a line's period is over and the line's data cover a churn time before it."""
        churn_days = self.rules.policies[self.raw.lines[line]].churn_days
        if last > self.as_of or churn_days is None or line not in self.data_begin:
            return False
        start = first - DAY
        return self.data_begin[line] <= start - timedelta(days=churn_days - self.rules.history_days)

    def customer_period(self, who: Customer, first: date, last: date) -> Row | None:
        """Return one row of customer_months or customer_weeks; none before the customer was seen."""
        start, end = first - DAY, min(last, self.as_of)
        orders, complaints = count(who.order_days, first, end), count(who.complaint_days, first, end)
        if who.key == UNKNOWN:
            if not (complaints or count(who.money_days, first, end)):
                return None
        elif who.first_seen_on > end:
            return None
        defined = self.is_churn_rate_defined(who.line, first, last)
        now, before = self.standing(who, end), self.standing(who, start)
        known = who.key != UNKNOWN
        if known and who.first_seen_on > start:
            before["stage"] = "prospect"  # not even that the account was closed was known of the customer
        was_there = known and before["stage"] not in GONE
        is_there = known and now["stage"] not in GONE
        closed = was_there and now["stage"] == "closed"
        churned = was_there and now["stage"] == "churned"
        return {
            "period_ends_on": end,
            "is_complete": last <= self.as_of,
            "business_line": who.line,
            "region_key": reference(self.master_on(who.key, end), "region_id"),
            "account_manager_key": reference(self.master_on(who.key, end), "account_manager_id"),
            "start_region_key": reference(self.master_on(who.key, start), "region_id"),
            "start_account_manager_key": reference(self.master_on(who.key, start), "account_manager_id"),
            "orders": orders,
            "revenue": who.revenue(first, end),
            "complaints": complaints,
            **now,
            "tier": self.tier(who, end),
            "start_stage": before["stage"],
            "start_value_tier": before["value_tier"],
            "is_churn_rate_defined": defined,
            "customers_start": int(was_there),
            "customers_closed": int(closed),
            "customers_churned": int(churned),
            "customers_new": int(is_there and not who.has_ordered(start)),
            "customers_reactivated": int(is_there and not was_there and who.has_ordered(start)),
            "customers_end": int(is_there),
            "churn_base": int(defined and was_there and not closed),
            "churn_members": int(defined and churned),
            "lost_revenue": (now["value_12m"] if churned else Decimal(0)) if defined else None,
            "revenue_at_risk": now["value_12m"] if now["stage"] == "at_risk" else Decimal(0),
        }
