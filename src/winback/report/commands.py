"""`winback report` and `winback deliveries`: look at reports, send them, and see what became of the mails."""

from datetime import datetime
from pathlib import Path

import click

DAY = click.DateTime(formats=["%Y-%m-%d"])
_AS_OF = click.option(
    "--as-of",
    type=DAY,
    required=True,
    help="last day to speak of, YYYY-MM-DD",
)


@click.group()
def report() -> None:
    """Look at a report before it goes out, or send it."""


@report.command()
@click.argument("name")
@_AS_OF
@click.option("--recipient", metavar="ADDRESS", help="only this recipient's mail")
@click.option("--lang", type=click.Choice(["zh", "en"]), help="in this language instead of the reader's")
def preview(name: str, as_of: datetime, recipient: str | None, lang: str | None) -> None:
    """Write the mails of report NAME into a folder; nothing is sent."""
    from winback.config import load_settings
    from winback.report.issue import preview_issue

    folder = _preview_folder(name, as_of)
    written = preview_issue(
        load_settings(),
        name,
        as_of.date(),
        folder,
        address=recipient,
        language=lang,  # type: ignore[arg-type]
    )
    click.echo(f"{written} mails to look at: {folder / 'index.html'}")


@report.command()
@click.argument("name")
@_AS_OF
@click.option("--really", is_flag=True, help="send; without it the mails are only made, and counted")
def send(name: str, as_of: datetime, *, really: bool) -> None:
    """Send report NAME to everyone who has not had it; a dry run unless --really is given."""
    from winback.config import load_settings
    from winback.report.issue import preview_issue, send_issue, standing_of

    settings = load_settings()
    if really:
        ends = send_issue(settings, name, as_of.date())
        click.echo(", ".join(f"{count} {end.replace('_', ' ')}" for end, count in ends.items() if count))
        return
    folder = _preview_folder(name, as_of)
    made = preview_issue(settings, name, as_of.date(), folder)
    standing = standing_of(settings, name, as_of.date())
    known = ", ".join(f"{count} {state}" for state, count in sorted(standing.items()))
    click.echo(f"Dry run: nothing was sent. {made} mails made: {folder / 'index.html'}")
    click.echo(f"Of {standing.total()} recipients, by the ledger: {known}. Send with --really.")


@click.group()
def deliveries() -> None:
    """See which mails have not arrived for certain, and settle them."""


@deliveries.command("list")
@click.option("--report", "name", metavar="REPORT", help="only of this report")
@click.option("--period", help="only of this period, such as 2026-W09")
@click.option("--all", "with_settled", is_flag=True, help="also what was sent or let go")
def list_(name: str | None, period: str | None, *, with_settled: bool) -> None:
    """List mails: state, recipient, since when, why, and what to do about them."""
    from winback import warehouse
    from winback.config import load_settings
    from winback.report.ledger import read_deliveries
    from winback.report.ledger_page import as_lines
    from winback.warehouse.schema import ensure_schema

    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        found = read_deliveries(connection, name, period, with_settled=with_settled)
    click.echo("\n".join(as_lines(found, load_settings().zone)))


@deliveries.command()
@click.argument("name", metavar="REPORT")
@click.argument("period")
@click.argument("address")
@click.option(
    "--as",
    "verdict",
    type=click.Choice(["sent", "again", "dropped"]),
    required=True,
    help="it arrived; the next run shall send it; let it go",
)
def settle(name: str, period: str, address: str, verdict: str) -> None:
    """Say what became of the mail of REPORT and PERIOD to ADDRESS."""
    from winback import warehouse
    from winback.report.ledger import VERDICTS, Ledger
    from winback.warehouse.schema import ensure_schema

    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        Ledger(connection, name, period).settle(address.lower(), verdict)  # type: ignore[arg-type]
    state = VERDICTS[verdict]  # type: ignore[index]
    click.echo(f"{name} {period} to {address} is {state}." + (_AGAIN if verdict == "again" else ""))


_AGAIN = " The next run of the report sends it: run its DAG for that day, or winback report send … --really"


def _preview_folder(name: str, as_of: datetime) -> Path:
    from winback import paths

    return paths.state_dir() / "preview" / f"{name}_{as_of:%Y-%m-%d}"
