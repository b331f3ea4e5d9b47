"""The form that asks for a decision on a campaign's list: counts, money, what it can show, the first rows.

It holds numbers of customers and no other personal data, as Airflow keeps what it shows.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psycopg

from winback import paths, warehouse
from winback.campaign import decisions, trial
from winback.campaign.decisions import Decision
from winback.campaign.plan import Plan, read_plans
from winback.campaign.trial import Member
from winback.config import Settings
from winback.report.language import Formats, plain, read_words
from winback.report.scope import Language
from winback.report.templates import read_templates, render_sentences
from winback.warehouse.schema import ensure_schema

log = logging.getLogger(__name__)

FOLDER = paths.REPORTS / "campaign_approval"
# What codes are called; the phrases are in the folder's catalogue.
WORDS = {
    "vip": "vip",
    "major": "major",
    "ordinary": "ordinary",
    "small": "small",
    "none": "not in a tier",
    "natural": "natural",
    "needs_changed": "needs changed",
    "lured_away": "lured away",
    "disappointed": "disappointed",
    "unknown": "not known",
    "treated": "treated",
    "control": "left alone",
    "outside": "treated outside of the trial",
}
# What Airflow shows around the form.
PHRASES = {"approve": "Approve", "reject": "Reject", "reason": "Why not, if you reject it"}


@dataclass(frozen=True)
class Form:
    """One question to a person, in Markdown."""

    decision_id: int
    subject: str
    body: str


def forms_to_answer(settings: Settings) -> list[dict[str, Any]]:
    """Put up the lists of all campaigns that are due, and return a form for each, as plain values."""
    plans = read_plans(settings)
    forms: list[dict[str, Any]] = []
    if not plans:
        return forms
    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        as_of_date = decisions.published_date(connection)
        settled = decisions.settled_campaigns(connection)
        for plan in plans.values():
            if plan.campaign_id in settled or not plan.is_due(as_of_date, settings.campaigns.propose_before):
                continue
            decision = decisions.propose(connection, plan)
            if decision is not None:
                members = decisions.members_of(connection, decision.decision_id)
                forms.append(asdict(write_form(settings, plan, decision, members)))
    return forms


def record_answer(decision_id: int, *, is_approved: bool, by: str | None, reason: str | None) -> str:
    """Note what a person decided, or that nobody answered in time (`by` is None); return the list's state."""
    with warehouse.connect(autocommit=True) as connection:
        noted = _noted(connection, decision_id, is_approved=is_approved, by=by, reason=reason)
    if is_approved and noted.state != "approved":
        log.warning("List %s of %s is %s, and stays so.", decision_id, noted.campaign_id, noted.state)
    return noted.state


def _noted(
    connection: psycopg.Connection[Any],
    decision_id: int,
    *,
    is_approved: bool,
    by: str | None,
    reason: str | None,
) -> Decision:
    if by is None:
        return decisions.decline(connection, decision_id, "expired", reason="nobody answered in time")
    if is_approved:
        return decisions.approve(connection, decision_id, by)
    return decisions.decline(connection, decision_id, "rejected", by=by, reason=reason)


def write_form(settings: Settings, plan: Plan, decision: Decision, members: Sequence[Member]) -> Form:
    """Return the form about a list, in the language of the configuration."""
    language = settings.campaigns.language
    uplift = trial.expected_uplift(members)
    detectable = decision.smallest_detectable
    templates = read_templates(FOLDER, language)
    templates.filters["text"] = _text
    context = {
        "language": language,
        "formats": Formats(language, settings.business.currency),
        "words": _words(language),
        "plan": plan,
        "decision": decision,
        "arms": {arm: sum(one.arm == arm for one in members) for arm in ("treated", "control", "outside")},
        "expected_uplift": uplift,
        "is_too_small": uplift is None or detectable is None or float(detectable) > uplift,
        "shown": members[: settings.campaigns.rows_shown],
    }
    body = templates.get_template("template.md.j2").render(context)
    return Form(decision.decision_id, render_sentences(templates, context)["subject"], body)


def buttons(language: Language) -> Mapping[str, str]:
    """Return what the form's buttons and its field are called."""
    words = read_words(FOLDER, language)
    return {name: words.gettext(phrase) for name, phrase in PHRASES.items()}


def _words(language: Language) -> dict[str, str]:
    words = read_words(FOLDER, language)
    return {code: words.gettext(phrase) for code, phrase in WORDS.items()}


def _text(value: str) -> str:
    """Return text from the data so that Markdown takes it for nothing else."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]<>()#+!|~" else sign for sign in plain(value))
