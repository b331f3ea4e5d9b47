"""Check a batch by plain queries: a stand-in for Great Expectations, which takes most of a small load's time.

For tests whose subject is not the checks. `tests/integration/test_quick_checks.py` holds both against each
other, and the loading transaction compares either one's counts with its own.
"""

from typing import Any

import psycopg
from psycopg import sql

from winback.check.evaluate import CheckResult
from winback.check.gates import Gate
from winback.check.rules import RowRule


def evaluate_by_query(
    warehouse_url: str,
    view: str,
    rules: tuple[RowRule, ...],
    measures: str | None = None,
    gates: tuple[Gate, ...] = (),
) -> list[CheckResult]:
    """Count, per rule, the rows that break it, and hold what the batch measures to its limits."""
    sums = sql.SQL(", ").join(
        sql.SQL("coalesce(sum({}), 0)").format(sql.Identifier(rule.name)) for rule in rules
    )
    with psycopg.connect(warehouse_url) as connection:
        total, *broken = _row(connection, sql.SQL("select count(*), {} from {}"), sums, view)
        judged = [gate for gate in gates if not gate.is_cold]
        names = sql.SQL(", ").join(sql.Identifier(gate.name) for gate in judged)
        measured = (
            _row(connection, sql.SQL("select {} from {}"), names, measures) if measures and judged else ()
        )
    failed = {gate.name for gate, value in zip(judged, measured, strict=True) if not is_within(gate, value)}
    rows = [
        CheckResult(rule.name, rule.severity, count, total, outcome="failed" if count else "passed")
        for rule, count in zip(rules, broken, strict=True)
    ]
    return rows + [
        CheckResult(
            gate.name,
            gate.severity,
            int(gate.name in failed),
            1,
            level="batch",
            outcome="cold_start" if gate.is_cold else "failed" if gate.name in failed else "passed",
            gate=gate,
        )
        for gate in gates
    ]


def is_within(gate: Gate, value: float | None) -> bool:
    """Tell whether a measure keeps to its limits, both of which are allowed."""
    return (
        value is not None
        and (gate.minimum is None or gate.minimum <= value)
        and (gate.maximum is None or value <= gate.maximum)
    )


def _row(
    connection: psycopg.Connection[Any], query: sql.SQL, columns: sql.Composed, table: str
) -> tuple[Any, ...]:
    row = connection.execute(query.format(columns, sql.Identifier("landing", table))).fetchone()
    assert row is not None
    return row
