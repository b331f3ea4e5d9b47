"""Great Expectations counts how many rows of a landed batch break each rule, and holds measures to limits.

The rules are columns of 0 and 1 in a view beside the landing table. Great Expectations expects every such
column to add up to zero, and bundles the sums into one scan; the loading transaction routes by the same
columns. What the whole batch measures is one row, each column of which has its limits. Results hold numbers
only: no value of a row can reach them.
"""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import make_url

from winback.check.gates import Gate
from winback.check.rules import RowRule, Severity

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

Outcome = Literal["passed", "failed", "accepted", "cold_start"]


@dataclass(frozen=True)
class CheckResult:
    """What one check found: how many rows break a rule, or whether the batch is odd (1 of 1).

    `duration_ms` is that of the scan that this check was counted in, together with others.
    """

    expectation: str
    severity: Severity
    rows_failed: int
    rows_total: int
    duration_ms: int = 0
    level: Literal["row", "batch"] = "row"
    outcome: Outcome = "passed"
    gate: Gate | None = None

    @property
    def stops(self) -> bool:
        """Tell whether nothing of the batch may be loaded for this."""
        return self.outcome == "failed" and self.severity is Severity.STOP


def evaluate(
    warehouse_url: str,
    view: str,
    rules: tuple[RowRule, ...],
    measures: str | None = None,
    gates: tuple[Gate, ...] = (),
) -> list[CheckResult]:
    """Run a suite over a rules view, and gates over the table of measures; return one result per check.

    Raises:
        RuntimeError: Great Expectations could not evaluate a check; nothing may be loaded then.
    """
    with _warehouse(warehouse_url) as warehouse:
        counted, duration = warehouse.counts(view, [rule.name for rule in rules])
        judged = [gate for gate in gates if not gate.is_cold]
        failed, gates_duration = (
            warehouse.out_of_limits(measures, judged) if measures and judged else (set(), 0)
        )
    total = counted[None]
    rows = [
        CheckResult(
            rule.name,
            rule.severity,
            counted[rule.name],
            total,
            duration,
            outcome="failed" if counted[rule.name] else "passed",
        )
        for rule in rules
    ]
    return rows + [
        CheckResult(
            gate.name,
            gate.severity,
            int(gate.name in failed),
            1,
            gates_duration,
            level="batch",
            outcome="cold_start" if gate.is_cold else "failed" if gate.name in failed else "passed",
            gate=gate,
        )
        for gate in gates
    ]


@dataclass(frozen=True)
class _Warehouse:
    """The warehouse as Great Expectations sees it."""

    gx: Any
    source: Any

    def counts(self, view: str, columns: list[str]) -> tuple[dict[str | None, int], int]:
        """Return the sum of each column of 0 and 1, and the number of rows by None; and the milliseconds."""
        from great_expectations.expectations.core.expect_column_sum_to_be_between import (  # noqa: PLC0415
            ExpectColumnSumToBeBetween,
        )
        from great_expectations.expectations.core.expect_table_row_count_to_be_between import (  # noqa: PLC0415
            ExpectTableRowCountToBeBetween,
        )

        results, duration = self._validate(
            view,
            [
                ExpectTableRowCountToBeBetween(min_value=0),
                *(ExpectColumnSumToBeBetween(column=column, min_value=0, max_value=0) for column in columns),
            ],
        )
        # The sum over a batch without rows is null.
        return {_column(result): int(result.result["observed_value"] or 0) for result in results}, duration

    def out_of_limits(self, table: str, gates: list[Gate]) -> tuple[set[str], int]:
        """Return the names of the gates whose measure is beyond its limits, and the milliseconds."""
        from great_expectations.expectations.core.expect_column_max_to_be_between import (  # noqa: PLC0415
            ExpectColumnMaxToBeBetween,
        )

        results, duration = self._validate(
            table,
            [
                ExpectColumnMaxToBeBetween(column=gate.name, min_value=gate.minimum, max_value=gate.maximum)
                for gate in gates
            ],
        )
        return {str(_column(result)) for result in results if not result.success}, duration

    def _validate(self, table: str, suite: list[Any]) -> tuple[list[Any], int]:
        begun = time.perf_counter()
        asset = self.source.add_table_asset(table, table_name=table)
        batch = asset.add_batch_definition_whole_table("batch").get_batch()
        results = batch.validate(self.gx.ExpectationSuite(name=table, expectations=suite)).results
        for result in results:
            if result.exception_info.get("raised_exception") or "observed_value" not in result.result:
                raise RuntimeError(
                    f"Great Expectations could not evaluate {_column(result) or 'the number of rows'}"
                    f" on landing.{table}"
                )
        return results, round((time.perf_counter() - begun) * 1000)


@contextmanager
def _warehouse(url: str) -> Iterator[_Warehouse]:
    # Four seconds to import: only whoever checks pays for it.
    import great_expectations as gx  # noqa: PLC0415
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    source = context.data_sources.add_postgres("warehouse", connection_string=_landing_url(url))
    try:
        yield _Warehouse(gx, source)
    finally:  # its connections would stay open until they are collected
        source.get_execution_engine().close()
        source.get_engine().dispose()


def _column(result: Any) -> str | None:
    column = result.expectation_config.kwargs.get("column")
    return None if column is None else str(column)


def _landing_url(url: str) -> str:
    """Name the schema that views are looked up in, and the driver, which SQLAlchemy would otherwise guess."""
    address = make_url(url).set(drivername="postgresql+psycopg")
    return address.update_query_dict({"options": "-csearch_path=landing"}).render_as_string(
        hide_password=False
    )


def stopping(results: Iterable[CheckResult]) -> list[CheckResult]:
    """Return the checks for which nothing of the batch may be loaded."""
    return [result for result in results if result.stops]
