"""Read what one report shows one recipient, all from one moment of the warehouse."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from winback.campaign.running import RUNNING_ARMS
from winback.publish import reading_marts
from winback.report.definition import Report
from winback.report.period import Period
from winback.report.scope import Recipient, ScopedCustomers, create_scope_table, fill_scoped_customers

Row = Mapping[str, Any]

# `feeds`: what came in since, about days that the mail was about.
_FILL_FIGURES_AS_SENT = """
insert into figures_as_sent (name, value, feeds)
select
    sent.figure,
    sent.value,
    array(
        select distinct batches.feed
        from ops.batches
        where batches.status = 'committed'
            and batches.committed_at > sent.noted_at
            and batches.business_day <= sent.ends_on
            and batches.rows_inserted + batches.rows_updated + batches.rows_deleted > 0
        order by batches.feed
    )
from ops.report_figures as sent
where sent.report = %(report)s and sent.recipient = lower(%(address)s) and sent.ends_on = %(ends_on)s
"""


# The reader's own tasks that are not done; those made since the marts were are not in them yet.
_FILL_OWN_TASKS = """
insert into own_tasks (task_id, customer_key, account_manager_key, created_on, due_on, is_overdue)
select
    tasks.task_id,
    coalesce(told.customer_key, tasks.customer_key),
    owners.account_manager_key,
    tasks.created_on,
    tasks.due_on,
    tasks.due_on <= %(as_of_date)s
from ops.winback_tasks as tasks
inner join ops.winback_task_present_owners as owners on tasks.task_id = owners.task_id
inner join marts.dim_account_manager on owners.account_manager_key = dim_account_manager.account_manager_key
left join marts.winback_tasks as told on tasks.task_id = told.task_id
where lower(dim_account_manager.email) = lower(%(address)s)
    and (told.status is null or told.status in ('open', 'overdue'))
"""


# Whom a running trial compares.
FILL_IN_TRIAL: LiteralString = f"""
insert into in_trial (customer_key)
select distinct running.customer_key from ({RUNNING_ARMS}) as running
where running.arm in ('treated', 'control')
"""


@dataclass(frozen=True)
class ReportRows:
    """The rows of each block, those of the page that is attached, and the scope that they were read for."""

    scope: ScopedCustomers
    blocks: Mapping[str, tuple[Row, ...]]
    page: Mapping[str, tuple[Row, ...]] | None = None


def read_rows(
    connection: psycopg.Connection[Any],
    report: Report,
    recipient: Recipient,
    period: Period,
    as_of_date: date,
) -> ReportRows | None:
    """Run a report's queries in one read-only snapshot; return None for a manager who left.

    Queries may use: as_of_date, starts_on, ends_on, before_ends_on (the end of the period before),
    year_before_ends_on, language, address, scope_kind, scope_key, and the parameters of `report.yml`; those
    of a page also customer_keys, and `page.yml`'s parameters instead. The connection must not be inside a
    transaction.
    """
    before_ends_on = period.starts_on - timedelta(days=1)
    parameters = {
        "as_of_date": as_of_date,
        "starts_on": period.starts_on,
        "ends_on": period.ends_on,
        "before_ends_on": before_ends_on,
        "year_before_ends_on": period.year_before,
        "language": recipient.language,
        "address": recipient.address,
        "scope_kind": recipient.scope.kind,
        "scope_key": recipient.scope.key,
    }
    _create_tables(connection)  # a temp table cannot be made, but can be filled, in a read-only transaction
    with reading_marts(connection), connection.transaction():
        connection.execute("set transaction isolation level repeatable read read only")
        scope = fill_scoped_customers(connection, recipient, as_of_date)
        if scope is None:
            return None
        sent = {"report": report.name, "address": recipient.address, "ends_on": before_ends_on}
        connection.execute(_FILL_FIGURES_AS_SENT, sent)
        if report.has_tasks:
            connection.execute(_FILL_OWN_TASKS, parameters)
            connection.execute(FILL_IN_TRIAL, parameters)
        blocks = _run(connection, report, parameters)
        page = None
        if report.page is not None and report.file.page is not None:
            keys = report.file.page.customers(blocks)
            page = _run(connection, report.page, {**parameters, "customer_keys": keys}) if keys else {}
    return ReportRows(scope, blocks, page)


def _create_tables(connection: psycopg.Connection[Any]) -> None:
    """Create the temp tables unless the session has them: each commit after that empties them all anew."""
    with connection.transaction():
        if connection.execute("select to_regclass('pg_temp.figures_as_sent')").fetchone() != (None,):
            return
        create_scope_table(connection)
        create_list_tables(connection)
        connection.execute(
            "create temp table figures_as_sent (name text, value numeric, feeds text[]) on commit delete rows"
        )


def create_list_tables(connection: psycopg.Connection[Any]) -> None:
    """Create the session's temp tables of whom a call list leaves out; every transaction finds them empty."""
    connection.execute(
        "create temp table if not exists own_tasks (task_id text, customer_key text,"
        " account_manager_key text, created_on date, due_on date, is_overdue boolean)"
        " on commit delete rows"
    )
    connection.execute("create temp table if not exists in_trial (customer_key text) on commit delete rows")


def _run(
    connection: psycopg.Connection[Any], report: Report, parameters: Mapping[str, Any]
) -> dict[str, tuple[Row, ...]]:
    values = {**report.file.parameters, **parameters}
    with connection.pipeline():  # one round trip for all of them
        asked = {
            block: connection.cursor(row_factory=dict_row).execute(query, values)
            for block, query in report.queries
        }
        return {block: tuple(answer.fetchall()) for block, answer in asked.items()}
