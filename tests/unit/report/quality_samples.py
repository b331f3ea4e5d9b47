"""Hand-made evidence of one business day, and its page."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from winback import paths
from winback.config import load_settings
from winback.report.quality_page import Evidence, read_page_file, render_page
from winback.report.sparkline import draw

DAY = date(2026, 3, 2)
SETTLED_AT = datetime(2026, 3, 3, 9, 30)
SETTINGS = load_settings(paths.ROOT / "winback.yml")


def check(**changes: Any) -> dict[str, Any]:
    days = [DAY - timedelta(days=29 - place) for place in range(30)]
    values = [0.02 * (place % 7) for place in range(29)] + [0.25]
    usual = {
        **{"feed": "orders", "source_id": "erp", "expectation": "amount_is_readable", "level": "row"},
        **{"kind": "row", "severity": "reject", "outcome": "failed", "owner": "finance"},
        **{"rows_failed": 250, "rows_total": 1000},
        **{"observed": None, "usual": None, "minimum": None, "maximum": None},
        **{"protects_en": "An amount that is no number is lost.", "protects_zh": "无法识别的金额会丢失。"},
        **{"trend_days": days, "trend": draw(days, values)},
    }
    return {**usual, **changes}


def passed(**changes: Any) -> dict[str, Any]:
    usual = {
        **{"expectation": "order_id_is_filled", "outcome": "passed", "rows_failed": 0, "trend": None},
        **{
            "protects_en": "A row without order_id counts nowhere.",
            "protects_zh": "缺少编号的记录无法计入。",
        },
    }
    return check(**{**usual, **changes})


def volume(**changes: Any) -> dict[str, Any]:
    usual = {
        **{"expectation": "volume", "level": "batch", "kind": "volume", "severity": "stop"},
        **{"rows_failed": 1, "rows_total": 1, "observed": 12.0, "usual": 410.0, "minimum": 205.0},
        **{
            "protects_en": "Far too few rows look like lost customers.",
            "protects_zh": "数据明显偏少会误判。",
        },
        **{"owner": "data engineering", "trend": draw([DAY], [12.0]), "trend_days": [DAY]},
    }
    return check(**{**usual, **changes})


def feed(**changes: Any) -> dict[str, Any]:
    usual = {
        **{"feed": "orders", "source_id": "erp", "last_business_day": DAY, "is_late": False},
        **{"rows_in": 1000, "rows_loaded": 750, "rows_quarantined": 250},
        **{"rows_waiting": 0, "rows_replayed": 0, "rows_resolved": 0, "rows_discarded": 0},
    }
    return {**usual, **changes}


def late(**changes: Any) -> dict[str, Any]:
    return feed(is_late=True, rows_in=None, rows_loaded=None, rows_quarantined=None, **changes)


def incident(**changes: Any) -> dict[str, Any]:
    usual = {
        **{"incident_id": 7, "stage": "load", "subject": "orders", "source_id": "erp", "business_day": DAY},
        "problem": "orders from erp, 2026-03-02: stopped, nothing of this batch was loaded. volume: 12 rows,"
        " usual for a Monday 410 (median of 12), at least 205.",
        "what_to_do": "look at the source, mend it and load again; if it is right as it is:"
        " winback load orders --day 2026-03-02 --accept volume",
        **{"opened_at": datetime(2026, 3, 3, 2, 1), "closed_at": None},
    }
    return {**usual, **changes}


def reason(**changes: Any) -> dict[str, Any]:
    usual = {
        **{"feed": "orders", "source_id": "erp", "reason": "amount_is_readable", "rows_waiting": 12},
        **{"oldest_day": date(2026, 2, 27), "columns": ("amount",), "waits_for": None},
        **{"protects_en": "An amount that is no number is lost.", "protects_zh": "无法识别的金额会丢失。"},
        "examples": [
            {"quarantine_id": 12, "shapes": [("amount", "9,999某")]},
            {"quarantine_id": 11, "shapes": []},
        ],
    }
    return {**usual, **changes}


def evidence(**changes: Any) -> Evidence:
    usual: dict[str, Any] = {"feeds": (feed(),), "incidents": (), "checks": (passed(),), "waiting": ()}
    return Evidence(**{**usual, **changes})


def everything() -> Evidence:
    walk_ins = check(
        **{"expectation": "customer_id_is_filled", "severity": "warn", "owner": "sales operations"},
        **{"protects_en": "A walk-in counts as revenue, never as a customer: too many hide who is leaving."},
        protects_zh="散客订单只计收入、不计客户；散客过多会掩盖流失。",
    )
    return evidence(
        feeds=(
            feed(rows_waiting=12, rows_replayed=3, rows_resolved=2, rows_discarded=1),
            late(feed="complaints", source_id="service_desk", last_business_day=date(2026, 2, 28)),
            late(feed="account_managers", last_business_day=None),
        ),
        incidents=(
            incident(),
            incident(stage="build", subject="warehouse", source_id=None, closed_at=SETTLED_AT),
        ),
        checks=(
            volume(),
            check(),
            check(expectation="currency_is_the_business_currency", severity="stop", outcome="accepted"),
            walk_ins,
            *(passed(expectation=f"column_{place}_is_filled") for place in range(20)),
            volume(outcome="cold_start", expectation="volume", feed="complaints", rows_failed=0, usual=None,
                   minimum=None),
        ),
        waiting=(reason(), reason(reason="customer_id_refers_to_customers", waits_for="customers")),
    )  # fmt: skip


def page(found: Evidence, language: Any = "en", previous: date | None = None) -> str:
    return render_page(
        read_page_file(),
        found,
        SETTINGS,
        DAY,
        language=language,
        previous=previous,
        written_at=datetime(2026, 3, 3, 2, 10, tzinfo=UTC),
    )
