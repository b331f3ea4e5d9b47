"""Whose customers a recipient sees: decided here and nowhere else."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from email.errors import HeaderParseError
from email.headerregistry import Address
from typing import Any, Literal

import psycopg

from winback.config_types import ScopeConfig
from winback.errors import WinbackError

Language = Literal["en", "zh"]
ScopeKind = Literal["everything", "region", "business_line", "account_manager", "team"]


@dataclass(frozen=True)
class Scope:
    """A part of the customers; `key` is a region_key, a business line or an account_manager_key.

    A `team` is an account manager with all who report to them, directly or further down.
    """

    kind: ScopeKind
    key: str | None = None

    def __post_init__(self) -> None:
        if (self.kind == "everything") != (self.key is None):
            raise ValueError(
                f"scope {self.kind} with key {self.key!r}: everything has no key, all others one"
            )


def scope_of(config: ScopeConfig) -> Scope:
    """Return the scope that the configuration states."""
    parts = {
        "region": config.region,
        "business_line": config.business_line,
        "account_manager": config.account_manager,
    }
    chosen = [Scope(kind, key) for kind, key in parts.items() if key is not None]  # type: ignore[arg-type]
    return chosen[0] if chosen else Scope("everything")


@dataclass(frozen=True)
class Recipient:
    """One person who receives a report, in their language, about their scope."""

    address: str
    name: str
    language: Language
    scope: Scope


@dataclass(frozen=True)
class ScopedCustomers:
    """What now lies in `scoped_customers`: the scope's own name (None: everything) and the customers."""

    name: str | None
    customers: int


_NAMES = {
    "everything": "select null as name",
    "region": "select name from marts.dim_region where region_key = %(key)s",
    "business_line": "select %(key)s where exists"
    " (select from marts.dim_customer where business_line = %(key)s)",
    "account_manager": "select name from marts.dim_account_manager where account_manager_key = %(key)s",
    "team": "select name from marts.dim_account_manager where account_manager_key = %(key)s",
}

# The unknown member stands for walk-in sales: it is nobody's customer.
_FILL = """
insert into scoped_customers (customer_key)
select dim_customer.customer_key
from marts.dim_customer
left join marts.dim_region on dim_customer.region_key = dim_region.region_key
where dim_customer.customer_key <> '-1'
    and case %(kind)s
        when 'everything' then true
        when 'region' then %(key)s = any(dim_region.region_path)
        when 'business_line' then dim_customer.business_line = %(key)s
        when 'account_manager' then dim_customer.account_manager_key = %(key)s
        when 'team' then dim_customer.account_manager_key in (
            with recursive team (account_manager_key) as (
                select %(key)s::text
                union  -- each once, so that a circle of superiors ends
                select below.account_manager_key
                from team
                inner join marts.dim_account_manager as below
                    on team.account_manager_key = below.reports_to_key
            )
            select account_manager_key from team
        )
        else false
    end
"""

_HAS_LEFT = """
select coalesce(bool_and(coalesce(left_on <= %(as_of_date)s, false)), false)
from marts.dim_account_manager
where lower(email) = lower(%(address)s)
    or (%(kind)s in ('account_manager', 'team') and account_manager_key = %(key)s)
"""

# Those who have customers, and their superiors; in place of one who has left, the next one up.
_CONCERNED = """
with recursive owners as (
    select distinct account_manager_key from marts.dim_customer
),

superiors (account_manager_key) as (
    select reports_to_key from marts.dim_account_manager
    where account_manager_key in (select account_manager_key from owners)
    union  -- each once, so that a circle of superiors ends
    select above.reports_to_key
    from superiors
    inner join marts.dim_account_manager as above using (account_manager_key)
    where above.left_on <= %(as_of_date)s
),

final as (
    select
        email,
        name,
        account_manager_key,
        %(with_superiors)s
        and account_manager_key in (select account_manager_key from superiors) as is_superior
    from marts.dim_account_manager
    where (left_on is null or left_on > %(as_of_date)s) and email is not null
)

select email, name, account_manager_key, case when is_superior then 'team' else 'account_manager' end
from final
where is_superior or account_manager_key in (select account_manager_key from owners)
"""

# Whoever has a task, or somebody below who owes feedback, though perhaps no customers.
_HAS_TASKS = """
select email, name, account_manager_key, 'account_manager'
from marts.dim_account_manager
where (left_on is null or left_on > %(as_of_date)s) and email is not null and account_manager_key in (
    select owners.account_manager_key
    from ops.winback_task_present_owners as owners
    left join marts.winback_tasks as told on owners.task_id = told.task_id
    where told.status is null or told.status in ('open', 'overdue')
    union
    select dim_account_manager.reports_to_key
    from marts.winback_tasks
    inner join marts.dim_account_manager
        on winback_tasks.account_manager_key = dim_account_manager.account_manager_key
    where winback_tasks.status = 'overdue'
)
"""


def create_scope_table(connection: psycopg.Connection[Any]) -> None:
    """Create the session's temp table `scoped_customers`; every transaction finds it empty."""
    connection.execute(
        "create temp table if not exists scoped_customers (customer_key text primary key)"
        " on commit delete rows"
    )


def fill_scoped_customers(
    connection: psycopg.Connection[Any], recipient: Recipient, as_of_date: date
) -> ScopedCustomers | None:
    """Fill `scoped_customers` for the rest of this transaction; return None for managers who left.

    Raises:
        WinbackError: the scope names a region, business line or account manager that does not exist.
    """
    scope = recipient.scope
    values = {"kind": scope.kind, "key": scope.key, "address": recipient.address, "as_of_date": as_of_date}
    (has_left,) = connection.execute(_HAS_LEFT, values).fetchone() or (False,)
    if has_left:
        return None
    found = connection.execute(_NAMES[scope.kind], values).fetchone()
    if found is None:
        raise WinbackError(
            f"A recipient's scope is {scope.kind} {scope.key!r}, and the warehouse has none of that key.",
            "correct the scope in winback.yml (region and account manager keys read source:id), "
            "or load the feed that names it",
        )
    inserted = connection.execute(_FILL, values).rowcount
    connection.execute("analyze scoped_customers")
    return ScopedCustomers(found[0], inserted)


def with_account_managers(
    connection: psycopg.Connection[Any],
    recipients: Iterable[Recipient],
    language: Language | None,
    as_of_date: date,
    *,
    has_tasks: bool = False,
    with_superiors: bool = False,
) -> list[Recipient]:
    """Return the recipients and, given a language, each present account manager who has customers.

    Managers see their own customers, superiors those of all who report to them too, unless a recipient of
    the same address is given already. For a report that carries tasks also whoever has one, or leads somebody
    who owes feedback. Who has no working address receives nothing, as the suite of account managers warns.

    Raises:
        WinbackError: an address occurs twice; one person gets one mail about one scope.
    """
    everyone = list(recipients)
    if language is not None:
        values = {"as_of_date": as_of_date, "with_superiors": with_superiors}
        rows = connection.execute(_CONCERNED, values).fetchall()
        if has_tasks:
            concerned = {key for _, _, key, _ in rows}
            rows += [row for row in connection.execute(_HAS_TASKS, values) if row[2] not in concerned]
        given = {recipient.address.lower() for recipient in everyone}
        everyone += [
            Recipient(email, name or "", language, Scope(kind, key))
            for email, name, key, kind in sorted(rows, key=lambda row: row[2])
            if email.lower() not in given and is_address(email)
        ]
    addresses = [recipient.address.lower() for recipient in everyone]
    if repeated := len(addresses) - len(set(addresses)):
        raise WinbackError(
            f"{repeated} of {len(addresses)} recipients repeat an address that another one has.",
            "give each address once; a wider scope (a region above both) takes the place of two",
        )
    return everyone


def is_address(text: str) -> bool:
    """Tell whether mail can be addressed so; the errors of what reads it may quote it, and end here."""
    try:
        Address(addr_spec=text)
    except (ValueError, IndexError, HeaderParseError):
        return False
    return True
