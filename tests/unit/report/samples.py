"""Hand-made rows of the weekly report, and what rendering needs besides."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from typing import Any

from winback.report.definition import load_report
from winback.report.period import iso_week
from winback.report.query import ReportRows
from winback.report.render import House, render
from winback.report.scope import Language, Recipient, Scope, ScopedCustomers

REPORT = load_report("weekly_retention")
AS_OF = date(2017, 12, 31)
WEEK = iso_week(AS_OF)
HOUSE = House("Winback <winback@example.com>", {"en": "Example Retail", "zh": "示例零售"}, "USD", "included")
DEFINITIONS = {
    f"{name}{suffix}": sentence
    for name in REPORT.file.glossary
    for suffix, sentence in (
        ("", "The share of the live customers at the start of the period who have churned by its end."),
        ("_zh", "期初在营客户中，到期末已经流失的比例。"),
    )
}

_FIGURES = {
    "customers_at_risk": ("340", None, None, "18"),
    "revenue_at_risk": ("567123.45", None, None, "31200.10"),
    "customers_churned": ("12", None, None, "-3"),
    "lost_revenue": ("8900.50", None, None, "-1200.00"),
    "customers_end": ("2446", None, None, "-4"),
    "customers_new": ("6", None, None, "0"),
    "customers_reactivated": ("2", None, None, "1"),
    "churn_rate": ("0.00489", "12", "2453", "-0.0012"),
    "orders": ("2871", None, None, "-120"),
    "revenue": ("88123.40", None, None, "-4210.00"),
    "complaints_opened": ("14", None, None, "5"),
    "complaints_open": ("9", None, None, None),
}

_NAMES = ["王秀英", "李建国", "陈桂兰", "Zhang Wei", "欧阳雪", "刘洋", "赵敏", "黄小红", "周杰", "吴桂英"]
_EVIDENCE: dict[Language, tuple[str, str]] = {
    "zh": ("久未购买", "最近一次下单 2017-09-25，距今 97 天"),
    "en": ("No purchase for a while", "last order 2017-09-25, 97 days ago"),
}


def decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def figures() -> list[dict[str, Any]]:
    return [
        dict(zip(("name", "value", "part", "whole", "change"), (name, *map(decimal, values)), strict=True))
        | dict.fromkeys(("year_change", "before", "before_as_sent", "changed_feeds"))
        for name, values in _FIGURES.items()
    ]


def call_first(language: Language, rows: int = 20) -> list[dict[str, Any]]:
    reason, evidence = _EVIDENCE[language]
    other = {"zh": ["投诉 14 天未结"], "en": ["Complaint open for 14 days"]}[language]
    return [
        {
            "name": _NAMES[place % 10],
            "phone": f"138{12345678 + 7919 * place}",
            "region": ["东北区一店", "中西部三店", "南方大区二店"][place % 3],
            "account_manager": "林经理",
            "customer_id": f"10{place:03}",
            "stage": "churned" if place % 6 == 4 else "at_risk",
            "value_tier": ["vip", "major", "major", "ordinary", None][place % 5],
            "value_12m": Decimal("18230.55") / (place + 1),
            "last_order_on": AS_OF - timedelta(days=97 + place),
            "reason": reason if place != 7 else None,
            "evidence": evidence if place != 7 else None,
            "other_reasons": other if place % 5 == 1 else None,
            "open_complaints": int(place % 5 == 1),
            "candidates": 352 if rows == 20 else rows,
            "listed_value": Decimal("65589.12"),
            "place": place + 1,
        }
        for place in range(rows)
    ]


def trend() -> list[dict[str, Any]]:
    at_risk = [262, 270, 281, 279, 290, 301, 297, 305, 318, 311, 325, 322, 340]
    churned = [8, 11, 7, 13, 9, 21, 10, 14, 12, 9, 16, 15, 12]
    return [
        {
            "week_ends_on": WEEK.ends_on - timedelta(weeks=12 - week),
            "customers_at_risk": at_risk[week],
            "customers_churned": churned[week],
        }
        for week in range(13)
    ]


def reasons() -> list[dict[str, Any]]:
    columns = ("reason_class", "is_inferred", "customers", "lost_revenue", "sub_reasons", "churned")
    return [
        dict(zip(columns, row, strict=True))
        for row in (
            ("disappointed", False, 9, Decimal("6200"), ["quality", "service"], 21),
            ("lured_away", True, 8, Decimal("2100"), ["competitor"], 21),
            ("unknown", None, 4, Decimal("600"), None, 21),
        )
    ]


def overdue(rows: int = 9) -> list[dict[str, Any]]:
    return [
        {
            "name": _NAMES[place % 10],
            "phone": f"139{12345678 + 7919 * place}",
            "customer_id": f"20{place:03}",
            "value_tier": "major",
            "value_12m": Decimal("9000") / (place + 1),
            "account_manager": "林经理",
            "complaint_id": f"T{place:03}",
            "category": ["商品质量", "缺货", None][place % 3],
            "severity": "严重",
            "opened_on": AS_OF - timedelta(days=30 - place),
            "days_open": 30 - place,
            "resolution_due_hours": 120,
            "is_unanswered": place % 4 == 0,
            "complaints": rows,
            "place": place + 1,
        }
        for place in range(rows)
    ]


def overdue_owners() -> list[dict[str, Any]]:
    columns = ("account_manager", "complaints", "longest_days_open")
    return [dict(zip(columns, row, strict=True)) for row in (("林经理", 6, 30), (None, 3, 25))]


def upgrades(rows: int = 8) -> list[dict[str, Any]]:
    return [
        {
            "name": _NAMES[place % 10],
            "phone": f"137{12345678 + 7919 * place}",
            "customer_id": f"30{place:03}",
            "account_manager": None,
            "tier": "ordinary",
            "next_tier": "major",
            "figure_12m": Decimal("2100") - place,
            "missing": Decimal("90") + place,
            "growth": Decimal("0.31"),
            "candidates": rows,
            "place": place + 1,
        }
        for place in range(rows)
    ]


def care(language: Language, rows: int = 8) -> list[dict[str, Any]]:
    labels = {"en": ("News of a product", "Birthday greeting"), "zh": ("同类新品通知", "生日祝福")}[language]
    return [
        {
            "due_on": AS_OF + timedelta(days=1 + place // 3),
            "name": _NAMES[place % 10],
            "phone": f"138{12345678 + 7919 * place}",
            "customer_id": f"40{place:03}",
            "value_tier": "major",
            "reason": labels[place % 2],
            "product": None if place % 2 else "新茶",
            "account_manager": None,
            "occasions": rows,
            "place": place + 1,
        }
        for place in range(rows)
    ]


def complaint_categories() -> list[dict[str, Any]]:
    counts = {"商品质量": 41, "服务态度": 22, "价格与促销": 17, "缺货": 9, None: 4}
    return [{"name": name, "count": count} for name, count in counts.items()]


def bridge() -> list[dict[str, Any]]:
    amounts = {
        "start": "88000", "new": "2100", "reactivated": "900", "expansion": "12400",
        "contraction": "-15100", "lapsed": "-7300", "end": "81000",
    }  # fmt: skip
    return [
        {"place": place, "month": date(2017, 12, 1), "name": name, "amount": Decimal(amount)}
        for place, (name, amount) in enumerate(amounts.items(), start=1)
    ]


def targets() -> list[dict[str, Any]]:
    columns = ("month", "metric", "business_line", "actual", "target")
    return [
        dict(zip(columns, (date(2017, 12, 1), *row), strict=True))
        for row in (
            ("churn_rate", "all", Decimal("0.021"), Decimal("0.020")),
            ("revenue_per_active", "retail", Decimal("31.5"), Decimal("30")),
        )
    ]


def alarms() -> list[dict[str, Any]]:
    columns = ("kind", "name", "cause_key", "batch_no", "window_days", "complaints")
    return [dict(zip(columns, ("batch", "全脂牛奶", "erp:M1:A17", "A17", 7, 6), strict=True))]


def tasks(language: Language, rows: int = 3) -> list[dict[str, Any]]:
    reason, evidence = _EVIDENCE[language]
    return [
        {
            "task_id": f"T171231-{place:010}",
            "task_number": f"T171231-{place:010}-ABCDEFGHIJ",
            "account_manager_key": "erp:M1",
            "customer_id": f"40{place:03}",
            "name": _NAMES[place % 10],
            "phone": f"136{12345678 + 7919 * place}",
            "stage": "churned",
            "value_tier": "major",
            "value_12m": Decimal("5200") - place,
            "reason": reason,
            "evidence": evidence,
            "action": "win_back",
            "due_on": AS_OF + timedelta(days=7 * place),
            "is_new": place > 0,
            "is_overdue": place == 0,
        }
        for place in range(rows)
    ]


def about_tasks(language: Language, rows: int = 3) -> dict[str, list[dict[str, Any]]]:
    """Return the blocks about tasks, which most readers' mails lack."""
    return {
        "tasks": tasks(language, rows),
        "task_results": [
            {"result": result, "tasks": 2, "tasks_due": 6} for result in ("ordered", "not_reached", "overdue")
        ],
        "overdue_tasks": [
            {"account_manager": name, "tasks": 4 - place, "due_since": AS_OF, "tasks_overdue": 9}
            for place, name in enumerate(("周经理", None, "吴经理"))
        ],
    }


def data_quality(is_stale: bool = False) -> list[dict[str, Any]]:
    columns = ("feed", "source_id", "last_business_day", "is_stale", "rows_in", "rows_waiting")
    day = AS_OF - timedelta(days=2 if is_stale else 0)
    return [
        dict(zip(columns, row, strict=True))
        for row in (
            ("complaints", "service_desk", day, is_stale, 1204, 17),
            ("customers", "erp", AS_OF, False, 2469, 0),
            ("orders", "erp", AS_OF, False, 155848, 478),
        )
    ]


def report_rows(language: Language = "zh", **blocks: Any) -> ReportRows:
    usual = {
        "figures": figures(),
        "call_first": call_first(language),
        "trend": trend(),
        "data_quality": data_quality(),
        "events": [{"name": "提价", "started_on": AS_OF - timedelta(weeks=5)}],
        "reasons": reasons(),
        "overdue": overdue(),
        "overdue_owners": overdue_owners(),
        "alarms": alarms(),
        "upgrades": upgrades(),
        "care": care(language),
        "complaint_categories": complaint_categories(),
        "bridge": bridge(),
        "targets": targets(),
        "tasks": (),
        "task_results": (),
        "overdue_tasks": (),
    }
    name = {"zh": "东北大区", "en": "North East"}[language]
    return ReportRows(ScopedCustomers(name, 2446), {**usual, **blocks})


def recipient(language: Language = "zh", **changes: Any) -> Recipient:
    usual = {"address": "lin@example.com", "name": "林经理", "scope": Scope("region", "erp:NE")}
    return Recipient(language=language, **{**usual, **changes})


def message(language: Language = "zh", rows: ReportRows | None = None, **options: Any) -> EmailMessage:
    usual = {
        "recipient": recipient(language),
        "period": WEEK,
        "as_of_date": AS_OF,
        "issued_at": datetime(2018, 1, 1, 13, tzinfo=UTC),
        "house": HOUSE,
        "definitions": DEFINITIONS,
    }
    rows = rows or report_rows(language)
    return render(REPORT, replace(rows, blocks={"missing": (), **rows.blocks}), **{**usual, **options})
