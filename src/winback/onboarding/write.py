"""Write what was proposed as a commented `winback.yml`, and as a short summary to read."""

from dataclasses import dataclass

import yaml

from winback.feeds import FEEDS
from winback.onboarding.proposal import Choice, ColumnProposal, FeedProposal
from winback.onboarding.samples import SystemProposal
from winback.onboarding.words import Sureness

_READING_KEYS = ("files", "table", "encoding", "delimiter", "sheet", "header_line", "null_values")


@dataclass(frozen=True)
class Plan:
    """Everything that goes into the configuration; `assumed` are deployment facts that nothing measured."""

    company: str
    time_zone: str
    currency: str
    policy: str
    policies: tuple[str, ...]
    proposals: tuple[FeedProposal, ...]
    unused: tuple[Choice, ...]
    assumed: tuple[str, ...]

    @property
    def systems(self) -> tuple[SystemProposal, ...]:
        """Return the systems that a proposal reads."""
        return tuple(dict.fromkeys(proposal.table.system for proposal in self.proposals))

    @property
    def gaps(self) -> tuple[str, ...]:
        """Return what is missing for a valid configuration, a sentence each."""
        without_orders = "orders" not in {proposal.feed for proposal in self.proposals}
        missing = ("no orders among the sources: the one feed that Winback cannot do without",)
        found = tuple(gap for proposal in self.proposals for gap in proposal.gaps)
        return (*(missing if without_orders else ()), *found)

    @property
    def questions(self) -> tuple[str, ...]:
        """Return what a person must decide, a sentence each."""
        asked = (
            f"{proposal.table.name}: {question}"
            for proposal in self.proposals
            for question in proposal.questions
        )
        return (*asked, *self.assumed)


def config_text(plan: Plan) -> str:
    """Return the configuration file."""
    lines = [
        "# Proposed by `winback init` from the sources themselves. Every key: docs/configuration.md.",
        "# Look at each line marked unsure, then prove the mapping: winback doctor",
        "",
        "company:",
        f"  name_en: {_scalar(plan.company)}",
        f"  name_zh: {_scalar(plan.company)}",
        "",
        "business:",
        f"  time_zone: {plan.time_zone}",
        f"  currency: {plan.currency}",
        "  tax: not_stated                  # included, excluded or not_stated: shown in the glossary",
        f"  default_business_line: {plan.policy}",
        f"  lines: {{{plan.policy}: {plan.policy}}}  # line: policy, one of {', '.join(plan.policies)}",
        "",
        "systems:",
    ]
    for system in plan.systems:
        lines += _system_lines(system, plan.time_zone)
    lines += ["", "feeds:"]
    if "orders" not in {proposal.feed for proposal in plan.proposals}:
        lines += ["  # GAP: orders is missing; map a table or files to it here", ""]
    for feed in FEEDS:
        of_feed = [proposal for proposal in plan.proposals if proposal.feed == feed]
        if of_feed:
            lines += [f"  {feed}:", "    sources:"]
        for proposal in of_feed:
            lines += _source_lines(proposal)
        lines += [""] if of_feed else []
    lines += [
        "mail:",
        "  connection: smtp                 # export WINBACK_CONN_SMTP=smtp+starttls://user:password@host:587",
        "",
        "# reports:",
        "#   weekly_retention:",
        "#     recipients:",
        "#       - {address: head@example.com, name: 总经理, language: zh, scope: everything}",
    ]
    return "\n".join(lines) + "\n"


def _system_lines(system: SystemProposal, time_zone: str) -> list[str]:
    place = (
        f"    folder: {_scalar(str(system.folder))}"
        if system.folder
        else f"    connection: {system.name}  # {_export_line(system)}"
    )
    zone = f"    time_zone: {time_zone}  # of moments that carry no zone"
    return [f"  {system.name}:", f"    connector: {system.connector}", place, zone]


def _export_line(system: SystemProposal) -> str:
    """Return the line that gives the connection its secret; the password stays for the user to fill in."""
    return f"export WINBACK_CONN_{system.name.upper()}='{system.url_without_password}'"


def _source_lines(proposal: FeedProposal) -> list[str]:
    lines = [f"      # {proposal.table.name}: {remark}" for remark in proposal.remarks]
    lines += [f"      - source: {proposal.table.system.name}"]
    lines += [
        f"        {key}: {_scalar(proposal.reading[key])}" for key in _READING_KEYS if key in proposal.reading
    ]
    if query := proposal.reading.get("query"):
        lines += ["        query: |", *(f"          {line}" for line in str(query).rstrip().splitlines())]
    if proposal.cursor:
        lines += [f"        cursor: {proposal.cursor}", "        lookback: 1 day"]
    lines += ["        columns:"]
    lines += [_column_line(column, by_query="query" in proposal.reading) for column in proposal.columns]
    found = {column.name for column in proposal.columns if column.is_used}
    lines += [
        f"          # GAP: {name}: (name its column)"
        for name in FEEDS[proposal.feed].required
        if name not in found
    ]
    return lines


def _column_line(column: ColumnProposal, *, by_query: bool) -> str:
    """Write one line of a mapping; a query already names its columns as the feed does."""
    source = column.name if by_query and "constant" not in column.keys else column.column
    mapping = ({"column": source} if source else {}) | column.keys
    value = _scalar(mapping) if column.keys else _scalar(source)
    comment = "; ".join((column.sureness, *column.remarks))
    return f"          {'' if column.is_used else '# '}{column.name}: {value}  # {comment}"


def _scalar(value: object) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    text = yaml.safe_dump(
        plain, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10_000_000
    )
    return text.removesuffix("\n").removesuffix("\n...").strip()


def summary(plan: Plan) -> list[str]:
    """Return what a person should read: what each source is taken for, how sure, what is to be decided."""
    lines = []
    for proposal in plan.proposals:
        lines += ["", f"{proposal.table.name}: {proposal.feed} ({proposal.sureness}): {proposal.why}"]
        lines += [f"  - {remark}" for remark in proposal.remarks]
        width = max((len(column.name) for column in proposal.columns), default=0)
        lines += [f"  {column.name:<{width}}  {_origin(column)}" for column in proposal.columns]
    for choice in plan.unused:
        lines += ["", f"{choice.table.name}: not used: {choice.why}"]
    if plan.questions:
        lines += ["", "To decide:", *_numbered(plan.questions)]
    if plan.gaps:
        lines += ["", "Missing, fill in before anything can be loaded:", *_numbered(plan.gaps)]
    exports = [_export_line(system) for system in plan.systems if system.url_without_password]
    if exports:
        lines += ["", "Give the connections their secrets (put the password in):", *exports]
    return lines


def _origin(column: ColumnProposal) -> str:
    origin = column.column or str(column.keys.get("constant", "computed"))
    how = "" if column.is_used else "left out, "
    keys = [f"{key} {column.keys[key]}" for key in ("format", "decimal") if key in column.keys]
    remarks = [*keys, *(column.remarks if column.sureness is not Sureness.UNSURE else ())]
    return f"{origin}  ({how}{column.sureness})" + (f": {'; '.join(remarks)}" if remarks else "")


def _numbered(sentences: tuple[str, ...]) -> list[str]:
    return [f"  {number}. {sentence}" for number, sentence in enumerate(sentences, start=1)]
