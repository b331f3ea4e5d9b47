"""Retention figures, worked out customer by customer from the wording of definitions 4, 6 and 22 to 26.

Written without a look at the models, like `oracle.py`, on whose customers, stages and tiers it stands.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import product
from typing import Any

from tests.property.oracle import Oracle
from tests.property.oracle_customers import (
    DAY,
    UNKNOWN,
    Customer,
    Row,
    Table,
    count,
    first_of_month,
    live,
    month_end,
    reference,
)

BRIDGE = ("new", "reactivated", "expansion", "contraction", "lapsed")
COUNTED = (
    *("customers_start", "customers_closed", "customers_churned", "customers_new", "customers_reactivated"),
    *("customers_end", "churn_base", "churn_members", "orders", "complaints", "revenue", "revenue_at_risk"),
    *("orders_promised", "orders_on_time"),
)
FLOW = ("revenue_start", *(f"revenue_{kind}" for kind in BRIDGE), "revenue_end")
SHARED = {"customers": "customers_end", "revenue": "revenue_12m", "margin": "margin_12m"}
YEAR, BASE_YEAR = 12, 24
Place = tuple[str, str, str]  # business line, region, value tier; "all" of a kind together


class RetentionOracle(Oracle):
    """The oracle with the retention marts."""

    # Customers

    def reaches_back(self, who: Customer, month: date, months: int) -> bool:
        return who.key != UNKNOWN and self.line_reaches_back(who.line, month, months)

    def line_reaches_back(self, line: str, month: date, months: int) -> bool:
        """Return whether a month is over and the data of the line cover so many months up to its end."""
        begin = self.data_begin.get(line)
        return (
            month_end(month) <= self.as_of
            and begin is not None
            and begin <= first_of_month(month, 1 - months)
        )

    def spanned(self, who: Customer, month: date, months: int) -> Decimal:
        """Return net revenue of so many months that end with one."""
        return who.revenue(first_of_month(month, 1 - months), month_end(month))

    def bridge(self, who: Customer, month: date) -> Row:
        """Return what a customer does in the revenue bridge of a month."""
        months = self.policy(who).bridge_months
        if not self.reaches_back(who, month, months + 1):
            return dict.fromkeys(("bridge_class", "revenue_start", "revenue_end", "bridge_amount"))
        now = self.spanned(who, month, months)
        before = self.spanned(who, first_of_month(month, -1), months)
        if before <= 0 < now:
            kind = "reactivated" if self.has_brought_revenue(who, month, months) else "new"
        elif now <= 0 < before:
            kind = "lapsed"
        else:
            kind = "expansion" if now > before else "contraction" if now < before else "flat"
        return {
            "bridge_class": kind,
            "revenue_start": before,
            "revenue_end": now,
            "bridge_amount": now - before,
        }

    def has_brought_revenue(self, who: Customer, month: date, months: int) -> bool:
        earlier = first_of_month(who.money_days[0])
        while earlier < month:
            if self.spanned(who, earlier, months) > 0:
                return True
            earlier = first_of_month(earlier, 1)
        return False

    def base(self, who: Customer, month: date) -> Row:
        """Return what a customer brought in the twelve months that ended a year ago, and where they stood."""
        year_ago = first_of_month(month, -YEAR)
        then = self.spanned(who, year_ago, YEAR)
        if not self.reaches_back(who, month, BASE_YEAR) or then <= 0:
            return dict.fromkeys(("base_revenue", "base_value_tier", "base_region_key", "is_established"))
        evening = month_end(year_ago)
        return {
            "base_revenue": then,
            "base_value_tier": self.value_tier(who, evening),
            "base_region_key": reference(self.master_on(who.key, evening), "region_id"),
            "is_established": who.has_ordered(first_of_month(month, 1 - BASE_YEAR) - DAY),
        }

    @cached_property
    def customer_months(self) -> Table:
        table = {}
        for (key, month), row in super().customer_months.items():
            who, end = self.customers[key], row["period_ends_on"]
            is_known = key != UNKNOWN
            orders = self.orders_12m(who, end) if is_known else 0
            is_year = self.reaches_back(who, month, YEAR)
            first = who.order_days[0] if is_known and who.has_ordered(end) else None
            table[key, month] = row | {
                "orders_12m": orders,
                "revenue_12m": self.revenue_12m(who, end) if is_known else 0,
                "customers_12m": int(is_year and orders > 0),
                "customers_repeat_12m": int(is_year and orders > 1),
                "cohort_month": first_of_month(first) if first else None,
                "last_order_on": who.last_order(end) if is_known else None,
                **self.bridge(who, month),
                **self.base(who, month),
            }
        return table

    def customer_period(self, who: Customer, first: date, last: date) -> Row | None:
        row = super().customer_period(who, first, last)
        promised = [kept for day, kept in self.promises[who.key] if first <= day <= min(last, self.as_of)]
        return row and row | {"orders_promised": len(promised), "orders_on_time": sum(promised)}

    @cached_property
    def promises(self) -> dict[str, list[tuple[date, bool]]]:
        """Return, by customer, the day of each order with a promise and a delivery, and if it was kept."""
        raw = {f"{row['source_id']}:{row['order_id']}": row for row in self.orders}
        promises = defaultdict(list)
        for (key,), entry in self.fct_orders.items():
            promised_at, delivered_at = raw[key]["promised_at"], raw[key]["delivered_at"]
            if entry["order_class"] == "sale" and promised_at and delivered_at:
                kept = self.business_day(delivered_at) <= self.business_day(promised_at)
                promises[entry["customer_key"]].append((entry["ordered_on"], kept))
        return promises

    @cached_property
    def contacted_months(self) -> set[tuple[str, date]]:
        """Return who was contacted in which month."""
        days = [(row, self.business_day(row["contacted_at"])) for row in live(self.raw.contacts)]
        return {(self.customer_key(row), first_of_month(day)) for row, day in days if day <= self.as_of}

    @cached_property
    def contacts_begin(self) -> dict[str, date]:
        """Return, by business line, the first month in which any of its customers was contacted."""
        begin: dict[str, date] = {}
        for key, month in self.contacted_months:
            if key in self.customers:
                line = self.customers[key].line
                begin[line] = min(month, begin.get(line, month))
        return begin

    # Periods

    @cached_property
    def customer_quarters(self) -> Table:
        quarter, quarters = first_of_quarter(self.first_day), []
        while quarter <= self.as_of:
            quarters.append((quarter, month_end(first_of_month(quarter, 2))))
            quarter = first_of_month(quarter, 3)
        return self._periods(quarters)

    @cached_property
    def retention_quarters(self) -> Table:
        return self.retention(self.customer_quarters)

    @cached_property
    def retention_weeks(self) -> Table:
        return self.retention(self.customer_weeks)

    @cached_property
    def retention_months(self) -> Table:
        return self.months_of(lambda place: [place])

    @cached_property
    def retention_months_rollup(self) -> Table:
        """Return the months of all regions above, all lines and all tiers; empty where a line cannot tell."""
        table = self.months_of(self.all_above)
        with_base = {(month, line) for month, line, *_ in self.base_groups(lambda place: [place])}
        for (month, line, region, _), row in table.items():
            if line != "all":
                continue
            lines = self.lines_with_revenue[month, region]
            spans = {self.rules.policies[self.raw.lines[each]].bridge_months for each in lines}
            if len(spans) > 1 or not all(
                self.line_reaches_back(each, month, span + 1) for each in lines for span in spans
            ):
                row.update(dict.fromkeys(FLOW))
            if any((month, each) not in with_base for each in lines):
                row.update(dict.fromkeys(self.base_figures([])))
        return table

    @cached_property
    def lines_with_revenue(self) -> dict[tuple[date, str], set[str]]:
        """Return, by month and region with all below it, the lines that brought anything in twelve months."""
        lines = defaultdict(set)
        for (month, line, region, _), row in self.retention_months.items():
            if row["revenue_12m"]:
                for above in self.regions_above(region):
                    lines[month, above].add(line)
        return lines

    def all_above(self, place: Place) -> list[Place]:
        line, region, tier = place
        return list(product((line, "all"), self.regions_above(region), (tier, "all")))

    def regions_above(self, region: str) -> list[str]:
        regions = ["all", region]
        while (region := self.parents.get(region, UNKNOWN)) != UNKNOWN:
            regions.append(region)
        return regions

    @cached_property
    def parents(self) -> dict[str, str]:
        return {reference(row, "region_id"): reference(row, "parent_region_id") for row in self.raw.regions}

    def months_of(self, counts_for: Callable[[Place], list[Place]]) -> Table:
        """Return the months of the places that each customer's place counts for."""
        table = self.retention(self.customer_months, self.month_figures, counts_for)
        nobody = self.figures([]) | self.month_figures([])
        for key, rows in self.base_groups(counts_for).items():
            some_row = rows[0][1]
            added = self.base_figures(rows)
            period = {name: some_row[name] for name in ("period_ends_on", "is_complete")}
            table[key] = table.get(key, nobody | period) | added
        none = self.base_figures([])
        table = {key: none | row for key, row in table.items()}
        for (month, line, region, tier), row in table.items():
            tiers = [
                table[other]
                for each in (*(tier for tier, _ in self.rules.tiers), "none")
                if (other := (month, line, region, each)) in table
            ]
            for name, column in SHARED.items():
                known = [other[column] for other in tiers if other[column] is not None]
                whole = sum(known) if known else None
                row[f"all_tiers_{column.replace('customers_end', 'customers')}"] = whole
                row[f"share_of_{name}"] = rate(row[column], whole, row["is_complete"])
        return table

    def base_groups(
        self, counts_for: Callable[[Place], list[Place]]
    ) -> dict[tuple[Any, ...], list[tuple[str, Row]]]:
        groups = defaultdict(list)
        for (key, month), row in self.customer_months.items():
            if row["base_revenue"] is not None:
                for place in counts_for(
                    (row["business_line"], row["base_region_key"], row["base_value_tier"])
                ):
                    groups[month, *place].append((key, row))
        return groups

    def retention(
        self,
        periods: Table,
        more: Callable[[list[tuple[str, Row]]], Row] = lambda _: {},
        counts_for: Callable[[Place], list[Place]] = lambda place: [place],
    ) -> Table:
        """Return what customers' periods come to by line, and by region and value tier at the start."""
        groups: dict[tuple[Any, ...], list[tuple[str, Row]]] = defaultdict(list)
        for (key, first), row in periods.items():
            entry = (key, row | {"first": first})
            for place in counts_for((row["business_line"], row["start_region_key"], row["start_value_tier"])):
                groups[first, *place].append(entry)
        return {
            place: {name: rows[0][1][name] for name in ("period_ends_on", "is_complete")}
            | self.figures(rows)
            | more(rows)
            for place, rows in groups.items()
        }

    def figures(self, rows: list[tuple[str, Row]]) -> Row:
        known = [row for key, row in rows if key != UNKNOWN]
        is_complete = all(row["is_complete"] for _, row in rows)
        active = sum(row["orders"] > 0 for row in known)
        orders, revenue = total(known, "orders"), total(known, "revenue")
        promised, on_time = (
            total((row for _, row in rows), f"orders_{it}") for it in ("promised", "on_time")
        )
        summed = {name: total((row for _, row in rows), name) for name in COUNTED}
        lost = [row["lost_revenue"] for _, row in rows if row["lost_revenue"] is not None]
        churn = rate(summed["churn_members"], summed["churn_base"])
        return {
            **summed,
            "lost_revenue": sum(lost) if lost else None,
            "churn_rate": churn,
            "retention_rate": None if churn is None else 1 - churn,
            "customers_registered": len(known),
            "customers_active": active,
            "customers_zero_use": sum(row["customers_end"] for row in known if not row["orders"]),
            "customer_orders": orders,
            "customer_revenue": revenue,
            "average_order_value": rate(revenue, orders, is_complete),
            "orders_per_active": rate(orders, active, is_complete),
            "revenue_per_active": rate(revenue, active, is_complete),
            "on_time_share": rate(on_time, promised, is_complete),
        }

    def month_figures(self, rows: list[tuple[str, Row]]) -> Row:
        there = [
            (key, row)
            for key, row in rows
            if row["customers_start"]
            and row["is_complete"]
            and row["first"] >= self.contacts_begin.get(self.customers[key].line, date.max)
        ]
        contacted = sum((key, row["first"]) in self.contacted_months for key, row in there)
        customers = sum(row["customers_12m"] for _, row in rows)
        repeat = sum(row["customers_repeat_12m"] for _, row in rows)
        bridged = [row for _, row in rows if row["bridge_class"]]
        flow = {
            f"revenue_{kind}": sum(row["bridge_amount"] for row in bridged if row["bridge_class"] == kind)
            for kind in BRIDGE
        }
        ends = {name: total(bridged, name) for name in ("revenue_start", "revenue_end")}
        return {
            "revenue_12m": total((row for _, row in rows), "revenue_12m"),
            "margin_12m": None,  # no product of these companies has a cost
            "contact_base": len(there),
            "customers_contacted": contacted,
            "contact_coverage": rate(contacted, len(there)),
            "customers_12m": customers,
            "customers_repeat_12m": repeat,
            "repeat_rate": rate(repeat, customers),
            **(flow | ends if bridged else dict.fromkeys(flow | ends)),
        }

    def base_figures(self, rows: list[tuple[str, Row]]) -> Row:
        figures: Row = {}
        for name, gross, net, chosen in (
            ("base_revenue", "gross_revenue_retention", "net_revenue_retention", rows),
            (
                *("established_revenue", "established_gross_retention", "established_net_retention"),
                [(key, row) for key, row in rows if row["is_established"]],
            ),
        ):
            then = [row["base_revenue"] for _, row in chosen]
            now = [row["revenue_12m"] for _, row in chosen]
            kept = sum(max(0, min(pair)) for pair in zip(now, then, strict=True))
            figures |= {
                name: sum(then) if then else None,
                f"{name}_kept": kept if then else None,
                f"{name}_now": sum(now) if then else None,
                gross: rate(kept, sum(then)),
                net: rate(sum(now), sum(then)),
            }
        return figures

    # Cohorts

    @cached_property
    def retention_cohorts(self) -> Table:
        table = {}
        for line in (*self.raw.lines, "all"):
            cohorts = defaultdict(list)
            for who in self.known:
                if who.order_days and line in (who.line, "all"):
                    cohorts[first_of_month(who.order_days[0])].append(who)
            begins = [day for of, day in self.data_begin.items() if line in (of, "all")]
            for first, members in cohorts.items():
                month, number = first, 0
                while month <= self.as_of:
                    is_complete = month_end(month) <= self.as_of
                    is_shown = is_complete or not number
                    end = min(month_end(month), self.as_of)
                    active = sum(count(who.order_days, month, end) > 0 for who in members)
                    revenue = sum(who.revenue(month, end) for who in members)
                    table[first, number, line] = {
                        "month": month,
                        "is_complete": is_complete,
                        "is_left_truncated": first < first_of_month(min(begins), YEAR),
                        "customers": len(members),
                        "active": active if is_shown else None,
                        "share_active": Decimal(active) / len(members) if is_shown else None,
                        "revenue": revenue if is_shown else None,
                    }
                    month, number = first_of_month(month, 1), number + 1
        return table


def first_of_quarter(day: date) -> date:
    return first_of_month(day, -((day.month - 1) % 3))


def total(rows: Iterable[Row], name: str) -> Any:
    return sum(row[name] for row in rows)


def rate(part: Any, whole: Any, is_complete: bool = True) -> Decimal | None:
    return Decimal(part) / Decimal(whole) if whole and is_complete else None
