"""What the demo shows at its end: what came in, what became of it, and where to look."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import psycopg
from psycopg import sql

from winback.demo import LAST_DAY

_FATES = ("rows_in", "rows_inserted", "rows_updated", "rows_unchanged", "rows_superseded", "rows_quarantined")
_STAGES = ("new", "active", "won_back", "at_risk", "churned", "closed", "prospect")
_TIERS = ("vip", "major", "ordinary", "small", "none")

_SIGHTS = """
select 'share of margin of vip and major customers', round(100 * sum(share_of_margin), 1) || ' %%'
from marts.retention_months_rollup
where (business_line, region_key) = ('all', 'all') and value_tier in ('vip', 'major') and month = %(month)s
union all
select 'customers spoken with in the month', round(100 * contact_coverage, 1) || ' %%'
from marts.retention_months_rollup
where (business_line, region_key, value_tier) = ('all', 'all', 'all') and month = %(month)s
union all
select 'satisfied in surveys of the month', round(100 * satisfied_share, 1) || ' %%'
from marts.satisfaction_months
where (business_line, region_key) = ('all', 'all') and month = %(month)s
union all
select
    'why customers left: ' || reason_class,
    count(*) filter (where not is_inferred) || ' said so, '
    || count(*) filter (where is_inferred) || ' guessed'
from marts.churn_reasons where reason_class <> 'unknown' group by reason_class
union all
select
    'complaint alarm: ' || kind || ' ' || coalesce(batch_no, cause_key),
    window_complaints || ' complaints in ' || window_days || ' days, '
    || round(cast(window_expected as numeric), 1) || ' expected'
from marts.complaint_causes where is_alarm
union all
select 'sales after: ' || name, round(100 * revenue_to_before, 1) || ' %% of before, in week ' || week
from (
    select distinct on (event_key) *
    from marts.event_recovery inner join marts.events using (event_key)
    where week >= 0 and revenue_to_before is not null order by event_key, week desc
) as newest
"""


@dataclass(frozen=True)
class Snapshot:
    """A moment of the warehouse: the last batch, the mails sent, and a checksum of every table."""

    last_batch: int
    mails_sent: int
    checksums: dict[str, int]


def take_snapshot(connection: psycopg.Connection[Any]) -> Snapshot:
    """Read the moment; the checksum of a table does not depend on the order of its rows."""
    tables = connection.execute(
        "select table_schema, table_name from information_schema.tables"
        " where table_schema in ('raw', 'quarantine', 'marts') and table_type = 'BASE TABLE'"
        # these tell when each load or build ran, and how often
        " and table_name not in ('feed_status', 'data_quality', 'published_version') order by 1, 2"
    ).fetchall()
    checksum = sql.SQL("select coalesce(sum(hashtextextended(rows::text, 0)::numeric), 0) from {} as rows")
    return Snapshot(
        last_batch=_one(connection, "select coalesce(max(batch_id), 0) from ops.batches"),
        mails_sent=_one(connection, "select count(*) from ops.deliveries where state = 'sent'"),
        checksums={
            ".".join(table): _one(connection, checksum.format(sql.Identifier(*table))) for table in tables
        },
    )


def print_summary(
    connection: psycopg.Connection[Any],
    before: Snapshot,
    after: Snapshot,
    *,
    url: str,
    outbox: Path,
    pages: Path,
    lists: Sequence[Path],
) -> None:
    """Print what this run did and where its results are."""
    _heading("What came in, and what became of it")
    fates = ", ".join(f"sum({fate})::bigint" for fate in _FATES)
    rows = connection.execute(
        f"select feed, count(*), {fates} from ops.batches where batch_id > %s and status = 'committed'"
        " group by feed order by min(batch_id)",
        [before.last_batch],
    ).fetchall()
    _table(("feed", "batches", *(fate.removeprefix("rows_") for fate in _FATES)), rows)

    _heading("Customers by tier and stage")
    counts = {
        (tier, stage): number
        for tier, stage, number in connection.execute(
            "select value_tier, stage, count(*) from marts.dim_customer where customer_key <> '-1'"
            " group by value_tier, stage"
        )
    }
    stages = [stage for stage in _STAGES if any(found == stage for _, found in counts)]
    _table(
        ("value tier", *stages, "all"),
        [
            (
                tier,
                *(counts.get((tier, stage), 0) for stage in stages),
                sum(n for (t, _), n in counts.items() if t == tier),
            )
            for tier in _TIERS
        ],
    )

    at_risk, churned, currency = connection.execute(
        """
        select
            coalesce(sum(value_12m) filter (where stage = 'at_risk'), 0),
            coalesce(sum(value_12m) filter (where stage = 'churned'), 0),
            (select max(currency) from raw.orders)
        from marts.dim_customer
        """
    ).fetchone() or (0, 0, "")
    click.echo(
        f"\nRevenue at risk {at_risk:,.2f} {currency}; lost with churned customers {churned:,.2f} {currency}"
    )

    _heading("Also in the marts")
    month = {"month": LAST_DAY.replace(day=1)}
    _table(("what", "figure"), connection.execute(_SIGHTS, month).fetchall())

    mails = after.mails_sent - before.mails_sent
    if before.checksums == after.checksums:
        click.echo(f"\nNothing changed: no row of raw data, quarantine or marts differs; {mails} mails sent.")
    else:
        click.echo(f"\n{mails} mails sent.")

    click.echo(
        f"""
Real: every sale (Complete Journey 2017). Simulated: names, phone numbers, regions, account managers, costs,
batches, calls, surveys, events, and all complaints, of which four are wrong on purpose: see
quarantine.complaints.

  E-mails      {outbox / "index.html"}
  Lists        {", ".join(map(str, lists)) or "none"}
  Data quality {pages / "index.html"}
  Quarantine   .venv/bin/winback quarantine list
  Warehouse    {url}
               .venv/bin/winback warehouse psql
  Airflow UI   make up    (prints URL and login)
  Stop         make down  (the warehouse is still running)"""
    )


def _one(connection: psycopg.Connection[Any], statement: Any) -> int:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return int(row[0])


def _heading(text: str) -> None:
    click.echo(f"\n{text}")


def _table(header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    lines = [header, *([f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        first, *others = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        click.echo("  " + "  ".join([first, *others]))
