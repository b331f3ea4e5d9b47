"""`winback tasks`: make tasks, see them, read what came back, hand one on."""

from datetime import datetime

import click

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def tasks() -> None:
    """Make win-back tasks, and read what came of them."""


@tasks.command()
@click.option("--day", type=DAY, required=True, help="business day that the marts show, YYYY-MM-DD")
def create(day: datetime) -> None:
    """Make the tasks of a business day, and give those of owners who are gone to others."""
    from winback.config import load_settings
    from winback.tasks.create import create_tasks

    _say(create_tasks(load_settings(), day.date()))


@tasks.command()
def read() -> None:
    """Read the workbooks that came back; `winback load contacts` loads what was taken of them."""
    from winback.config import load_settings
    from winback.tasks.returned import read_returned

    _say(read_returned(load_settings()))


@tasks.command()
@click.option("--really", is_flag=True, help="send; without it the replies that wait are only counted")
def reply(*, really: bool) -> None:
    """Mail whoever sent a workbook which of its cells could not be taken, once for each workbook."""
    from winback import warehouse
    from winback.config import load_settings
    from winback.tasks.reply import replies_that_wait
    from winback.tasks.returned import reply_to_returned
    from winback.warehouse.schema import ensure_schema

    if really:
        _say(reply_to_returned(load_settings()))
        return
    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        waiting = sum(map(len, replies_that_wait(connection).values()))
    click.echo(f"Dry run: nothing was sent. Replies that wait: {waiting}. Send with --really.")


@tasks.command("list")
@click.option("--owner", metavar="KEY", help="only this account manager's, like erp:AM01")
def list_tasks(owner: str | None) -> None:
    """List the tasks that are not done: number, due day, status, owner, customer, campaign.

    The status is that of the published marts; `new` are those that they do not know yet.
    """
    from winback import warehouse
    from winback.warehouse.schema import ensure_schema

    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        rows = connection.execute(
            """
            select
                tasks.task_id, tasks.customer_key, owners.account_manager_key, tasks.due_on,
                coalesce(told.status, 'new'), tasks.campaign_id
            from ops.winback_tasks as tasks
            inner join ops.winback_task_present_owners as owners on tasks.task_id = owners.task_id
            left join marts.winback_tasks as told on tasks.task_id = told.task_id
            where
                (told.status is null or told.status in ('open', 'overdue'))
                and (%(owner)s::text is null or owners.account_manager_key = %(owner)s)
            order by tasks.due_on, tasks.task_id
            """,
            {"owner": owner},
        ).fetchall()
    for task_id, customer, manager, due_on, status, campaign in rows:
        click.echo(f"{task_id}  {due_on}  {status:8}  {manager}  {customer}  {campaign or ''}".rstrip())
    click.echo(f"tasks that are not done: {len(rows)}")


@tasks.command()
@click.argument("task_id")
@click.argument("owner", metavar="ACCOUNT_MANAGER_KEY")
@click.option("--day", type=DAY, required=True, help="from this day on, YYYY-MM-DD")
def reassign(task_id: str, owner: str, day: datetime) -> None:
    """Give task TASK_ID to another account manager; who had it before is kept."""
    from winback.tasks.create import reassign_task

    reassign_task(task_id, owner, day.date())
    click.echo(f"{task_id} is {owner}'s from {day:%Y-%m-%d} on")


def _say(counts: dict[str, int]) -> None:
    click.echo(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()))
