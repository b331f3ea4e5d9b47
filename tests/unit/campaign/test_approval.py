"""The form that asks for a decision: in both languages, with nothing that Markdown trips over."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from tests.unit.campaign.test_trial import candidate
from winback.campaign import approval, trial
from winback.campaign.decisions import Decision
from winback.campaign.plan import Plan
from winback.config import Campaigns, load_settings
from winback.paths import ROOT

PLAN = Plan(
    campaign_id="spring",
    business_line="retail",
    names={"zh": "春季回归", "en": "Spring"},
    offers={"zh": "九折", "en": "Ten percent off"},
    starts_on=date(2026, 3, 4),
    stages=(),
    value_tiers=(),
    reason_classes=(),
    times_away=(),
    capacity=40,
    contact_cost=Decimal(10),
    control_share=Decimal("0.1"),
    window_days=90,
)
MEMBERS = trial.draw("spring", [candidate(number) for number in range(1, 31)], 40, Decimal("0.1"))
DECISION = Decision(7, "spring", "d1", "proposed", 30, Decimal(400), Decimal(270), Decimal("0.125"))


def form(language="en", plan=PLAN, members=MEMBERS, decision=DECISION, rows_shown=10):
    settings = load_settings(ROOT / "winback.yml").model_copy(
        update={"campaigns": Campaigns(language=language, rows_shown=rows_shown)}
    )
    return approval.write_form(settings, plan, decision, members)


def test_the_form_says_what_is_at_stake_in_both_languages():
    english, chinese = form("en"), form("zh")
    assert english.subject == "Win-back campaign Spring: 30 customers, approve?"
    assert chinese.subject == "挽回活动“春季回归”：共 30 位客户，是否批准？"
    for body, said in ((english.body, "too small to tell"), (chinese.body, "看不出活动是否有效")):
        assert said in body
        assert "| 12.50 |" in body
        assert body.count("erp:00") == 10
    assert "left alone" in english.body
    assert "Offer" not in chinese.body


def test_a_campaign_that_can_show_what_it_expects_says_nothing_of_being_too_small():
    enough = replace(DECISION, smallest_detectable=Decimal("0.05"))
    assert "too small" not in form(decision=enough).body
    nobody_alone = replace(DECISION, smallest_detectable=None)
    assert "too small" in form(decision=nobody_alone).body


def test_what_the_data_say_stays_text():
    bad = replace(candidate(99), customer_key="erp:|{{ 1 }}\n<b>[x](y)")
    members = trial.draw("spring", [bad], 40, Decimal(0))
    row = next(line for line in form(members=members).body.splitlines() if "erp:" in line)
    assert row.startswith("| erp:\\|\\{\\{ 1 \\}\\} \\<b\\>\\[x\\]\\(y\\) |")


def test_the_catalogue_translates_every_phrase_and_nothing_else():
    phrases = {*approval.WORDS.values(), *approval.PHRASES.values()}
    for template in approval.FOLDER.glob("*.j2"):
        with template.open("rb") as file:
            phrases |= {phrase for _, phrase, _, _ in extract("jinja2.ext:babel_extract", file)}
    with Path(approval.FOLDER / "translations" / "zh_CN.po").open("rb") as file:
        catalogue = {message.id: message.string for message in read_po(file) if message.id}
    assert set(catalogue) == phrases
    assert all(catalogue.values())


@pytest.mark.parametrize(("language", "approve"), [("en", "Approve"), ("zh", "批准")])
def test_buttons_are_in_the_language_too(language, approve):
    assert approval.buttons(language)["approve"] == approve
