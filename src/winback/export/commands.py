"""`winback export`: see which lists leave, count them, and let one leave."""

from datetime import datetime

import click

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def export() -> None:
    """Let lists leave for CRM and SMS tools."""


@export.command("list")
def list_() -> None:
    """Show every export: list, target, columns, and what became of the last one."""
    from winback import warehouse
    from winback.config import load_settings
    from winback.export.overview import overview
    from winback.warehouse.schema import ensure_schema

    settings = load_settings()
    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        click.echo("\n".join(overview(connection, settings)))


@export.command()
@click.argument("name")
@click.option("--as-of", type=DAY, help="day of the list, YYYY-MM-DD; default: the day that the marts show")
@click.option("--really", is_flag=True, help="let it leave; without it the rows are only counted")
def run(name: str, as_of: datetime | None, *, really: bool) -> None:
    """Let the list of export NAME leave, once for a day; a dry run unless --really is given."""
    from winback import warehouse
    from winback.build import published_day
    from winback.config import load_settings
    from winback.errors import WinbackError
    from winback.export.run import count_rows, run_export

    settings = load_settings()
    if as_of is None:
        with warehouse.connect(autocommit=True) as connection:
            day = published_day(connection)
        if day is None:
            raise WinbackError("No marts were published.", "build them first: winback build --day YYYY-MM-DD")
    else:
        day = as_of.date()
    if really:
        counts = run_export(settings, name, day)
        click.echo(f"{name} {day}: " + ", ".join(f"{what} {count}" for what, count in counts.items()))
        return
    rows, state = count_rows(settings, name, day)
    click.echo(
        f"Dry run: nothing left. {name} {day}: {rows} rows; by the ledger: {state}. Send with --really."
    )
