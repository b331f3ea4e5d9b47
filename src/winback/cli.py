"""The command line: `winback --help`."""

import subprocess
import sys
from datetime import datetime

import click

from winback.errors import WinbackError

DAY = click.DateTime(formats=["%Y-%m-%d"])


class _Commands(click.Group):
    """Show the errors that a user can mend as they stand, without a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except WinbackError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Say which customers leave, why, what it costs, and whom to call first."""


@main.group()
def warehouse() -> None:
    """Start, stop and open the embedded PostgreSQL."""


@warehouse.command()
def start() -> None:
    """Start the server; a first start creates it."""
    from winback.warehouse.server import EmbeddedServer

    server = EmbeddedServer()
    started = server.start()
    click.echo(f"{'started' if started else 'already running'} on port {server.status().port}")


@warehouse.command()
def stop() -> None:
    """Stop the server; its data stay."""
    from winback.warehouse.server import EmbeddedServer

    click.echo("stopped" if EmbeddedServer().stop() else "was not running")


@warehouse.command()
def status() -> None:
    """Say whether the server runs, and where its data lie; exit code 3 if it does not run."""
    from winback.warehouse.server import EmbeddedServer

    found = EmbeddedServer().status()
    click.echo(
        f"{f'running (pid {found.pid}, port {found.port})' if found.is_running else 'stopped'}: {found.home}"
    )
    sys.exit(0 if found.is_running else 3)


@warehouse.command()
@click.argument("database", default="warehouse", type=click.Choice(["warehouse", "airflow", "erp"]))
def url(database: str) -> None:
    """Print the URL of a database, password included."""
    from winback import warehouse as place
    from winback.warehouse.server import EmbeddedServer

    click.echo(place.url() if database == "warehouse" else EmbeddedServer().url(database))


@warehouse.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: tuple[str, ...]) -> None:
    """Open the warehouse in psql; ARGUMENTS go to psql."""
    from winback import warehouse as place
    from winback.warehouse.server import EmbeddedServer

    sys.exit(subprocess.call([EmbeddedServer().psql, place.url(), *arguments]))


@warehouse.command()
@click.confirmation_option(prompt="Delete the embedded server with all its data?")
def remove() -> None:
    """Stop the server and delete it with all its data."""
    from winback.warehouse.server import EmbeddedServer

    EmbeddedServer().remove()


@main.command()
@click.argument("feed")
@click.option("--day", type=DAY, required=True, help="business day, YYYY-MM-DD")
def load(feed: str, day: datetime) -> None:
    """Load one FEED up to and including a business day."""
    from winback.config import load_settings
    from winback.load import load_feed

    result = load_feed(load_settings(), feed, day.date())
    for name, value in result.as_dict().items():
        click.echo(f"{name}: {value}")


@main.command()
@click.option("--day", type=DAY, required=True, help="business day, YYYY-MM-DD")
def build(day: datetime) -> None:
    """Build and test all marts as of a business day."""
    from winback.build import build_warehouse
    from winback.config import load_settings

    result = build_warehouse(load_settings(), day.date())
    click.echo(f"{result.outcome} as of {result.as_of_date}")


@main.command()
def demo() -> None:
    """Run the whole path on the demo's data, under a running Airflow."""
    from winback.demo.run import run_demo

    run_demo()


@main.command("demo-sources")
def demo_sources() -> None:
    """Only fill the demo's ERP (connection demo_erp) and complaint folder."""
    from winback.demo.sources import demo_settings, fill_sources

    click.echo(fill_sources(demo_settings()))


@main.command()
def up() -> None:
    """Start the warehouse and Airflow, and print URL and login."""
    from winback.airflow.stack import Stack
    from winback.demo.stand_ins import stand_ins
    from winback.warehouse.server import EmbeddedServer

    server = EmbeddedServer()
    server.start()
    local = stand_ins(server)
    login = Stack(others=local.commands, variables=local.variables).start(click.echo)
    click.echo(f"Airflow    {login.url}   user admin, password {login.password}")
    click.echo(f"Warehouse  {server.url('warehouse')}")
    click.echo("Stop       make down")


@main.command()
def down() -> None:
    """Stop Airflow and the warehouse."""
    from winback.airflow.stack import Stack
    from winback.warehouse.server import EmbeddedServer

    stopped = Stack().stop()
    if EmbeddedServer().stop():
        stopped.append("PostgreSQL")
    click.echo(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")
