"""Check results: noted for every batch, loaded or stopped, without a row's values."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import psycopg

from winback.check.evaluate import CheckResult
from winback.check.gates import Gate
from winback.check.rules import RowRule


def note_results(
    connection: psycopg.Connection[Any],
    *,
    batch_id: int,
    feed: str,
    source_id: str,
    day: date,
    rules: tuple[RowRule, ...],
    results: Iterable[CheckResult],
) -> None:
    """Note what each check found in a batch, and what the checks are called and protect."""
    results = list(results)
    cursor = connection.cursor()
    cursor.executemany(
        "insert into ops.check_results"
        " (batch_id, feed, source_id, business_day, expectation, severity, level,"
        " rows_failed, rows_total, outcome, observed, usual, minimum, maximum, duration_ms)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " on conflict (batch_id, expectation) do nothing",
        [
            (
                *(batch_id, feed, source_id, day),
                *(result.expectation, result.severity, result.level, result.rows_failed, result.rows_total),
                result.outcome,
                *(
                    (gate.observed, gate.usual, gate.minimum, gate.maximum)
                    if (gate := result.gate)
                    else (None, None, None, None)
                ),
                result.duration_ms,
            )
            for result in results
        ],
    )
    about: list[tuple[str, str, RowRule | Gate]] = [(rule.name, "row", rule) for rule in rules]
    about += [(gate.name, "batch", gate) for result in results if (gate := result.gate)]
    cursor.executemany(
        """
        insert into ops.expectations as noted
            (feed, expectation, level, severity, owner, protects_en, protects_zh)
        values (%s, %s, %s, %s, %s, %s, %s)
        on conflict (feed, expectation) do update
        set
            severity = excluded.severity,
            owner = excluded.owner,
            protects_en = excluded.protects_en,
            protects_zh = excluded.protects_zh
        where
            (noted.severity, noted.owner, noted.protects_en, noted.protects_zh)
            <> (excluded.severity, excluded.owner, excluded.protects_en, excluded.protects_zh)
        """,
        [
            (feed, name, level, check.severity, check.owner, check.protects_en, check.protects_zh)
            for name, level, check in about
        ],
    )


def accepted_before(
    connection: psycopg.Connection[Any], feed: str, source_id: str, day: date
) -> frozenset[str]:
    """Return the checks that a person has accepted to fail for a business day of a source."""
    rows = connection.execute(
        "select distinct expectation from ops.check_results"
        " where feed = %s and source_id = %s and business_day = %s and outcome = 'accepted'",
        [feed, source_id, day],
    )
    return frozenset(name for (name,) in rows)
