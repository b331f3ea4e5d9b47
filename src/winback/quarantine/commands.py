"""`winback quarantine`: look at rows that checks have rejected, mend them, load them, or let them go."""

from pathlib import Path

import click

STATES = ["open", "replayed", "resolved", "discarded", "all"]
_SHOWN = 20


@click.group()
def quarantine() -> None:
    """Look at rejected rows, mend them, load them after all, or let them go."""


@quarantine.command("list")
@click.argument("feeds", nargs=-1, metavar="[FEED...]")
@click.option("--state", type=click.Choice(STATES), default="open", show_default=True)
def list_(feeds: tuple[str, ...], state: str) -> None:
    """Count the rows by feed, source and reasons."""
    from winback import warehouse
    from winback.feeds import FEEDS
    from winback.quarantine.rows import as_table, check_feed, list_rows
    from winback.warehouse.schema import ensure_schema

    named = [check_feed(feed) for feed in feeds] or list(FEEDS)
    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        found = list_rows(connection, named, state=None if state == "all" else state)
    click.echo(as_table(found) if found else "no rows")


@quarantine.command()
@click.argument("feed")
@click.argument("quarantine_id", type=int, metavar="ID")
def show(feed: str, quarantine_id: int) -> None:
    """Show one row whole, with why it was rejected. It may hold personal data."""
    from winback import warehouse
    from winback.config import load_settings
    from winback.quarantine.rows import as_page, check_feed, read_row

    with warehouse.connect(autocommit=True) as connection:
        row = read_row(connection, check_feed(feed), quarantine_id)
    click.echo(as_page(load_settings(), feed, row))


@quarantine.command()
@click.argument("feed")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--source", help="system that the rows came from; needed where a feed has several")
def export(feed: str, target: Path, source: str | None) -> None:
    """Write the rows that wait into FILE (.xlsx or .csv), to be mended. It may hold personal data."""
    from winback import warehouse
    from winback.config import load_settings
    from winback.quarantine.export import export_rows
    from winback.quarantine.rows import check_feed, the_source

    settings = load_settings()
    with warehouse.connect(autocommit=True) as connection:
        chosen = the_source(connection, check_feed(feed), source)
        rows = export_rows(connection, settings, feed, chosen, target)
    click.echo(f"{rows:,} rows of {feed} from {chosen}: {target}")
    click.echo(f"Mend them there, then: winback quarantine replay {feed} --file {target}")


@quarantine.command()
@click.argument("feed")
@click.argument("ids", nargs=-1, type=int, metavar="[ID...]")
@click.option("--file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="mended export")
@click.option("--source", help="system that the rows came from; needed where a feed has several")
def replay(feed: str, ids: tuple[int, ...], file: Path | None, source: str | None) -> None:
    """Load rows that wait: mended ones from a file, or as they came, by the rules as they are now."""
    from winback import warehouse
    from winback.config import load_settings
    from winback.load import replay as replays
    from winback.quarantine.rows import check_feed, the_source

    if file and ids:
        raise click.UsageError("give either IDs or --file")
    settings = load_settings()
    with warehouse.connect(autocommit=True) as connection:
        chosen = the_source(connection, check_feed(feed), source)
    done = (
        replays.replay_file(settings, feed, chosen, file)
        if file
        else replays.replay(settings, feed, chosen, ids)
    )
    counts = done.counts
    click.echo(
        f"{feed} from {chosen}: {counts.rows_in:,} rows: {counts.rows_inserted:,} new, "
        f"{counts.rows_updated:,} changed, {counts.rows_unchanged:,} there already, "
        f"{counts.rows_superseded:,} older than what is there, {counts.rows_quarantined:,} wait on"
    )
    if done.not_open:
        click.echo(f"{done.not_open:,} rows of the file wait no longer and were let alone")
    for number, reasons in list(done.refused.items())[:_SHOWN]:
        click.echo(f"  {number}: {', '.join(reasons)}")
    if len(done.refused) > _SHOWN:
        click.echo(f"  and {len(done.refused) - _SHOWN:,} more: winback quarantine list {feed}")


@quarantine.command()
@click.argument("feed")
@click.argument("ids", nargs=-1, type=int, required=True, metavar="ID...")
@click.option("--because", required=True, help="why these rows need not be loaded")
def discard(feed: str, ids: tuple[int, ...], because: str) -> None:
    """Let rows go: they stay in quarantine for the record, and wait no longer."""
    from winback import warehouse
    from winback.quarantine.rows import check_feed
    from winback.quarantine.settle import discard as settle

    with warehouse.connect(autocommit=True) as connection:
        settled = settle(connection, check_feed(feed), ids, because)
    click.echo(f"{settled:,} rows of {feed} discarded")
