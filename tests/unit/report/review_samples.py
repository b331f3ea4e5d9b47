"""Hand-made rows of the quarterly review: three campaigns, one that runs on, the tasks of four owners."""

from datetime import UTC, date, datetime
from decimal import Decimal
from email.message import EmailMessage
from typing import Any

from tests.unit.report import samples
from winback.report.definition import load_report
from winback.report.glossary import read_definitions
from winback.report.period import calendar_quarter
from winback.report.query import ReportRows
from winback.report.render import render
from winback.report.scope import Language, Scope, ScopedCustomers

REPORT = load_report("quarterly_campaign_review")
QUARTER = calendar_quarter(samples.AS_OF)

_FIGURES = {
    "treated_rate": ("0.283", "312", "1102", "0.041"),
    "campaign_gain": ("10840.20", None, None, "4200"),
    "in_time_share": ("0.714", "170", "238", "-0.06"),
    "tasks_overdue": ("41", None, None, "12"),
    "campaigns_ended": ("3", None, None, "1"),
    "treated": ("1102", None, None, "310"),
    "treated_returned": ("312", None, None, "96"),
    "tasks_due": ("238", None, None, "18"),
}


def figures() -> list[dict[str, Any]]:
    return [
        dict(
            zip(
                ("name", "value", "part", "whole", "change"),
                (name, *map(samples.decimal, values)),
                strict=True,
            )
        )
        | dict.fromkeys(("year_change", "before", "before_as_sent", "changed_feeds"))
        for name, values in _FIGURES.items()
    ]


def campaign(language: Language, finding: str = "worked", **changes: Any) -> dict[str, Any]:
    """Return a campaign of 720 treated and 80 left alone, as the finding has it."""
    treated, control, low, high, gain = {
        "worked": ("0.34", "0.225", "0.008", "0.2031", "12000"),
        "cost_too_much": ("0.34", "0.225", "0.008", "0.2031", "-2300"),
        "did_harm": ("0.11", "0.225", "-0.22", "-0.03", "-6100"),
        "no_effect": ("0.24", "0.225", "-0.09", "0.0991", "-3000"),
        "too_small": ("0.24", "0.225", "-0.19", "0.2091", "900"),
        "cannot_tell": ("0.34", None, None, None, None),
        "part": ("0.34", "0.225", None, None, None),
    }[finding]
    is_told, is_compared = finding != "part", low is not None
    treated_rate, control_rate = Decimal(treated), samples.decimal(control)
    usual = {
        "campaign_id": finding,
        "name": {"en": "Spring call", "zh": "春季回归"}[language],
        "offer": {"en": "Ten percent off the next order", "zh": "下次购买九折"}[language],
        "starts_on": date(2017, 8, 14),
        "window_ends_on": date(2017, 11, 12),
        "treated": 720,
        "treated_returned": round(720 * treated_rate),
        "treated_rate": treated_rate,
        "treated_low": treated_rate - Decimal("0.034") if is_compared else None,
        "treated_high": treated_rate + Decimal("0.036") if is_compared else None,
        "control": 80 if control else 0,
        "control_returned": 18 if control else 0,
        "control_rate": control_rate,
        "control_low": Decimal("0.147") if is_compared else None,
        "control_high": Decimal("0.329") if is_compared else None,
        "target_rate": Decimal("0.2"),
        "uplift": treated_rate - Decimal("0.225") if is_compared else None,
        "uplift_low": samples.decimal(low),
        "uplift_high": samples.decimal(high),
        "revenue_won": Decimal("45600") if is_compared else None,
        "margin_won": Decimal("10800") + Decimal(gain) if gain is not None else None,
        "treated_cost": Decimal("10800") if is_told else None,
        "gain": samples.decimal(gain),
        "cost_per_customer_won": Decimal("130.43") if finding in ("worked", "cost_too_much") else None,
        "treated_satisfaction": Decimal("4.31") if is_told else None,
        "control_satisfaction": Decimal("4.02") if is_told and control else None,
        "finding": finding,
    }
    return usual | changes


def campaigns(language: Language) -> list[dict[str, Any]]:
    autumn, dealers = {"en": ("Autumn letter", "Dealers"), "zh": ("秋季来信", "经销商回访")}[language]
    return [
        campaign(language),
        campaign(language, "no_effect", name=autumn, treated=310, treated_returned=74),
        campaign(language, "too_small", name=dealers, treated=72, treated_returned=17, target_rate=None),
    ]


def running(language: Language) -> list[dict[str, Any]]:
    return [
        {
            "campaign_id": "winter",
            "name": {"en": "Winter greeting", "zh": "冬季问候"}[language],
            "starts_on": date(2017, 11, 20),
            "window_ends_on": date(2018, 2, 18),
            "treated": 450,
            "control": 50,
        }
    ]


def segments(language: Language) -> list[dict[str, Any]]:
    long, longer = {"en": ("6 months to a year", "a year or more"), "zh": ("6 个月至 1 年", "1 年及以上")}[
        language
    ]
    columns = (
        "reason_class",
        "value_tier",
        "time_away",
        "treated",
        "treated_returned",
        "control",
        "control_returned",
    )
    rows = [
        ("disappointed", "major", long, 320, 128, 36, 9),
        ("lured_away", "major", long, 240, 74, 27, 6),
        ("unknown", "ordinary", longer, 160, 24, 17, 3),
        ("disappointed", "ordinary", long, 12, 3, 0, 0),
    ]
    return [
        dict(zip(columns, row, strict=True))
        | {
            "business_line": "retail",
            "treated_rate": Decimal(row[4]) / row[3],
            "control_rate": Decimal(row[6]) / row[5] if row[5] else None,
            "prior_treated": Decimal("0.21"),
            "p_treated": Decimal("0.376"),
            "prior_untreated": Decimal("0.16"),
            "p_untreated": Decimal("0.218"),
        }
        for row in rows
    ]


def feedback() -> list[dict[str, Any]]:
    columns = ("account_manager", "tasks_due", "tasks_done_in_time", "tasks_done_late", "tasks_overdue")
    rows = (
        ("周经理", 60, 31, 8, 21),
        ("吴经理", 62, 41, 9, 12),
        (None, 8, 0, 0, 8),
        ("林经理", 108, 98, 10, 0),
    )
    return [
        dict(zip(columns, row, strict=True))
        | {
            "in_time_share": Decimal(row[2]) / row[1],
            "all_due": 238,
            "all_in_time_share": Decimal(170) / 238,
            "all_overdue": 41,
        }
        for row in rows
    ]


def answers() -> list[dict[str, Any]]:
    columns = ("month", "tasks_due", "in_time", "late", "no_answer")
    rows = ((10, 70, 58, 9, 3), (11, 84, 60, 11, 13), (12, 84, 52, 7, 25))
    return [dict(zip(columns, (date(2017, row[0], 1), *row[1:]), strict=True)) for row in rows]


def feedback_months() -> list[dict[str, Any]]:
    return [
        {"account_manager": "周经理", "month": row["month"], "tasks_due": row["tasks_due"],
         "tasks_done_in_time": row["in_time"], "tasks_done_late": row["late"],
         "tasks_overdue": row["no_answer"], "in_time_share": Decimal(row["in_time"]) / row["tasks_due"]}
        for row in answers()
    ]  # fmt: skip


def results() -> list[dict[str, Any]]:
    counts = {"ordered": 48, "reached": 77, "refused": 21, "not_reached": 51, "overdue": 41, "withdrawn": 12}
    return [{"result": result, "tasks": tasks} for result, tasks in counts.items()]


def message(language: Language, **blocks: Any) -> EmailMessage:
    """Return the mail to somebody who sees everything, with some blocks in place of the usual ones."""
    usual = {
        "figures": figures(),
        "campaigns": campaigns(language),
        "running": running(language),
        "segments": segments(language),
        "feedback": feedback(),
        "feedback_months": feedback_months(),
        "answers": answers(),
        "results": results(),
        "missing": (),
    }
    return render(
        REPORT,
        ReportRows(ScopedCustomers(None, 2446), {**usual, **blocks}),
        samples.recipient(language, scope=Scope("everything")),
        period=QUARTER,
        as_of_date=samples.AS_OF,
        issued_at=datetime(2018, 1, 1, 13, tzinfo=UTC),
        house=samples.HOUSE,
        definitions=read_definitions(),
    )


def nothing() -> dict[str, list[Any]]:
    """Return the blocks of a quarter in which there was nothing."""
    names = (
        "figures",
        "campaigns",
        "running",
        "segments",
        "feedback",
        "feedback_months",
        "answers",
        "results",
    )
    return {name: [] for name in names}
