"""Propose how one column maps: date format, decimal sign, status codes, and how sure the whole is."""

from dataclasses import replace

import duckdb

from winback.check.rules import AllowedCodes
from winback.check.suites import suite_for
from winback.config import ColumnMapping
from winback.extract.conversions import quoted
from winback.feeds import Column
from winback.onboarding import measure
from winback.onboarding.proposal import ColumnProposal
from winback.onboarding.samples import SourceTable
from winback.onboarding.seeds import seed_column
from winback.onboarding.words import HeaderMatch, Sureness, status_meaning

_BADLY_READ = 0.05  # a share of unreadable values above which a column is likely another one
_MANY_STATUSES = 30
_NAMED_STATUSES = 10
_TEXT_TYPES = ("varchar", "text", "char", "character varying", "character", "string")


def propose_column(
    engine: duckdb.DuckDBPyConnection, table: SourceTable, feed: str, column: Column, match: HeaderMatch
) -> ColumnProposal:
    """Propose where one canonical column comes from, by the header and by what the sample holds."""
    others = (f"it could also be {', '.join(match.others)}",) if match.others else ()
    proposal = ColumnProposal(column.name, match.header, match.sureness, remarks=others)
    if match.others and proposal.sureness is Sureness.CERTAIN:
        proposal = replace(proposal, sureness=Sureness.LIKELY)
    if _is_text(table.types[match.header]):
        if column.type in ("date", "timestamptz"):
            proposal = _with_dates(engine, table, column, proposal)
        elif column.type != "text":
            proposal = _with_numbers(engine, table, column, proposal)
    if column.name in classed_statuses(feed):
        proposal = _with_codes(engine, table, feed, proposal)
    needed = column.is_required or column.name == "customer_id"
    if proposal.sureness is Sureness.UNSURE and not needed and column.name not in classed_statuses(feed):
        proposal = replace(proposal, is_used=False)
    return proposal


def _is_text(type_name: str) -> bool:
    return type_name.partition("(")[0].strip() in _TEXT_TYPES


def _with_dates(
    engine: duckdb.DuckDBPyConnection, table: SourceTable, column: Column, proposal: ColumnProposal
) -> ColumnProposal:
    """Find the format, and say where day and month cannot be told apart."""
    assert proposal.column is not None
    found = measure.read_dates(engine, quoted(table.sample), proposal.column, column.type)
    if found.formats:
        proposal = replace(proposal, keys={"format": found.formats[0]})
    if found.swapped:
        return _doubted(proposal, f"day and month cannot be told apart: {found.swapped} fits as well")
    return _with_unread(proposal, found.unread, found.filled, "date")


def _with_numbers(
    engine: duckdb.DuckDBPyConnection, table: SourceTable, column: Column, proposal: ColumnProposal
) -> ColumnProposal:
    """Find the decimal sign, and say how many values are no number."""
    assert proposal.column is not None
    sample, name = quoted(table.sample), proposal.column
    unread = measure.count_unread(engine, sample, name, column.type)
    if unread and measure.uses_decimal_comma(engine, sample, name):
        proposal = replace(proposal, keys={"decimal": ","})
        mapping = ColumnMapping(column=name, decimal=",")
        unread = measure.count_unread(engine, sample, name, column.type, mapping)
    filled = measure.count_filled(engine, sample, (name,))[name]
    return _with_unread(proposal, unread, filled, column.type)


def _with_unread(proposal: ColumnProposal, unread: int, filled: int, kind: str) -> ColumnProposal:
    if not unread:
        return proposal
    said = f"{unread:,} of {filled:,} values are no {kind}: those rows would wait in quarantine"
    if unread > filled * _BADLY_READ:
        return _doubted(proposal, said)
    return replace(proposal, remarks=(*proposal.remarks, said))


def _doubted(proposal: ColumnProposal, remark: str) -> ColumnProposal:
    return replace(proposal, sureness=Sureness.UNSURE, remarks=(*proposal.remarks, remark))


def classed_statuses(feed: str) -> dict[str, set[str]]:
    """Return, per column of a feed whose codes a seed classes, the codes that are known, in lower case."""
    return {
        rule.column: {code.lower() for code in seed_column(rule.seed, rule.seed_column)}
        for rule in suite_for(feed).rules
        if isinstance(rule, AllowedCodes) and rule.seed is not None and rule.seed_column is not None
    }


def _with_codes(
    engine: duckdb.DuckDBPyConnection, table: SourceTable, feed: str, proposal: ColumnProposal
) -> ColumnProposal:
    """Propose what unclassed statuses mean where it is plain; the others are for a person to fill in."""
    assert proposal.column is not None
    values = measure.distinct_values(engine, quoted(table.rows), proposal.column, _MANY_STATUSES)
    if values is None:
        remark = f"more than {_MANY_STATUSES} different values, too many for a status: left out"
        return replace(_doubted(proposal, remark), is_used=False)
    known = classed_statuses(feed)[proposal.name]
    unclassed = [value for value in values if value.strip().lower() not in known]
    if not unclassed:
        return proposal
    meant = {value: status_meaning(feed, value) for value in unclassed}
    proposal = replace(
        proposal, keys={"codes": {value: meaning or value for value, meaning in meant.items()}}
    )
    if guessed := [f"{value} → {meaning}" for value, meaning in meant.items() if meaning]:
        remark = f"these statuses are taken to mean: {', '.join(guessed[:_NAMED_STATUSES])}"
        proposal = replace(proposal, sureness=Sureness.LIKELY, remarks=(*proposal.remarks, remark))
    if unknown := [value for value, meaning in meant.items() if not meaning]:
        named = ", ".join(unknown[:_NAMED_STATUSES])
        proposal = _doubted(
            proposal,
            f"these statuses are not classed, their rows would wait in quarantine: {named};"
            f" say under codes what each means, in a word of seeds/{seed_of(feed, proposal.name)}.csv",
        )
    return proposal


def seed_of(feed: str, column: str) -> str | None:
    """Return the name of the seed that classes the codes of a feed's column, if one does."""
    rules = (rule for rule in suite_for(feed).rules if isinstance(rule, AllowedCodes))
    return next((rule.seed for rule in rules if rule.column == column), None)
