"""Great Expectations counts, on the landed batch, how many rows break each rule.

The rules become one column of 0 and 1 each, in a view beside the landing table. Great Expectations expects
every such column to add up to zero, and bundles the sums into one scan; the loading transaction routes by
the same columns. Results hold counts only: no value of a row can reach them.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from winback.check.rules import RowRule, Severity

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")


@dataclass(frozen=True)
class CheckResult:
    """How many rows of a batch break one rule."""

    expectation: str
    severity: Severity
    rows_failed: int
    rows_total: int


def create_rules_view(
    connection: psycopg.Connection[Any], landing: str, view: str, rules: tuple[RowRule, ...]
) -> None:
    """Make the view that holds every landed row and, per rule, 1 where the row breaks it, else 0."""
    broken = [
        sql.SQL("(case when {} then 1 else 0 end) as {}").format(
            sql.SQL("(" + rule.fails_when + ")"),
            sql.Identifier(rule.name),
        )
        for rule in rules
    ]
    connection.execute(
        sql.SQL("create view {} as select landed.*, {} from {}").format(
            sql.Identifier("landing", view),
            sql.SQL(", ").join(broken),
            as_landed(sql.Identifier("landing", landing)),
        )
    )


def as_landed(table: sql.Identifier) -> sql.Composed:
    """Return what rules speak of: a table's rows and the one moment at which all of them are checked.

    A clock inside a rule would go on between the check and the load, and the two would disagree.
    """
    return sql.SQL("(select *, {}::timestamptz as checked_at from {}) as landed").format(
        sql.Literal(datetime.now(UTC)), table
    )


def evaluate(warehouse_url: str, view: str, rules: tuple[RowRule, ...]) -> list[CheckResult]:
    """Run a suite over a rules view and return one result per rule.

    Raises:
        RuntimeError: Great Expectations could not evaluate a rule; nothing may be loaded then.
    """
    # Four seconds to import: only whoever checks pays for it.
    import great_expectations as gx  # noqa: PLC0415
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415
    from great_expectations.expectations.core.expect_column_sum_to_be_between import (  # noqa: PLC0415
        ExpectColumnSumToBeBetween,
    )
    from great_expectations.expectations.core.expect_table_row_count_to_be_between import (  # noqa: PLC0415
        ExpectTableRowCountToBeBetween,
    )

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    source = context.data_sources.add_postgres("warehouse", connection_string=_landing_url(warehouse_url))
    table = source.add_table_asset("rules", table_name=view)
    batch = table.add_batch_definition_whole_table("batch").get_batch()
    suite = gx.ExpectationSuite(
        name=view,
        expectations=[
            ExpectTableRowCountToBeBetween(min_value=0),
            *(
                ExpectColumnSumToBeBetween(
                    column=rule.name,
                    min_value=0,
                    max_value=0,
                    meta={"severity": rule.severity, "owner": rule.owner, "protects": rule.protects_en},
                )
                for rule in rules
            ),
        ],
    )
    try:
        counted = dict(_counted(result, view) for result in batch.validate(suite).results)
    finally:  # its connections would stay open until they are collected
        source.get_execution_engine().close()
        source.get_engine().dispose()
    return [CheckResult(rule.name, rule.severity, counted[rule.name], counted[None]) for rule in rules]


def _counted(result: Any, view: str) -> tuple[str | None, int]:
    """Return what an expectation counted, by its rule; the number of rows has none.

    The sum over a batch without rows is null.
    """
    rule = result.expectation_config.kwargs.get("column")
    if result.exception_info.get("raised_exception") or "observed_value" not in result.result:
        raise RuntimeError(
            f"Great Expectations could not evaluate {rule or 'the number of rows'} on landing.{view}"
        )
    return rule, int(result.result["observed_value"] or 0)


def _landing_url(url: str) -> str:
    """Name the schema that views are looked up in, and the driver, which SQLAlchemy would otherwise guess."""
    address = make_url(url).set(drivername="postgresql+psycopg")
    return address.update_query_dict({"options": "-csearch_path=landing"}).render_as_string(
        hide_password=False
    )
