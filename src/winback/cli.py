"""The command line: `winback --help`."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import click

from winback.campaign.commands import campaign
from winback.errors import WinbackError
from winback.export.commands import export
from winback.quarantine.commands import quarantine
from winback.report.commands import deliveries, report
from winback.tasks.commands import tasks

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


main.add_command(quarantine)
main.add_command(report)
main.add_command(deliveries)
main.add_command(campaign)
main.add_command(tasks)
main.add_command(export)


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
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--config", type=click.Path(path_type=Path), help="file to write; default: the one in use")
@click.option("--force", is_flag=True, help="overwrite that file")
@click.option("--time-zone", help="IANA zone of the business and of its stamps; default: Asia/Shanghai")
@click.option("--policy", help="when a customer counts as lost, of seeds/policies.csv; default: retail")
@click.option("--company", help="what the reports call the company")
def init(
    sources: tuple[str, ...],
    config: Path | None,
    *,
    force: bool,
    time_zone: str | None,
    policy: str | None,
    company: str | None,
) -> None:
    """Propose a winback.yml for files, folders or database URLs, and say what a person must decide."""
    from winback.onboarding.init import Wishes, write_proposal
    from winback.paths import config_file

    wishes = Wishes(company=company, time_zone=time_zone, policy=policy)
    said, is_complete = write_proposal(
        sources, (config or config_file()).absolute(), wishes, overwrites=force
    )
    click.echo("\n".join(said))
    sys.exit(0 if is_complete else 1)


@main.command()
@click.argument("feeds", nargs=-1, metavar="[FEED...]")
def doctor(feeds: tuple[str, ...]) -> None:
    """Prove the configuration on samples, before anything is loaded; exit code 1 if a check fails."""
    from winback.config import load_settings
    from winback.onboarding.doctor import examine
    from winback.onboarding.findings import Level

    findings = []
    for finding in examine(load_settings(), feeds):
        click.echo(str(finding))
        findings.append(finding)
    failed = sum(finding.level is Level.FAIL for finding in findings)
    warned = sum(finding.level is Level.WARN for finding in findings)
    click.echo(f"{len(findings)} checks: {failed} failed, {warned} to look at")
    sys.exit(1 if failed else 0)


@main.command()
@click.argument("feeds", nargs=-1)
@click.option("--day", type=DAY, required=True, help="business day, YYYY-MM-DD")
@click.option("--accept-deletes", is_flag=True, help="mark rows that are gone as deleted, however many")
@click.option("--accept", "accepts", multiple=True, metavar="CHECK", help="let this check fail; repeatable")
def load(feeds: tuple[str, ...], day: datetime, accept_deletes: bool, accepts: tuple[str, ...]) -> None:
    """Load FEEDS (all, unless named) up to and including a business day."""
    from winback.config import load_settings
    from winback.load import chosen_feeds, load_feed

    settings = load_settings()
    for feed in chosen_feeds(settings, feeds):
        result = load_feed(settings, feed, day.date(), accepts_deletes=accept_deletes, accepts=accepts)
        click.echo(", ".join(f"{name} {value}" for name, value in result.as_dict().items()))


@main.command()
@click.argument("feeds", nargs=-1)
@click.option("--from", "first", type=DAY, required=True, help="first business day, YYYY-MM-DD")
@click.option("--to", "last", type=DAY, required=True, help="last business day, YYYY-MM-DD; must be over")
@click.option("--accept", "accepts", multiple=True, metavar="CHECK", help="let this check fail; repeatable")
def backfill(feeds: tuple[str, ...], first: datetime, last: datetime, accepts: tuple[str, ...]) -> None:
    """Load the history of FEEDS (all, unless named) once more, month by month; run again, it goes on."""
    from winback.config import load_settings
    from winback.load import chosen_feeds
    from winback.load.backfill import backfill_feed

    settings = load_settings()
    for feed in chosen_feeds(settings, feeds):
        backfill_feed(settings, feed, first.date(), last.date(), click.echo, accepts=accepts)


@main.command()
def feeds() -> None:
    """Show where every feed stands: last batch, watermark, lag, rows."""
    from winback import warehouse as place
    from winback.config import load_settings
    from winback.load.overview import as_table, feed_statuses
    from winback.warehouse.schema import ensure_schema

    settings = load_settings()
    with place.connect(autocommit=True) as connection:
        ensure_schema(connection)
        statuses = feed_statuses(connection, settings, datetime.now(settings.zone).date())
    click.echo(as_table(statuses, settings.zone))


@main.group()
def rules() -> None:
    """Look at the business rules: the shipped ones and the company's own."""


@rules.command("check")
@click.option("--day", type=DAY, help="business day, YYYY-MM-DD; default: today")
def check_rules(day: datetime | None) -> None:
    """Say which rules are in force, and which rows are the company's; refuse what cannot be meant."""
    from winback.config import load_settings
    from winback.rules.load import load_rules
    from winback.rules.overview import overview

    settings = load_settings()
    lines = settings.business.lines
    on = day or datetime.now(settings.zone)
    click.echo("\n".join(overview(load_rules(lines), lines, on.date())))


@main.command()
@click.option("--day", type=DAY, required=True, help="business day, YYYY-MM-DD")
@click.option("--full-refresh", is_flag=True, help="make everything anew, not only what has changed")
def build(day: datetime, full_refresh: bool) -> None:
    """Build and test all marts as of a business day."""
    from winback.build import build_warehouse
    from winback.config import load_settings

    result = build_warehouse(load_settings(), day.date(), full_refresh=full_refresh)
    click.echo(f"{result.outcome} as of {result.as_of_date}")


@main.group()
def publish() -> None:
    """See which version of the marts is live, or go back to the one before."""


@publish.command("status")
def publish_status() -> None:
    """Say what the live copy and the standby copy hold, and which builds failed last."""
    from winback import warehouse as place
    from winback.config import load_settings
    from winback.publish import read_standing

    with place.connect(autocommit=True) as connection:
        standing = read_standing(connection)
    click.echo("\n".join(standing.as_lines(load_settings().zone)))


@publish.command("rollback")
def publish_rollback() -> None:
    """Take the version that was live before live again; a second time takes it back."""
    from winback import warehouse as place
    from winback.config import load_settings
    from winback.publish import roll_back

    readers = load_settings().bi.contact_readers
    with place.connect(autocommit=True) as connection:
        version = roll_back(connection, readers)
    click.echo(f"live again: {version}")


@main.group()
def forecast() -> None:
    """See what the forecasts of each business line rest on, or fit them anew."""


@forecast.command("show")
def forecast_show() -> None:
    """Say which fit of each business line is in use, what it found, and what was refused."""
    from winback import warehouse as place
    from winback.score.forecast.overview import overview
    from winback.warehouse.schema import ensure_schema

    with place.connect(autocommit=True) as connection:
        ensure_schema(connection)
        click.echo("\n".join(overview(connection)))


@forecast.command("fit")
def forecast_fit() -> None:
    """Fit every business line on what the last build knew; the next build forecasts by it."""
    from winback import warehouse as place
    from winback.config import load_settings
    from winback.publish import only_builder
    from winback.score.forecast.overview import overview
    from winback.score.forecast.score import fit_now

    with place.connect(autocommit=True) as connection, only_builder(connection, waits=False):
        fit_now(connection, load_settings().forecasts)
        click.echo("\n".join(overview(connection)))


@main.command()
def freshness() -> None:
    """Say, by dbt's source freshness, whether a source is late; exit code 1 if by two nightly loads."""
    from winback.config import load_settings
    from winback.project import run_dbt

    settings = load_settings()
    run_dbt(settings, datetime.now(settings.zone).date(), "source", "freshness")
    click.echo("No source is late by two nightly loads.")


@main.command()
@click.option("--day", type=DAY, required=True, help="business day, YYYY-MM-DD")
def quality(day: datetime) -> None:
    """Write the day's page about data quality, in each language."""
    from winback.config import load_settings
    from winback.report.quality_page import write_quality_pages

    settings = load_settings()
    for page in write_quality_pages(settings, day.date(), settings.pages.place):
        click.echo(page)


@main.command()
@click.argument("batch_no", metavar="BATCH")
@click.option(
    "--product", help="number or key of the product; needed where several have a batch of that number"
)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="where to")
@click.option("--with-contacts", is_flag=True, help="names, phones and addresses too: personal data")
def recall(batch_no: str, product: str | None, folder: Path, *, with_contacts: bool) -> None:
    """Write a workbook of who bought BATCH, who complained about it, and what they are worth."""
    from winback import warehouse as place
    from winback.recall import write_recall

    with place.connect(autocommit=True) as connection:
        found = write_recall(connection, batch_no, folder, product_id=product, with_contacts=with_contacts)
    click.echo(
        f"{found.customers:,} customers, {found.complainers:,} of them complained; value of 12 months"
        f" {found.value_12m:,.2f}; {found.walk_in_orders:,} orders of walk-ins: {found.file}"
    )


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
