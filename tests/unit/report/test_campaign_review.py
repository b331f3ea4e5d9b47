"""What the quarterly review says of a campaign, and of a quarter that lacks one."""

from decimal import Decimal
from email.message import EmailMessage
from typing import Any

import pytest

from tests.unit.report import review_samples as review
from winback.report.scope import Language

ADVICE = {
    "worked": (
        "11.5 points more than of those left alone, and worth $12,000 after cost: do it again",
        "建议再做一次",
    ),
    "cost_too_much": ("it cost $2,300 more than it brought", "成本比带来的毛利多 US$2,300"),
    "did_harm": (
        "11.5 points fewer than of those left alone: do not do it again",
        "比对照组低 11.5 个百分点",
    ),
    "no_effect": ("22.5% came back as well, a difference that may be chance", "对照组也有 22.5% 自己回来了"),
    "too_small": ("too small to tell whether it helped", "人数太少，看不出活动是否有效"),
    "cannot_tell": ("Nobody was left alone to compare with", "没有对照组"),
    "part": ("can be told of the whole campaign only", "要看全体客户"),
}


def headline(message: EmailMessage) -> str:
    return str(message["Comments"])


def texts(message: EmailMessage) -> list[str]:
    """Return the plain text and the page."""
    bodies = [message.get_body((kind,)) for kind in ("plain", "html")]
    return [str(body.get_content()) for body in bodies if isinstance(body, EmailMessage)]


@pytest.mark.parametrize("finding", ADVICE)
def test_the_headline_says_what_the_largest_campaign_found_and_what_to_do(finding: str) -> None:
    assert set(ADVICE) == set(review.REPORT.file.words["findings"])
    for language, said in zip(("en", "zh"), ADVICE[finding], strict=True):
        campaign = review.campaign(language, finding)  # type: ignore[arg-type]
        found = headline(review.message(language, campaigns=[campaign]))  # type: ignore[arg-type]
        assert said in found
        others = [sentence for name, pair in ADVICE.items() if name != finding for sentence in pair]
        assert not [sentence for sentence in others if sentence in found]


def test_a_rate_stands_against_its_target_and_as_exactly_as_it_decides() -> None:
    # 19.6 % is not 20 %
    missed = review.campaign("en", treated_rate=Decimal("0.196"), treated_returned=141)
    message = review.message("en", campaigns=[missed])
    assert "19.6% of the treated customers came back, against a target of 20%" in headline(message)
    assert all("Target 20%, missed" in text for text in texts(message))
    aimless = review.message("en", campaigns=[review.campaign("en", target_rate=None)])
    assert "34% of the treated customers came back. That is" in headline(aimless)
    assert not [text for text in texts(aimless) if "Target" in text]


def test_a_part_of_a_campaign_tells_its_own_counts_and_neither_money_nor_uplift() -> None:
    message = review.message("en", campaigns=[review.campaign("en", "part")])
    for text in texts(message):
        assert "245 of 720" in text
        assert "Told of the whole campaign only" in text
        assert "Revenue won" not in text
        assert "Uplift +" not in text


@pytest.mark.parametrize("finding", ADVICE)
def test_money_that_may_be_chance_is_left_to_the_workbook(finding: str) -> None:
    is_told = finding in ("worked", "cost_too_much", "did_harm")
    for text in texts(review.message("en", campaigns=[review.campaign("en", finding)])):
        assert ("Revenue won $" in text) == ("Margin won $" in text) == is_told
        assert ("Cost $10,800" in text) == (finding != "part")


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        ({"running": review.running("en")},
         "No win-back campaign ended this quarter."
         " Winter greeting is still running; its result is known after Feb 18, 2018."),
        ({"feedback": review.feedback()},
         "No win-back campaign ended this quarter."
         " 238 win-back tasks were due, and 71.4% were answered in time."
         " 41 have no answer yet: ask 周经理 first, who owes 21."),
        ({}, "No win-back campaign ended this quarter. No win-back task was due either."),
    ],
)  # fmt: skip
def test_a_quarter_without_a_finished_campaign_says_what_there_was(blocks: dict[str, Any], said: str) -> None:
    message = review.message("en", **review.nothing() | blocks)
    assert headline(message) == said
    assert not [part for part in message.walk() if part.get_content_maintype() == "image"]
    sections = {"running": "Still running", "feedback": "Did we hear what came of the calls?"}
    for text in texts(message):
        assert [block for block, title in sections.items() if title in text] == list(blocks)
        assert "The quarter in figures" not in text


def test_tasks_of_nobody_are_to_be_given_to_somebody() -> None:
    nobody = sorted(review.feedback(), key=lambda row: row["account_manager"] is not None)
    found = headline(review.message("en", **review.nothing() | {"feedback": nobody}))
    assert "41 have no answer yet, and 8 of these are nobody's: name who is to call." in found


@pytest.mark.parametrize("language", ["en", "zh"])
def test_figures_that_are_not_known_are_left_out(language: Language) -> None:
    known = [row for row in review.figures() if row["name"] != "campaign_gain"]
    with_all, without = (review.message(language, figures=rows) for rows in (review.figures(), known))
    label = {"en": "Margin won, after cost:", "zh": "增量毛利（扣除成本后）："}[language]
    assert label in texts(with_all)[0]
    assert label not in texts(without)[0]
    assert texts(without)[1].count('class="card"') == texts(with_all)[1].count('class="card"') - 1 == 3
