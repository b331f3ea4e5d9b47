"""What is in force, as text: the churn rules of every line, and whose the rows are."""

from collections.abc import Iterator, Mapping
from datetime import date

from winback.rules.load import Rules
from winback.rules.read import Row


def overview(rules: Rules, lines: Mapping[str, str], day: date) -> Iterator[str]:
    """Yield, line by line: the rules of each business line on a day and later, each table, the warnings."""
    for line, policy in lines.items():
        in_force = rules.in_force(policy, day)
        yield f"{line} (policy {policy}), {len(in_force)} rules on {day}:"
        for row in in_force:
            yield f"  {_said(row)}{_whose(row)}"
        for row in rules.seeds["churn_rules"]:
            if row["policy"] == policy and row["valid_from"] > day:
                said = _said(row) if row["enabled"] else f"{row['rule_id']} ends"
                yield f"  from {row['valid_from']}: {said}{_whose(row)}"
    for name, rows in rules.seeds.items():
        own = [row for row in rows if row.is_company]
        yield f"{name}: {len(rows)} rows" + (f", {len(own)} of {own[0].file}" if own else "")
    for warning in rules.warnings:
        yield f"warning: {warning}"


def _said(row: Row) -> str:
    condition = f"{row['signal']} {row['comparator']} {row['threshold']}"
    return f"{row['rule_id']}: {condition} -> {row['outcome']}, {row['action']}"


def _whose(row: Row) -> str:
    return f"  ({row.file}:{row.line})" if row.is_company else ""
