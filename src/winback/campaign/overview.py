"""How campaigns stand and what they brought, as text; counts only, no customers."""

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from winback.campaign.decisions import published_date
from winback.campaign.plan import Plan


def campaigns(connection: psycopg.Connection[Any], plans: Mapping[str, Plan], zone: tzinfo) -> Iterator[str]:
    """Yield, line by line, each campaign with every decision about its lists, the earliest first."""
    if not plans:
        yield "no campaigns: rows of seeds/company/campaigns.csv make some"
    for plan in plans.values():
        yield (
            f"{plan.campaign_id}: {plan.names['en']} ({plan.names['zh']}), {plan.business_line},"
            f" starts {plan.starts_on}, up to {plan.capacity} customers"
        )
        with connection.cursor(row_factory=namedtuple_row) as cursor:
            cursor.execute(
                "select * from ops.campaign_decisions where campaign_id = %s order by decision_id",
                [plan.campaign_id],
            )
            rows: list[Any] = list(cursor)
        for row in rows:
            moment = (row.decided_at or row.proposed_at).astimezone(zone)
            by = f" by {row.decided_by}" if row.decided_by else ""
            reason = f": {row.reason}" if row.reason else ""
            yield (
                f"  {row.state} {moment:%Y-%m-%d %H:%M}{by}{reason}; list {row.list_digest[:12]},"
                f" {row.customers} customers, expected gain {row.expected_gain:,.2f},"
                f" cost {row.cost:,.2f}"
            )


def results(connection: psycopg.Connection[Any]) -> Iterator[str]:
    """Yield, line by line, what each campaign with an approved list brought."""
    published_date(connection)
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        cursor.execute("select * from marts.campaign_results order by assigned_on, campaign_id")
        rows: list[Any] = cursor.fetchall()
    if not rows:
        yield "no campaign was carried out yet"
    for row in rows:
        head = f"{row.campaign_id}: {row.treated} treated, {row.control} left alone, {row.outside} outside"
        if not row.is_complete:
            yield f"{head}; its window ends on {row.window_ends_on}"
            continue
        yield f"{head}; came back: {_rate(row.treated_rate)} against {_rate(row.control_rate)}"
        if row.uplift is not None:
            yield (
                f"  uplift {row.uplift * 100:+.1f} points, 95 % interval {row.uplift_low * 100:+.1f}"
                f" to {row.uplift_high * 100:+.1f}; margin won {row.margin_won:,.2f}"
                f" for {row.treated_cost:,.2f}"
            )
        if row.is_too_small:
            yield "  too small to tell an uplift as large as expected from chance"


def _rate(value: Any) -> str:
    return "–" if value is None else f"{value:.1%}"
