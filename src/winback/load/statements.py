"""The SQL that routes a landed batch: bad rows to quarantine, the newest good version of each key into raw.

Which of two deliveries of a row is newer is told by its version column where both have one and differ, else
by where they were delivered: business day, batch, place in the batch.
"""

from collections.abc import Iterable
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from winback.check.rules import RowRule, Severity
from winback.extract import IS_DELETED
from winback.feeds import REFERENCE_SOURCES, Feed
from winback.warehouse.schema import VERSIONED_FEEDS


class Statements:
    """The statements of this module, filled in for one batch."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        feed: Feed,
        rules: tuple[RowRule, ...],
        *,
        view: str,
        present: str,
        parameters: dict[str, Any],
    ) -> None:
        """Fill in names. `present` is the table in `landing` that holds every key that the source has.

        `parameters` are source_id, batch_id, day, and `delivery`, which names what the rows came in.
        """
        self._connection = connection
        self._parts = _parts(feed, rules, view, present)
        self._parameters = parameters
        self._is_versioned = feed.name in VERSIONED_FEEDS

    def run(self, statement: LiteralString) -> psycopg.Cursor[Any]:
        """Execute a statement."""
        return self._connection.execute(sql.SQL(statement).format(**self._parts), self._parameters)

    def row(self, statement: LiteralString) -> tuple[Any, ...]:
        """Return the one row of a query."""
        row = self.run(statement).fetchone()
        assert row is not None
        return tuple(row)

    def one(self, statement: LiteralString) -> Any:
        """Return the one value of a query."""
        return self.row(statement)[0]

    def choose(self, relation: LiteralString) -> None:
        """Say which rows, one per key, the statements about landed rows speak of."""
        self._parts["landed"] = sql.SQL(relation).format(**self._parts)

    def write(self) -> tuple[int, int, int, int]:
        """Write the chosen rows into raw; return how many keys came, are new, changed, and older."""
        keys, new, changed, older = self.row(_FATES)
        if self._is_versioned and new + changed:
            self.run(_KEEP_VERSIONS)
        if changed:
            assert self.run(_UPDATE).rowcount == changed
        if new:
            assert self.run(_INSERT).rowcount == new
        return keys, new, changed, older


# A row that its source sends again and again waits once: it is known by its text, by what it was delivered in
# (a table, a file's name), and by how many times the batch holds it. It waits on, unless a person has settled
# it; one that a newer good row of its key had resolved waits again if it is newer than that.
QUARANTINE: LiteralString = """
insert into {quarantine} as kept (
    source_id, load_batch_id, last_batch_id, row_number, business_day, key, fingerprint, reasons,
    typed_values, source_text, is_deleted, quarantined_at, state, settled_at, settled_by
)
select
    %(source_id)s,
    landed.origin_batch_id,
    %(batch_id)s,
    landed.row_number,
    %(day)s,
    case when {key_is_filled} and {is_dated} then {key_of_landed} end,
    landed.digest || ':' || row_number() over (partition by landed.digest order by landed.row_number),
    landed.reasons,
    landed.typed_values,
    landed.source_text::jsonb,
    landed.{is_deleted},
    clock_timestamp(),
    case when {is_older} then 'resolved' else 'open' end,
    case when {is_older} then clock_timestamp() end,
    case when {is_older} then stored.load_batch_id end
from (
    select
        *,
        array_remove(array[{reasons}], null) as reasons,
        {typed_values} as typed_values,
        md5(%(delivery)s || coalesce(source_text, ({typed_values})::text)) as digest
    from {view}
    where {is_rejected}
) as landed
left join {raw} as stored on stored.source_id = %(source_id)s and {same_key}
order by landed.row_number
on conflict (source_id, fingerprint) do update
set
    load_batch_id = excluded.load_batch_id,
    last_batch_id = excluded.last_batch_id,
    row_number = excluded.row_number,
    business_day = excluded.business_day,
    reasons = excluded.reasons,
    typed_values = excluded.typed_values,
    state = excluded.state,
    settled_at = excluded.settled_at,
    settled_by = excluded.settled_by
where
    kept.state in ('open', 'resolved')
    and (kept.business_day, kept.load_batch_id) <= (excluded.business_day, excluded.load_batch_id)
"""

# Of rows out of quarantine: which are still bad, and why; what is noted of them; and that the others are
# settled.
STILL_BAD: LiteralString = """
select quarantine_id, array_remove(array[{reasons}], null) from {view} where {is_rejected}
"""

WAIT_ON: LiteralString = """
update {quarantine} as waiting
set reasons = landed.reasons, typed_values = landed.typed_values, last_batch_id = %(batch_id)s
from (
    select
        quarantine_id,
        array_remove(array[{reasons}], null) as reasons,
        {typed_values} as typed_values
    from {view}
    where {is_rejected}
) as landed
where waiting.quarantine_id = landed.quarantine_id and waiting.state = 'open'
"""

SETTLE: LiteralString = """
update {quarantine} as waiting
set state = 'replayed', settled_at = clock_timestamp(), settled_by = %(batch_id)s
from {view} as landed
where waiting.quarantine_id = landed.quarantine_id and waiting.state = 'open' and not {is_rejected}
"""

HAS_REPEATED_KEYS: LiteralString = """
select count(*) > count(distinct ({key})) from {view} where not {is_rejected}
"""

# The good rows of a batch in which no key is repeated.
LANDED: LiteralString = "(select {values}, {is_deleted}, {origin} from {view} where not {is_rejected})"

# Of several versions of one row in a batch the newest stays.
NEWEST: LiteralString = """
create temp table newest on commit drop as
select distinct on ({key}) {values}, {is_deleted}, {origin}
from {view}
where not {is_rejected}
order by {key}, {version_order} origin_day desc, origin_batch_id desc, origin_row desc
"""

COUNT_MISSING: LiteralString = """
select
    count(*),
    count(*) filter (where not exists (select from {present} as present where {is_present}))
from {raw} as kept
where source_id = %(source_id)s and deleted_on is null and {is_not_later}
"""

# The live rows that the source no longer has, as if it had sent them with a mark.
MISSING: LiteralString = """(
    select
        {columns},
        true as {is_deleted},
        %(day)s::date as origin_day,
        %(batch_id)s::bigint as origin_batch_id,
        row_number as origin_row
    from {raw} as kept
    where
        source_id = %(source_id)s and deleted_on is null and {is_not_later}
        and not exists (select from {present} as present where {is_present})
)"""

# A row that came again as it is was confirmed by that delivery. Only files and replays need it: a table or
# service shows the present, which is newer than whatever waits.
CONFIRM: LiteralString = """
update {raw} as stored
set business_day = landed.origin_day, load_batch_id = landed.origin_batch_id, row_number = landed.origin_row
from {landed} as landed
where stored.source_id = %(source_id)s and {same_key} and not {differs}
    and (stored.business_day, stored.load_batch_id, stored.row_number)
    < (landed.origin_day, landed.origin_batch_id, landed.origin_row)
"""

HAS_WAITING: LiteralString = """
select exists (select from {quarantine} where source_id = %(source_id)s and state = 'open')
"""

# A good row resolves the ones of its key that wait and are older.
RESOLVE: LiteralString = """
update {quarantine} as waiting
set state = 'resolved', settled_at = clock_timestamp(), settled_by = %(batch_id)s
from {landed} as landed
where
    waiting.source_id = %(source_id)s
    and waiting.state = 'open'
    and waiting.key = {key_of_landed}
    and {is_newer_than_waiting}
"""

_FATES: LiteralString = """
select
    count(*),
    count(*) filter (where stored.source_id is null),
    count(*) filter (where stored.source_id is not null and {differs} and {is_newer}),
    count(*) filter (where stored.source_id is not null and {differs} and not {is_newer})
from {landed} as landed
left join {raw} as stored on stored.source_id = %(source_id)s and {same_key}
"""

# What a change on the same business day replaces is that day's version, not a version of the past.
_KEEP_VERSIONS: LiteralString = """
insert into {versions} as kept
    (source_id, {columns}, valid_from, deleted_on, load_batch_id, loaded_at)
select
    %(source_id)s,
    {landed_columns},
    case
        when stored.source_id is null then '-infinity'
        when stored.business_day < landed.origin_day then landed.origin_day
        else (
            select max(earlier.valid_from)
            from {versions} as earlier
            where earlier.source_id = %(source_id)s and {same_key_of_earlier}
        )
    end,
    case when landed.{is_deleted} then landed.origin_day end,
    landed.origin_batch_id,
    clock_timestamp()
from {landed} as landed
left join {raw} as stored on stored.source_id = %(source_id)s and {same_key}
where stored.source_id is null or ({differs} and {is_newer})
on conflict (source_id, {key}, valid_from) do update
set
    {excluded_assignments},
    deleted_on = excluded.deleted_on,
    load_batch_id = excluded.load_batch_id,
    loaded_at = excluded.loaded_at
"""

_UPDATE: LiteralString = """
update {raw} as stored
set
    {assignments},
    business_day = landed.origin_day,
    deleted_on = case when landed.{is_deleted} then landed.origin_day end,
    load_batch_id = landed.origin_batch_id,
    row_number = landed.origin_row,
    loaded_at = clock_timestamp()
from {landed} as landed
where stored.source_id = %(source_id)s and {same_key} and {differs} and {is_newer}
"""

_INSERT: LiteralString = """
insert into {raw} (source_id, {columns}, business_day, deleted_on, load_batch_id, row_number, loaded_at)
select
    %(source_id)s,
    {landed_columns},
    landed.origin_day,
    case when landed.{is_deleted} then landed.origin_day end,
    landed.origin_batch_id,
    landed.origin_row,
    clock_timestamp()
from {landed} as landed
where not exists (
    select from {raw} as stored
    where stored.source_id = %(source_id)s and {same_key}
)
"""


def _parts(feed: Feed, rules: tuple[RowRule, ...], view: str, present: str) -> dict[str, sql.Composable]:
    """Return the feed's names and lists that the statements above are made of."""
    rejecting = [rule.name for rule in rules if rule.severity is Severity.REJECT]
    values = [name for name in feed.column_names if name not in feed.key]
    is_newer: sql.Composable = sql.SQL(
        "(stored.business_day, stored.load_batch_id, stored.row_number)"
        " <= (landed.origin_day, landed.origin_batch_id, landed.origin_row)"
    )
    is_newer_than_waiting: sql.Composable = sql.SQL(
        "(waiting.business_day, waiting.load_batch_id, waiting.row_number)"
        " < (landed.origin_day, landed.origin_batch_id, landed.origin_row)"
    )
    version_order: sql.Composable = sql.SQL("")
    is_dated: sql.Composable = sql.SQL("true")
    if feed.version_column:
        version = sql.Identifier(feed.version_column)
        # A version without a stamp is as new as its place: those before it are older, whatever their stamp
        # says.
        version_order = sql.SQL(
            "count(*) filter (where {0} is null) over ("
            "partition by {1} order by origin_day desc, origin_batch_id desc, origin_row desc"
            " rows between unbounded preceding and 1 preceding), {0} desc nulls last,"
        ).format(version, _list(feed.key))
        # A row whose stamp was rejected may be the newest: nothing resolves it.
        is_dated = sql.SQL("not (landed.reasons && {})").format(
            sql.Literal([rule.name for rule in rules if rule.name.startswith(f"{feed.version_column}_is_")])
        )
        # Where a stamp is missing, or the same, the delivery decides.
        by_version = sql.SQL("case when {0} <> {1} then {0} > {1} else {2} end")
        landed_version = sql.SQL("landed.{}").format(version)
        waiting_version = sql.SQL("(waiting.typed_values ->> {})::timestamptz").format(
            sql.Literal(feed.version_column)
        )
        is_newer = by_version.format(landed_version, sql.SQL("stored.{}").format(version), is_newer)
        is_newer_than_waiting = by_version.format(landed_version, waiting_version, is_newer_than_waiting)
    return {
        "quarantine": sql.Identifier("quarantine", feed.name),
        "raw": sql.Identifier("raw", feed.name),
        "versions": sql.Identifier("raw", f"{feed.name}_versions"),
        "view": sql.Identifier("landing", view),
        "present": sql.Identifier("landing", present),
        "key": _list(feed.key),
        "key_is_filled": _pairs(feed.key, "landed.{0} is not null"),
        "key_of_landed": sql.SQL("array[{}]").format(_list(feed.key, "landed.{}::text")),
        "same_key": _pairs(feed.key, "stored.{0} = landed.{0}"),
        "is_present": _pairs(feed.key, "kept.{0} = present.{0}"),
        "same_key_of_earlier": _pairs(feed.key, "earlier.{0} = landed.{0}"),
        "columns": _list(feed.column_names),
        "landed_columns": _list(feed.column_names, "landed.{}"),
        "typed_values": sql.SQL("(select to_jsonb(typed) from (select {}) as typed)").format(
            _list(feed.column_names)
        ),
        "values": sql.SQL(", ").join(map(_value, feed.column_names)),
        "assignments": _list(values, "{0} = landed.{0}"),
        "excluded_assignments": _list(values, "{0} = excluded.{0}"),
        "is_deleted": sql.Identifier(IS_DELETED),
        "origin": sql.SQL("origin_day, origin_batch_id, origin_row"),
        "differs": sql.SQL(
            "(({}) is distinct from ({}) or (stored.deleted_on is not null) <> landed.{})"
        ).format(_list(values, "stored.{}"), _list(values, "landed.{}"), sql.Identifier(IS_DELETED)),
        "reasons": sql.SQL(", ").join(
            sql.SQL("case when {} = 1 then {} end").format(sql.Identifier(name), sql.Literal(name))
            for name in rejecting
        ),
        "is_rejected": sql.SQL("({})").format(
            sql.SQL(" or ").join(sql.SQL("{} = 1").format(sql.Identifier(name)) for name in rejecting)
        ),
        "version_order": version_order,
        "is_newer": is_newer,
        "is_older": sql.SQL("({} and stored.source_id is not null and not {})").format(is_dated, is_newer),
        "is_dated": is_dated,
        "is_newer_than_waiting": is_newer_than_waiting,
        "is_not_later": sql.SQL("(business_day, load_batch_id) <= (%(day)s, %(batch_id)s)"),
    }


def _list(names: Iterable[str], template: LiteralString = "{}") -> sql.Composable:
    return sql.SQL(", ").join(sql.SQL(template).format(sql.Identifier(name)) for name in names)


def _pairs(names: Iterable[str], template: LiteralString) -> sql.Composable:
    return sql.SQL(" and ").join(sql.SQL(template).format(sql.Identifier(name)) for name in names)


def _value(column: str) -> sql.Composable:
    """Return a column; a reference that names no system speaks of the row's own source."""
    if column in REFERENCE_SOURCES:
        return sql.SQL("coalesce({column}, %(source_id)s) as {column}").format(column=sql.Identifier(column))
    return sql.Identifier(column)
