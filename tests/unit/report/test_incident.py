"""The mail about an incident, from hand-made rows."""

import re
from collections import Counter
from datetime import UTC, date, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from tests.unit.report import samples
from tests.unit.report.test_render import HOSTILE, Page, html_of, text_of
from winback.report.definition import load_report
from winback.report.period import Period
from winback.report.query import ReportRows
from winback.report.render import render
from winback.report.scope import Language, ScopedCustomers

REPORT = load_report("data_incident")
DAY = date(2026, 3, 2)
COMMAND = "winback load orders --day 2026-03-02 --accept volume"


def incident(**changes: Any) -> dict[str, Any]:
    usual = {
        "incident_id": 12,
        "stage": "load",
        "subject": "orders from erp",
        "feed": "orders",
        "source_id": "erp",
        "business_day": DAY,
        "problem": [
            "orders from erp, 2026-03-02: stopped, nothing of this batch was loaded.",
            "volume: 12 rows, usual for a Monday 410 (median of 12), at least 205",
        ],
        "what_to_do": [f"look at the source, mend it and load again; if it is right as it is: {COMMAND}"],
        "opened_at": datetime(2026, 3, 3, 2, 5),
        "time_zone": "Asia/Shanghai",
        "batch_id": 34,
        "rows_in": 12,
        "published_day": date(2026, 3, 1),
        "is_in_the_way": True,
    }
    return {**usual, **changes}


def check(expectation: str, kind: str, language: Language, **changes: Any) -> dict[str, Any]:
    protects = {"zh": "只到一半的数据看起来像是业绩下滑。", "en": "Half a day looks like a loss of business."}
    usual = {
        "expectation": expectation,
        "kind": kind,
        "is_stop": True,
        "rows_failed": 1,
        "rows_total": 1,
        "observed": 12.0,
        "usual": 410.0,
        "minimum": 205.0,
        "maximum": None,
        "protects": protects[language],
    }
    return {**usual, **changes}


def failed_checks(language: Language) -> list[dict[str, Any]]:
    return [
        check("volume", "volume", language),
        check("amount_is_positive", "row", language, rows_failed=5, rows_total=12),
        check(
            "null_share_customer_id", "null_share", language,
            is_stop=False, observed=0.5, usual=0.021, minimum=None, maximum=0.12, protects=None,
        ),
    ]  # fmt: skip


def message(language: Language = "en", **blocks: Any) -> EmailMessage:
    usual = {
        "incident": [incident()],
        "failed_checks": failed_checks(language),
        "reports": [{"report": "weekly_retention", "when_stopped": "hold"}],
    }
    return render(
        REPORT,
        ReportRows(ScopedCustomers(None, 0), {**usual, **blocks}),
        samples.recipient(language),
        period=Period("incident-12", DAY, DAY),
        as_of_date=DAY,
        issued_at=datetime(2026, 3, 2, 18, 5, tzinfo=UTC),
        house=samples.HOUSE,
        definitions={},
    )


def test_both_parts_say_what_happened_and_what_to_do(language: Language) -> None:
    mail = message(language)
    said = {
        "en": [
            "12 rows came in and none was loaded.",
            "5 of 12 rows",
            "usual: 410 rows",
            "warns only",
            "50.00%",
        ],
        "zh": ["收到 12 行，全部没有加载。", "12 行中的 5 行", "平时：410 行", "仅提醒", "50.00%"],
    }[language]
    for phrase in (*said, COMMAND, "volume", "34", "Asia/Shanghai", "02:05"):
        assert phrase in text_of(mail).replace("\u00a0", " ")
        assert phrase in Page(html_of(mail)).text.replace("\u00a0", " ")


def test_it_needs_nothing_from_outside(language: Language) -> None:
    html = html_of(message(language))
    assert [value for _, name, value in Page(html).attributes if name in ("src", "href", "background")] == []
    assert not re.search(r"@import|url\(|<link|<script|<mj", html)


def test_a_chinese_mail_is_in_chinese_but_for_what_the_program_says() -> None:
    silent = incident(problem=[], what_to_do=[])
    mail = message("zh", incident=[silent], failed_checks=[])
    own_words = set(re.findall(r"[A-Za-z]{3,}", f"{mail['Subject']} {text_of(mail)}"))
    assert own_words == {"erp", "Asia", "Shanghai", "winback", "yml", "reports", "data", "incident"}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_changes_no_layout(text: str) -> None:
    def tags(said: str) -> Counter[str]:
        row = incident(subject=said, feed=said, source_id=said, problem=[said], what_to_do=[said])
        checks = [check("volume", "volume", "en", protects=said)]
        return Counter(Page(html_of(message("en", incident=[row], failed_checks=checks))).tags)

    assert tags(text) == tags("plain")
