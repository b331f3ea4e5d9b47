"""Who is on a list, and what of them leaves; the rules that hold for every list stand here.

On no list is who asked not to be contacted, by what raw knows now and under whatever number, who was
contacted as often lately as the policy allows, or whom the source has deleted. Which arms of a running trial
a list spares, `lists.yml` says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from winback.build import published_day
from winback.campaign.running import RUNNING_ARMS
from winback.config_exports import ExportConfig
from winback.errors import WinbackError
from winback.export.lists import ExportList, export_lists
from winback.publish import reading_marts
from winback.report.definition import load_report
from winback.report.query import FILL_IN_TRIAL, create_list_tables
from winback.report.scope import Recipient, create_scope_table, fill_scoped_customers, scope_of

_FILL_SPARED: LiteralString = f"""
insert into spared (customer_key)
with recursive running as ({RUNNING_ARMS}),

links as (
    select
        source_id || ':' || customer_id as customer_key,
        source_id || ':' || nullif(merged_into, '') as other_key
    from raw.customers
),

both_ways as (
    select customer_key, other_key from links where other_key is not null
    union all
    select other_key, customer_key from links where other_key is not null
),

meant as (
    select customer_key from marts.dim_customer where do_not_contact
    union all
    select source_id || ':' || customer_id from raw.customers where do_not_contact
    union all
    select customer_key from marts.winback_candidates where is_contact_capped
    union all
    select customer_key from running where arm = any(%(spared_arms)s)
),

-- whoever turns out to be one of them, is one of them
same_person (customer_key) as (
    select customer_key from meant
    union
    select both_ways.other_key
    from same_person
    inner join both_ways on same_person.customer_key = both_ways.customer_key
)

select customer_key from same_person
union
select source_id || ':' || customer_id from raw.customers where deleted_on is not null
union
select '-1'
"""

# A call list leaves out whoever is called by somebody anyway.
_FILL_TASKS = """
insert into own_tasks (customer_key)
select coalesce(told.customer_key, tasks.customer_key)
from ops.winback_tasks as tasks
left join marts.winback_tasks as told on tasks.task_id = told.task_id
where told.status is null or told.status in ('open', 'overdue')
"""

_PICK = """
select dim_customer.customer_key, {columns}
from ({query}) as listed
inner join scoped_customers on listed.customer_key = scoped_customers.customer_key
inner join marts.dim_customer on listed.customer_key = dim_customer.customer_key
left join marts.dim_customer_contact on listed.customer_key = dim_customer_contact.customer_key
left join marts.dim_region
    on dim_customer.region_key = dim_region.region_key and dim_region.region_key <> '-1'
left join marts.dim_account_manager
    on dim_customer.account_manager_key = dim_account_manager.account_manager_key
where not exists (select from spared where spared.customer_key = listed.customer_key)
order by listed.place, listed.customer_key
"""


@dataclass(frozen=True)
class ListedRow:
    """What leaves of a customer, by what the target calls it; the key stays here unless it is granted."""

    customer_key: str
    values: Mapping[str, Any]


def read_list(
    connection: psycopg.Connection[Any], name: str, export: ExportConfig, as_of_date: date
) -> tuple[ListedRow, ...] | None:
    """Return an export's rows as its target gets them, all from one moment; None if the marts are later.

    The connection must not be inside a transaction.

    Raises:
        WinbackError: the marts do not show that day yet.
    """
    listed = export_lists()[export.list]
    with connection.transaction():  # a temp table cannot be made, but can be filled, in a read-only one
        create_scope_table(connection)
        create_list_tables(connection)
        connection.execute("create temp table if not exists spared (customer_key text) on commit delete rows")
    parameters = _parameters(listed, name, export, as_of_date)
    everybody = Recipient("", "", export.language, scope_of(export.scope))
    with reading_marts(connection), connection.transaction():
        connection.execute("set transaction isolation level repeatable read read only")
        published = published_day(connection)
        if published is None or published < as_of_date:
            raise WinbackError(
                f"{export.list}: the marts show {published or 'no day'}, not yet {as_of_date}; nothing left.",
                f"build that day first: winback build --day {as_of_date}",
            )
        if published > as_of_date:
            return None
        if fill_scoped_customers(connection, everybody, as_of_date) is None:
            return ()
        for fill in (FILL_IN_TRIAL, _FILL_TASKS, _FILL_SPARED):
            connection.execute(fill, parameters)
        return _pick(connection, listed, export, parameters)


def _parameters(listed: ExportList, name: str, export: ExportConfig, as_of_date: date) -> dict[str, Any]:
    """Return what a query may use: what the weekly report's may, but for limits that are a mail's."""
    return {
        **load_report("weekly_retention").file.parameters,
        **listed.parameters,
        "rows_attached": None,
        "as_of_date": as_of_date,
        "ends_on": as_of_date,
        "export": name,
        "language": export.language,
        "spared_arms": list(listed.spared_arms),
    }


def _pick(
    connection: psycopg.Connection[Any],
    listed: ExportList,
    export: ExportConfig,
    parameters: Mapping[str, Any],
) -> tuple[ListedRow, ...]:
    columns = ", ".join(listed.expression(column) for column in export.columns)
    query = _PICK.format(columns=columns, query=listed.read_query())
    titles: Sequence[str] = tuple(export.columns.values())
    rows = connection.execute(sql.SQL(query), parameters).fetchall()
    return tuple(ListedRow(key, dict(zip(titles, values, strict=True))) for key, *values in rows)
