"""Every report, rendered from fixed rows, reads as it did: a change of wording shows in tests/data/mails.

    WINBACK_RENEW_MAILS=1 python -m pytest tests/integration/test_kept_mails.py

writes these files anew.
"""

import os
import re
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.test_report_scopes import issue
from tests.report_marts import Customer, Region, Scene, create_marts
from tests.unit.report import review_samples, samples, test_incident
from tests.unit.tasks import test_reply
from winback import paths
from winback.report.scope import Language, Scope

KEPT = Path(__file__).parents[1] / "data" / "mails"
REPORTS = (
    *("weekly_retention", "key_customer_alert", "monthly_tier_review", "quarterly_campaign_review"),
    "data_incident",
    "task_reply",
)
SCENE = Scene(
    (Region(0, None), Region(1, 0), Region(2, 0)),
    tuple(
        Customer(
            number,
            1 + number % 2,
            number % 3,
            ("retail", "export")[number % 2],
            ("active", "at_risk", "churned")[number % 3],
            ("vip", "major", "ordinary", "small")[number % 4],
        )
        for number in range(12)
    ),
)


class Outline(HTMLParser):
    """What a reader sees of a page: a line for each block, bars between cells, pictures by their text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.hidden = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("head", "style")
        if tag in ("div", "tr", "br", "p"):
            self.parts.append("\n")
        elif tag in ("td", "th"):
            self.parts.append(" | ")
        elif tag == "img":
            self.parts.append(f"[{dict(attrs).get('alt')}]")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("head", "style")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.parts.append(re.sub(r"\s+", " ", data))

    def __str__(self) -> str:
        lines = (re.sub(r"[ |]*\|[ |]*", " | ", line).strip(" |") for line in "".join(self.parts).split("\n"))
        return "\n".join(line for line in lines if line)


def as_kept(message: EmailMessage) -> str:
    """Return a mail's subject, its text, and what its page shows."""
    text, page = message.get_body(("plain",)), message.get_body(("html",))
    assert isinstance(text, EmailMessage)
    assert isinstance(page, EmailMessage)
    shown = (
        str(message["Subject"]),
        text.get_content().strip(),
        f"==== HTML\n{Outline(page.get_content())}\n",
    )
    return "\n\n".join(shown).replace("\r\n", "\n")


def rendered(name: str, language: Language, marts: psycopg.Connection[Any]) -> EmailMessage:
    """Return a report's mail of fixed rows: those of the unit tests where they show more than a company's."""
    match name:
        case "weekly_retention":
            return samples.message(language)
        case "quarterly_campaign_review":
            return review_samples.message(language)
        case "data_incident":
            return test_incident.message(language, failed_checks=test_incident.failed_checks(language))
        case "task_reply":
            return test_reply.message(language)
    return issue(marts, name, Scope("everything"), language)[1]


def test_every_report_has_a_kept_mail() -> None:
    assert {file.parent.name for file in paths.REPORTS.glob("*/report.yml")} == set(REPORTS)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", REPORTS)
def test_a_report_reads_as_it_was_kept(
    warehouse: str, name: str, language: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("winback.report.chart.draw", lambda *_: b"a picture")  # drawing is tested apart
    with psycopg.connect(warehouse, autocommit=True) as marts:
        create_marts(marts)
        SCENE.fill(marts)
        found = as_kept(rendered(name, language, marts))
    file = KEPT / f"{name}.{language}.txt"
    if os.environ.get("WINBACK_RENEW_MAILS"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8"), f"if that is meant: WINBACK_RENEW_MAILS=1, {__name__}"
