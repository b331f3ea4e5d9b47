"""Empty marts as their contracts say they are, and a company of which every text tells whose it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import yaml
from psycopg import sql

from winback import paths

AS_OF = date(2017, 12, 31)
MONTH = date(2017, 12, 1)
CAMPAIGN_ENDED, CAMPAIGN_ENDS = date(2017, 11, 30), date(2018, 1, 31)
TASK_DUE = date(2017, 12, 10)


def create_marts(connection: psycopg.Connection[Any]) -> None:
    """Create every mart without rows, or the columns that one lacks, from the contracts that dbt enforces."""
    connection.execute("create schema if not exists marts")
    files = sorted((paths.DBT_PROJECT / "models" / "marts").glob("*/*__models.yml"))
    assert files
    for file in files:
        for model in yaml.safe_load(file.read_text(encoding="utf-8"))["models"]:
            table = sql.Identifier("marts", model["name"])
            connection.execute(sql.SQL("create table if not exists {} ()").format(table))
            columns = [
                sql.SQL("add column if not exists {} {}").format(
                    sql.Identifier(column["name"]), sql.SQL(column["data_type"])
                )
                for column in model["columns"]
            ]
            connection.execute(sql.SQL("alter table {} {}").format(table, sql.SQL(", ").join(columns)))


@dataclass(frozen=True)
class Region:
    """A region and the number of the one above it, which comes before it: none is above itself."""

    number: int
    parent: int | None

    @property
    def key(self) -> str:
        return f"erp:R{self.number:03}"


@dataclass(frozen=True)
class Customer:
    """A customer, of whom all else follows from the number."""

    number: int
    region: int
    manager: int
    business_line: str
    stage: str
    tier: str

    @property
    def key(self) -> str:
        return f"erp:C{self.number:03}"

    @property
    def value(self) -> Decimal:
        return Decimal(1000 + 7 * self.number)

    @property
    def arm(self) -> str:
        """Return the arm of the customer in the campaigns that all customers are in."""
        return "control" if self.number % 4 == 3 else "treated"

    @property
    def has_returned(self) -> bool:
        """Tell whether the campaign that ended brought the customer back."""
        return self.number % 4 < 2

    @property
    def task_status(self) -> str:
        """Return what became of the customer's task, which was due in December."""
        return "overdue" if self.number % 2 else "done"

    @property
    def marks(self) -> tuple[str, ...]:
        """Return every text that only this customer's rows hold."""
        number = f"{self.number:03}"
        marks = (f"ID{number}X", f"客户{number}名", f"1380000{number}", f"类{number}别", f"商品{number}号")
        return (*marks, f"结果{number}果", f"依据{number}据", f"T{number}T")


def manager_key(number: int | None) -> str:
    """Return an account manager's key."""
    return "-1" if number is None else f"erp:M{number:03}"


@dataclass(frozen=True)
class Scene:
    """A company: its regions, its customers with the numbers of their regions and managers, and these."""

    regions: tuple[Region, ...]
    customers: tuple[Customer, ...]
    superiors: Mapping[int, int] = field(default_factory=dict)  # of managers, by number
    left: frozenset[int] = frozenset()

    def path(self, number: int) -> list[str]:
        """Return a region and all above it, the highest first."""
        region = self.regions[number]
        return [*(self.path(region.parent) if region.parent is not None else []), region.key]

    @property
    def managers(self) -> list[int]:
        """Return the numbers of all managers."""
        owners = {customer.manager for customer in self.customers}
        return sorted(owners.union(self.superiors, self.superiors.values(), self.left))

    def fill(self, connection: psycopg.Connection[Any]) -> None:
        """Put the company into empty marts."""
        tables: dict[str, list[dict[str, Any]]] = {
            "dim_region": [
                {"region_key": r.key, "name": f"区域{r.number:03}", "region_path": self.path(r.number)}
                for r in self.regions
            ],
            "dim_account_manager": [
                {
                    "account_manager_key": manager_key(number),
                    "name": f"经理{number:03}",
                    "email": f"m{number:03}@example.com",
                    "reports_to_key": manager_key(self.superiors.get(number)),
                    "left_on": AS_OF if number in self.left else None,
                }
                for number in self.managers
            ],
            "feed_status": [
                {"feed": feed, "source_id": "erp", "last_business_day": AS_OF,
                 "is_stale": False, "rows_in": 1,
                 "rows_waiting": 0}
                for feed in ("orders", "complaints")
            ],
        }  # fmt: skip
        tables |= self._campaigns()
        for customer in self.customers:
            for table, rows in _rows(customer).items():
                tables.setdefault(table, []).extend(rows)
        for table, rows in tables.items():
            if not rows:
                continue
            names = list(rows[0])
            statement = sql.SQL("insert into marts.{} ({}) values ({})").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, names)),
                sql.SQL(", ").join(sql.Placeholder() * len(names)),
            )
            with connection.cursor() as cursor:
                cursor.executemany(statement, [[row[name] for name in names] for row in rows])

    def _campaigns(self) -> dict[str, list[dict[str, Any]]]:
        """Return a campaign that ended in the quarter and one that runs on, with all customers in both."""
        arms = {arm: [one for one in self.customers if one.arm == arm] for arm in ("treated", "control")}
        counts = {arm: len(members) for arm, members in arms.items()} | {"outside": 0}
        rates = {
            arm: Decimal(sum(one.has_returned for one in members)) / (len(members) or 1)
            for arm, members in arms.items()
        }
        uplift, margin = rates["treated"] - rates["control"], Decimal("0.09")
        names = {"business_line": "retail", "offer_zh": "九折券", "offer_en": "Ten percent off"}
        running = {
            "name_zh": "冬季问候", "name_en": "Winter", "starts_on": date(2017, 11, 2), "is_complete": False,
            "window_ends_on": CAMPAIGN_ENDS, "target_rate": None, "uplift": None, "uplift_low": None,
            "uplift_high": None, "revenue_won": None, "margin_won": None, "finding": None,
        }  # fmt: skip
        ended = {
            "name_zh": "秋季回归", "name_en": "Autumn call", "starts_on": date(2017, 9, 2),
            "is_complete": True, "window_ends_on": CAMPAIGN_ENDED, "target_rate": Decimal("0.2"),
            "uplift": uplift, "uplift_low": uplift - margin, "uplift_high": uplift + margin,
            "revenue_won": Decimal(9000), "margin_won": Decimal(4500), "finding": "worked",
        }  # fmt: skip
        return {
            "campaign_results": [
                names | counts | own | {"campaign_id": campaign_id, "treated_cost": Decimal(1500)}
                for campaign_id, own in (("ended", ended), ("running", running))
            ],
            "winback_posteriors": [
                {"business_line": line, "value_tier": tier, "reason_class": "disappointed",
                 "time_away": "under_1_year", "time_away_zh": "6 个月至 1 年",
                 "time_away_en": "6 months to a year", "prior_treated": Decimal("0.21"),
                 "p_treated": Decimal("0.31"), "prior_untreated": Decimal("0.15"),
                 "p_untreated": Decimal("0.16")}
                for line, tier in sorted({(one.business_line, one.tier) for one in self.customers})
            ],
        }  # fmt: skip


def _rows(customer: Customer) -> dict[str, list[dict[str, Any]]]:
    number, key, value = f"{customer.number:03}", customer.key, customer.value
    is_churned, is_at_risk = customer.stage == "churned", customer.stage == "at_risk"
    own = {"customer_key": key, "business_line": customer.business_line}
    manager, region = manager_key(customer.manager), f"erp:R{customer.region:03}"

    def period(orders: int, *, is_last: bool) -> dict[str, Any]:
        churned = int(is_churned and is_last)
        return own | {
            "stage": customer.stage if is_last else "active", "orders": orders,
             "revenue": Decimal(orders * 10),
            "complaints": 1, "customers_churned": churned, "customers_new": 0, "customers_reactivated": 0,
            "customers_end": 1 - churned, "churn_base": 1, "churn_members": churned, "customers_start": 1,
            "lost_revenue": value * churned, "revenue_at_risk": value * int(is_at_risk and is_last),
            "value_12m": value, "is_complete": True,
        }  # fmt: skip

    def month(first: date, *, is_last: bool) -> dict[str, Any]:
        ends_on = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        return period(5 + int(is_last), is_last=is_last) | {
            "month": first, "period_ends_on": ends_on, "tier": customer.tier, "revenue_12m": value,
            "cohort_month": date(2017, 11, 1), "bridge_class": "expansion" if is_last else None,
            "revenue_start": value - 9, "revenue_end": value, "bridge_amount": Decimal(9),
        }  # fmt: skip

    flags = [
        {"customer_key": key, "rule_id": "silent", "outcome": customer.stage,
         "signal": "days", "opened_on": AS_OF,
         "label_zh": "久未购买", "label_en": "Silent", "evidence_zh": f"依据{number}据",
          "evidence_en": f"依据{number}据"}
    ] * int(is_churned or is_at_risk)  # fmt: skip
    return {
        "dim_customer": [
            own | {"customer_id": f"ID{number}X", "region_key": region, "account_manager_key": manager,
                   "do_not_contact": False, "last_order_on": date(2017, 9, 1), "value_tier": customer.tier,
                   "is_key_customer": customer.tier in ("vip", "major"),
                   "tier": customer.tier, "value_12m": value, "stage": customer.stage, "closed_on": None}
        ],
        "dim_customer_contact": [
            {"customer_key": key, "name": f"客户{number}名", "phone": f"1380000{number}"}
        ],
        "customer_weeks": [
            period(2 + int(is_last), is_last=is_last)
            | {"week_starts_on": end - timedelta(days=6), "week_ends_on": end}
            for end, is_last in ((AS_OF - timedelta(days=7), False), (AS_OF, True))
        ],
        "customer_months": [month(date(2017, 11, 1), is_last=False), month(MONTH, is_last=True)],
        "customer_flags": flags,
        "customer_flag_history": [
            {name: flag[name] for name in ("customer_key", "rule_id", "opened_on",
             "evidence_zh", "evidence_en")}
            for flag in flags
        ],
        "churn_reasons": [
            own | {"month": MONTH, "reason_class": "disappointed", "sub_reason": "quality",
                "is_inferred": False}
        ] * int(is_churned),
        "fct_complaints": [
            {"complaint_key": f"k{number}", "complaint_id": f"T{number}T",
             "customer_key": key, "is_open": True,
             "opened_on": AS_OF - timedelta(days=3), "opened_at": AS_OF - timedelta(days=3),
             "category": f"类{number}别", "category_word": f"类{number}别", "product_key": f"p{number}",
             "is_resolution_in_time": False, "is_response_in_time": False, "overdue_on": AS_OF,
             "order_key": f"o{number}"}
        ],
        "fct_contacts": [
            {"contact_key": f"c{number}", "customer_key": key, "contacted_on": AS_OF, "contacted_at": AS_OF,
             "account_manager_key": manager, "outcome": f"结果{number}果"}
        ],
        "dim_product": [{"product_key": f"p{number}", "name": f"商品{number}号"}],
        "complaint_causes": [
            {"kind": "product", "cause_key": f"p{number}", "product_key": f"p{number}", "window_days": 7,
             "is_alarm": True}
        ],
        "upgrade_candidates": [
            own | {"tier": "small", "next_tier": "ordinary", "figure_12m": value, "missing": Decimal(5),
                   "growth": Decimal("0.2")}
        ],
        "care_calendar": [
            own | {"rule_id": "birthday", "product_key": "-1", "due_on": AS_OF + timedelta(days=1),
                   "value_tier": customer.tier, "label_zh": f"依据{number}据", "label_en": f"依据{number}据"}
        ],
        "campaign_members": [
            own | {"campaign_id": campaign_id, "arm": customer.arm, "value_tier": customer.tier,
                   "reason_class": "disappointed", "time_away": "under_1_year", "assigned_on": assigned_on,
                   "window_ends_on": ends_on, "is_complete": ends_on <= AS_OF,
                   "has_returned": customer.has_returned if ends_on <= AS_OF else None}
            for campaign_id, assigned_on, ends_on in (
                ("ended", date(2017, 9, 1), CAMPAIGN_ENDED), ("running", date(2017, 11, 1), CAMPAIGN_ENDS)
            )
        ],
        "winback_tasks": [
            {"task_id": f"W{number}", "customer_key": key, "account_manager_key": manager,
             "created_on": TASK_DUE - timedelta(days=7), "due_on": TASK_DUE, "status": customer.task_status,
             "is_late": False if customer.task_status == "done" else None,
             "result": "reached" if customer.task_status == "done" else None}
        ],
        "tier_movements": [
            own | {"month": MONTH, "from_tier": "ordinary", "to_tier": customer.tier, "direction": "up",
                   "revenue_12m": value}
        ],
    }  # fmt: skip
