"""`winback campaign`: draw lists, decide about them, see what campaigns brought."""

import getpass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import psycopg


@click.group()
def campaign() -> None:
    """Draw the lists of win-back campaigns, decide about them, see what they brought."""


@campaign.command("list")
def list_() -> None:
    """Show every campaign, and every decision about its lists."""
    from winback.campaign.overview import campaigns
    from winback.campaign.plan import read_plans
    from winback.config import load_settings

    settings = load_settings()
    plans = read_plans(settings)
    with _connected() as connection:
        click.echo("\n".join(campaigns(connection, plans, settings.zone)))


@campaign.command()
@click.argument("campaign_id", metavar="CAMPAIGN")
def propose(campaign_id: str) -> None:
    """Draw the list of CAMPAIGN from the marts and put it up for a decision; again, it is the same list."""
    from winback.campaign import decisions
    from winback.campaign.approval import write_form
    from winback.campaign.plan import read_plans, the_plan
    from winback.config import load_settings

    settings = load_settings()
    plan = the_plan(read_plans(settings), campaign_id)
    with _connected() as connection:
        decision = decisions.propose(connection, plan)
        if decision is None:
            click.echo(f"{campaign_id}: nobody whom it is for promises a gain, so there is no list.")
            return
        form = write_form(settings, plan, decision, decisions.members_of(connection, decision.decision_id))
    click.echo(f"{form.subject}\n\n{form.body}")
    click.echo(f"list {decision.list_digest[:12]}: winback campaign approve {campaign_id}, or reject it")


@campaign.command()
@click.argument("campaign_id", metavar="CAMPAIGN")
@click.option("--by", default=getpass.getuser, help="who decides; default: the user of this machine")
def approve(campaign_id: str, by: str) -> None:
    """Approve the list of CAMPAIGN that waits: its members are fixed, and their arms with them."""
    from winback.campaign import decisions

    with _connected() as connection:
        waiting = decisions.the_waiting(connection, campaign_id)
        decision = decisions.approve(connection, waiting.decision_id, by)
    click.echo(f"{campaign_id}: {decision.state}, {decision.customers} customers")


@campaign.command()
@click.argument("campaign_id", metavar="CAMPAIGN")
@click.option("--reason", required=True, help="why not")
@click.option("--by", default=getpass.getuser, help="who decides; default: the user of this machine")
def reject(campaign_id: str, reason: str, by: str) -> None:
    """Reject the list of CAMPAIGN that waits; nobody is asked about the campaign again by itself."""
    from winback.campaign import decisions

    with _connected() as connection:
        waiting = decisions.the_waiting(connection, campaign_id)
        decision = decisions.decline(connection, waiting.decision_id, "rejected", by=by, reason=reason)
    click.echo(f"{campaign_id}: {decision.state}")


@campaign.command()
def results() -> None:
    """Show what campaigns brought, treated against left alone, as of the last build."""
    from winback.campaign.overview import results as shown

    with _connected() as connection:
        click.echo("\n".join(shown(connection)))


def _connected() -> "psycopg.Connection[Any]":
    from winback import warehouse
    from winback.warehouse.schema import ensure_schema

    connection = warehouse.connect(autocommit=True)
    ensure_schema(connection)
    return connection
