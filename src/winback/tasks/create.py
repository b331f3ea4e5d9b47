"""Make the tasks of a business day, and give those of owners who are gone to somebody else."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import psycopg

from winback import warehouse
from winback.build import published_day
from winback.config import Settings
from winback.errors import WinbackError
from winback.publish import reading_marts
from winback.tasks.owners import NOBODY, Manager, choose_owner, is_there, read_managers
from winback.tasks.signature import secret
from winback.warehouse.schema import ensure_schema

# Whom a task is for: members of campaigns that begin on the next day at the latest, when tasks go out, and
# whoever is worth their owner's week. A list may be approved after the marts were made, so the arm is looked
# up in ops, and `control` goes first, so that no path leads around it.
_WANTED = """
with candidates as (
    select
        winback_candidates.customer_key,
        winback_candidates.campaign_id,
        winback_candidates.decision_reason,
        winback_candidates.gain_rank,
        dim_customer.account_manager_key
    from marts.winback_candidates
    inner join marts.dim_customer on winback_candidates.customer_key = dim_customer.customer_key
    where dim_customer.do_not_contact is not true and not winback_candidates.is_contact_capped
),

memberships as (
    select distinct on (campaign_members.customer_key)
        campaign_members.customer_key,
        campaign_members.campaign_id,
        campaign_members.arm,
        campaign_members.starts_on <= %(day)s::date + 1 as has_started
    from ops.campaign_members
    where campaign_members.window_ends_on > %(day)s
    order by
        campaign_members.customer_key,
        (campaign_members.arm = 'control') desc,
        campaign_members.assigned_on desc,
        campaign_members.campaign_id
),

unfinished as (
    select coalesce(told.customer_key, winback_tasks.customer_key) as customer_key
    from ops.winback_tasks
    left join marts.winback_tasks as told on winback_tasks.task_id = told.task_id
    where told.status is null or told.status in ('open', 'overdue')
)

select candidates.customer_key, memberships.campaign_id, candidates.account_manager_key
from candidates
left join memberships on candidates.customer_key = memberships.customer_key
where
    case
        when memberships.customer_key is not null
            then memberships.arm <> 'control' and memberships.has_started
        else candidates.decision_reason = 'worth_it'
    end
    and candidates.customer_key not in (select customer_key from unfinished)
    and not exists (
        select from ops.winback_tasks
        where
            winback_tasks.customer_key = candidates.customer_key
            and winback_tasks.campaign_id = memberships.campaign_id
    )
order by candidates.gain_rank, candidates.customer_key
"""

_UNFINISHED_OWNERS = """
select winback_task_present_owners.task_id, winback_task_present_owners.account_manager_key,
    dim_customer.account_manager_key
from ops.winback_task_present_owners
inner join ops.winback_tasks on winback_task_present_owners.task_id = winback_tasks.task_id
left join marts.winback_tasks as told on winback_tasks.task_id = told.task_id
left join marts.dim_customer
    on coalesce(told.customer_key, winback_tasks.customer_key) = dim_customer.customer_key
where told.status is null or told.status in ('open', 'overdue')
order by 1
"""


@dataclass(frozen=True)
class TaskCounts:
    """What happened to tasks; `without_owner` are those that nobody is there for."""

    created: int = 0
    reassigned: int = 0
    without_owner: int = 0


def create_tasks(settings: Settings, day: date) -> dict[str, int]:
    """Make the tasks of a business day and find new owners for those whose owner is gone; return the counts.

    Another run for the same day makes none; nor does one for a day that the marts have left behind. Without
    `tasks` in the configuration nothing is done.

    Raises:
        WinbackError: there is no secret to sign them with.
    """
    if settings.tasks is None:
        return asdict(TaskCounts())
    secret()  # tasks that could not be sent are not made
    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        with reading_marts(connection), connection.transaction():
            published = published_day(connection)
            if published is None or published > day:
                return asdict(TaskCounts())
            # Twins take turns; the second finds the day's tasks made.
            connection.execute("lock table ops.winback_tasks in share row exclusive mode")
            managers = read_managers(connection)
            due_on = day + settings.tasks.due_after
            created = _create(connection, managers, day, due_on)
            reassigned, without_owner = _reassign(connection, managers, day)
    return asdict(TaskCounts(created, reassigned, without_owner))


def reassign_task(task_id: str, owner: str, day: date) -> None:
    """Give one task to another account manager from a day on.

    Raises:
        WinbackError: there is no such task, that account manager is not there, or the task has changed hands
            on that day or later.
    """
    with warehouse.connect() as connection:
        if not is_there(read_managers(connection), owner, day):
            raise WinbackError(
                f"{owner}: no account manager of that key is there on {day}.",
                "choose one of marts.dim_account_manager; keys read source:id",
            )
        found = connection.execute(
            "select since from ops.winback_task_present_owners where task_id = %s", [task_id]
        ).fetchone()
        if found is None:
            raise WinbackError(f"There is no task {task_id}.", "winback tasks list shows those that are open")
        if found[0] >= day:
            raise WinbackError(
                f"{task_id}: its owner has had it since {found[0]} only.", f"name a day after {found[0]}"
            )
        _give(connection, [(task_id, owner, day)])


def _create(
    connection: psycopg.Connection[Any],
    managers: Mapping[str, Manager],
    day: date,
    due_on: date,
) -> int:
    if connection.execute("select 1 from ops.winback_tasks where created_on >= %s limit 1", [day]).fetchone():
        return 0
    wanted = connection.execute(_WANTED, {"day": day}).fetchall()
    tasks, owners = [], []
    for customer, campaign, manager in wanted:
        task_id = _task_id(customer, campaign, day)
        tasks.append((task_id, customer, campaign, day, due_on))
        owners.append((task_id, choose_owner(managers, [manager], day), day))
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.winback_tasks (task_id, customer_key, campaign_id, created_on, due_on)"
            " values (%s, %s, %s, %s, %s)",
            tasks,
        )
    _give(connection, owners)
    return len(tasks)


def _reassign(
    connection: psycopg.Connection[Any], managers: Mapping[str, Manager], day: date
) -> tuple[int, int]:
    changed, without_owner = [], 0
    for task_id, owner, present in connection.execute(_UNFINISHED_OWNERS).fetchall():
        if is_there(managers, owner, day):
            continue
        chosen = choose_owner(managers, [present, owner], day)
        if chosen != owner:
            changed.append((task_id, chosen, day))
        without_owner += chosen == NOBODY
    _give(connection, changed)
    return len(changed), without_owner


def _give(connection: psycopg.Connection[Any], owners: list[tuple[str, str, date]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.winback_task_owners (task_id, account_manager_key, since) values (%s, %s, %s)"
            " on conflict (task_id, since) do update set account_manager_key = excluded.account_manager_key",
            owners,
        )


def _task_id(customer: str, campaign: str | None, day: date) -> str:
    digest = hashlib.sha256(f"{customer}\n{campaign or ''}\n{day}".encode()).hexdigest()
    return f"T{day:%y%m%d}-{digest[:10].upper()}"
