"""`winback init`: look at sources, propose a configuration, write it, say what a person must decide."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import available_timezones

import duckdb

from winback.config import load_settings
from winback.errors import WinbackError
from winback.extract.conversions import quoted
from winback.extract.shaped import open_engine, work_folder
from winback.onboarding import measure
from winback.onboarding.proposal import FeedProposal
from winback.onboarding.propose import choose_feeds, link_references, propose
from winback.onboarding.samples import open_sources
from winback.onboarding.seeds import seed_column
from winback.onboarding.write import Plan, config_text, summary
from winback.paths import config_file


@dataclass(frozen=True)
class Wishes:
    """What the user stated about the deployment; None is found out or assumed, and said so."""

    company: str | None = None
    time_zone: str | None = None
    policy: str | None = None


def write_proposal(
    sources: tuple[str, ...], file: Path, wishes: Wishes, *, overwrites: bool = False
) -> tuple[list[str], bool]:
    """Write a proposed configuration and return the summary, and whether the file is complete.

    Raises:
        WinbackError: the file exists and may not be overwritten, a source cannot be read, or a wish names
            no policy.
    """
    if file.exists() and not overwrites:
        raise WinbackError(
            f"{file}: exists already, and is left as it is.",
            "name another file with --config my.yml, or overwrite this one with --force",
        )
    plan = make_plan(sources, wishes)
    file.write_text(config_text(plan), encoding="utf-8")
    said = [*summary(plan), "", f"Written: {file}"]
    if plan.gaps:
        return said, False
    load_settings(file)
    prefix = "" if file == config_file() else f"WINBACK_CONFIG={file} "
    return [*said, f"Next: decide the questions above, then prove the mapping: {prefix}winback doctor"], True


def make_plan(sources: tuple[str, ...], wishes: Wishes) -> Plan:
    """Look at the sources and return what the configuration should say."""
    policies = seed_column("policies", "policy")
    if wishes.policy is not None and wishes.policy not in policies:
        raise WinbackError(
            f"--policy {wishes.policy}: no such policy.",
            f"use one of {', '.join(policies)} (seeds/policies.csv)",
        )
    if wishes.time_zone is not None and wishes.time_zone not in available_timezones():
        raise WinbackError(
            f"--time-zone {wishes.time_zone}: no IANA time zone.",
            "write it like Asia/Shanghai or Europe/London",
        )
    with work_folder() as folder, open_engine(folder) as engine:
        choices = choose_feeds(engine, list(open_sources(engine, folder, sources)))
        proposals = [propose(engine, choice) for choice in choices if choice.feed is not None]
        proposals = list(link_references(engine, proposals))
        currency = _currency(engine, proposals)
    policy, zone = wishes.policy or "retail", wishes.time_zone or "Asia/Shanghai"
    company = wishes.company or "My company"
    assumed = []
    if wishes.company is None:
        assumed.append(f"company: called {company!r} in the reports; state it with --company")
    if wishes.time_zone is None:
        assumed.append(
            f"time zone: {zone} for the day and for moments without a zone; state it with --time-zone"
        )
    if currency is None:
        assumed.append("currency: no column says it, CNY is assumed; correct business.currency")
    if wishes.policy is None:
        assumed.append(
            f"policy: after how long a silence a customer counts as lost. {policy} is assumed;"
            f" state it with --policy: {', '.join(policies)}"
        )
    return Plan(
        company=company,
        time_zone=zone,
        currency=currency or "CNY",
        policy=policy,
        policies=policies,
        proposals=tuple(proposals),
        unused=tuple(choice for choice in choices if choice.feed is None),
        assumed=tuple(assumed),
    )


def _currency(engine: duckdb.DuckDBPyConnection, proposals: Iterable[FeedProposal]) -> str | None:
    """Return the one currency of the orders, if a column says so."""
    for proposal in proposals:
        for column in proposal.columns:
            if proposal.feed == "orders" and column.name == "currency" and column.column:
                found = measure.distinct_values(engine, quoted(proposal.table.rows), column.column, 1)
                if found and len(found[0]) == len("CNY") and found[0].isalpha():
                    return found[0].upper()
    return None
