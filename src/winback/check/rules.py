"""What a suite in `expectations/` is made of: rules about rows, each one SQL predicate.

A predicate speaks of the columns of the landed batch and is true for a row that breaks the rule. Great
Expectations counts by it and the loading transaction routes by it, so the two can never disagree on
what a bad row is.
"""

import csv
from dataclasses import dataclass
from enum import StrEnum

from winback.errors import WinbackError
from winback.feeds import FEEDS, Column
from winback.paths import DBT_PROJECT


class Severity(StrEnum):
    """What a broken rule does to its row."""

    REJECT = "reject"
    WARN = "warn"


@dataclass(frozen=True)
class RowRule:
    """One rule about one row.

    `fails_when` is SQL over the landing table (alias `landed`), true for a bad row; unknown counts as good.
    `landed.checked_at` is now: a rule never reads a clock.
    `protects_en` and `protects_zh` say, to a manager, what the rule keeps from going wrong.
    """

    name: str
    fails_when: str
    severity: Severity
    owner: str
    protects_en: str
    protects_zh: str


@dataclass(frozen=True)
class AllowedCodes:
    """A rule whose codes are the rows of a seed: codes are data, so a new one needs no code."""

    column: str
    seed: str
    seed_column: str
    owner: str
    protects_en: str
    protects_zh: str

    def rule(self) -> RowRule:
        """Read the seed and return the rule about its codes."""
        codes = ", ".join("'" + code.replace("'", "''") + "'" for code in self._codes())
        return RowRule(
            name=f"{self.column}_is_known",
            fails_when=f"lower(btrim(landed.{self.column})) not in ({codes})",
            severity=Severity.REJECT,
            owner=self.owner,
            protects_en=self.protects_en,
            protects_zh=self.protects_zh,
        )

    def _codes(self) -> list[str]:
        file = DBT_PROJECT / "seeds" / f"{self.seed}.csv"
        with file.open(encoding="utf-8", newline="") as rows:
            codes = sorted({row[self.seed_column].strip().lower() for row in csv.DictReader(rows)})
        if not codes:
            raise WinbackError(f"{file}: no codes, so every row would be refused.", "fill the seed")
        return codes


@dataclass(frozen=True)
class Suite:
    """All rules of one feed; the structural ones follow from the feed's columns."""

    feed: str
    rules: tuple[RowRule | AllowedCodes, ...] = ()

    def row_rules(self) -> tuple[RowRule, ...]:
        """Return every rule, structural ones first, with the codes of seeds filled in.

        Raises:
            WinbackError: two rules share a name.
        """
        own = tuple(rule.rule() if isinstance(rule, AllowedCodes) else rule for rule in self.rules)
        every = (*_structural_rules(self.feed), *own)
        names = [rule.name for rule in every]
        if twice := {name for name in names if names.count(name) > 1}:
            raise WinbackError(f"expectations/{self.feed}.py: two rules named {sorted(twice)}.", "rename one")
        return every


def _structural_rules(feed_name: str) -> tuple[RowRule, ...]:
    """Return: required columns are filled, text could be read as its column's type, dates are of our time."""
    rules = []
    for column in FEEDS[feed_name].columns:
        if column.is_required:
            rules.append(_is_filled(column))
        if column.type != "text":
            rules.append(_is_readable(column))
        if column.type in ("date", "timestamptz"):
            rules.append(_is_plausible(column))
    return tuple(rules)


def _is_filled(column: Column) -> RowRule:
    return RowRule(
        name=f"{column.name}_is_filled",
        fails_when=f"landed.{column.name} is null",
        severity=Severity.REJECT,
        owner="data engineering",
        protects_en=f"A row without {column.name} cannot be counted anywhere.",
        protects_zh=f"缺少 {column.name} 的记录无法计入任何指标。",
    )


def _is_readable(column: Column) -> RowRule:
    return RowRule(
        name=f"{column.name}_is_readable",
        fails_when=f"landed.{column.name} is null and landed.unread ? '{column.name}'",
        severity=Severity.REJECT,
        owner="data engineering",
        protects_en=f"A {column.name} that is no {column.type} would silently turn into nothing.",
        protects_zh=f"{column.name} 的内容无法识别为 {column.type}，否则会被悄悄丢掉。",
    )


def _is_plausible(column: Column) -> RowRule:
    # 1899-12-30 is a spreadsheet's day zero, 9999-12-31 a database's "never": both are nulls in disguise.
    return RowRule(
        name=f"{column.name}_is_plausible",
        fails_when=f"landed.{column.name} < date '1900-01-01' or landed.{column.name} >= date '2200-01-01'",
        severity=Severity.REJECT,
        owner="data engineering",
        protects_en=f"A {column.name} outside 1900 to 2199 is a placeholder; null_values can say so.",
        protects_zh=f"{column.name} 不在 1900 至 2199 年之间，多为占位值；可列入 null_values。",
    )
