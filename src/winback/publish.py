"""Publish marts: a build works on the standby copy, and one short transaction exchanges it with the live one.

Both copies last: schema `marts` is live, `marts_standby` is what the next build works on. Each holds a table
`published_version` that says which build made it and travels with it. Whoever has read one live mart reads
the same version until their transaction ends: the exchange takes a lock on every live mart, and waits for
long readers instead of cutting them off.
"""

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from winback import bi_reader
from winback.errors import WinbackError
from winback.incidents import described
from winback.warehouse.schema import ensure_schema

LIVE, STANDBY, _LEAVING = "marts", "marts_standby", "marts_leaving"
_BUILD_LOCK = 7_246_002  # builds and rollbacks take turns: two at once would replace each other's tables
_MARTS_LOCK = 7_246_003  # shared by reports that read several marts, held alone during an exchange
_QUIET_WAIT = "30s"  # how long to wait for reports, and for autovacuum; other readers go on meanwhile
# How long to wait for other readers, behind whom new ones queue up: for one lock, and for all of them. It is
# less than PostgreSQL's deadlock_timeout (1 s), so that the exchange steps back and never a reader.
_LOCK_WAIT, _ALL_LOCKS_WAIT = "400ms", "800ms"
_FIRST_PAUSE, _LONGEST_PAUSE, _PATIENCE = 0.25, 10.0, 300.0  # seconds between tries, and for all of them
_HELD_UP = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
    psycopg.errors.DeadlockDetected,
)
_SHOWN_FAILURES = 3
_VERSION_COMMENTS = f"""
comment on table {STANDBY}.published_version is 'Which build made these marts; one row.';
comment on column {STANDBY}.published_version.build_id is 'Number of the build, as in ops.builds.';
comment on column {STANDBY}.published_version.as_of_date is 'Last complete business day in these marts.';
comment on column {STANDBY}.published_version.built_at is 'When the build had passed its tests.';
"""


@dataclass(frozen=True)
class Version:
    """What a copy of the marts holds; `published_at` is when it last went live, if ever."""

    build_id: int
    as_of_date: date
    published_at: datetime | None

    def __str__(self) -> str:
        return f"build {self.build_id}, as of {self.as_of_date}"


@dataclass(frozen=True)
class Failure:
    """A build that failed, and the first line of why."""

    build_id: int
    as_of_date: date
    reason: str


@dataclass(frozen=True)
class Standing:
    """Where publishing stands; `obstacle` is why there is no rolling back, None if there is a way back."""

    live: Version | None
    standby: Version | None
    obstacle: str | None
    failures: tuple[Failure, ...]

    def as_lines(self, zone: tzinfo) -> list[str]:
        """Return what a person wants to know, moments in a time zone."""
        since = self.live.published_at.astimezone(zone) if self.live and self.live.published_at else None
        lines = [
            f"live      {f'{self.live}, since {since:%Y-%m-%d %H:%M}' if since else 'no version is noted'}",
            f"standby   {self.standby or 'no whole version'}",
            f"rollback  {self.obstacle or 'possible: winback publish rollback'}",
        ]
        return lines + [
            f"failed    build {failure.build_id}, as of {failure.as_of_date}: {failure.reason}"
            for failure in self.failures
        ]


@contextmanager
def only_builder(connection: psycopg.Connection[Any], *, waits: bool = True) -> Iterator[None]:
    """Be the only one who builds or rolls back; builds that were killed are noted as failed.

    Raises:
        WinbackError: somebody else builds, and this one does not wait.
    """
    ensure_schema(connection)
    if waits:
        connection.execute("select pg_advisory_lock(%s)", [_BUILD_LOCK])
    elif not _first(connection, "select pg_try_advisory_lock(%s)", [_BUILD_LOCK]):
        raise WinbackError("A build is running, and works on the standby copy.", "wait until it has ended")
    try:
        connection.execute(
            "update ops.builds set status = 'failed', problem = %s, finished_at = clock_timestamp()"
            " where status = 'running'",
            [described(None, "The build")[0]],
        )
        yield
    finally:
        connection.execute("select pg_advisory_unlock(%s)", [_BUILD_LOCK])


def prepare_standby(connection: psycopg.Connection[Any]) -> None:
    """Make the standby ready to be built upon; until `publish` it is no version any more.

    It keeps the tables it has, unless an earlier release made them.
    """
    with connection.transaction():
        if _first(connection, f"select to_regclass('{STANDBY}.published_version') is null"):
            connection.execute(f"drop schema if exists {STANDBY} cascade")
            connection.execute(f"create schema {STANDBY}")
            connection.execute(
                f"create table {STANDBY}.published_version (build_id bigint primary key,"
                " as_of_date date not null, built_at timestamptz not null default clock_timestamp())"
            )
            connection.execute(_VERSION_COMMENTS)
        connection.execute(f"delete from {STANDBY}.published_version")


def drop_all_but(connection: psycopg.Connection[Any], marts: Collection[str]) -> None:
    """Drop from the standby what is no mart any more: a table that no build renews would mix versions."""
    for table, kind in _relations(connection, STANDBY):
        if table not in (*marts, "published_version"):
            drop = sql.SQL(f"drop {kind} if exists {{}} cascade").format(sql.Identifier(STANDBY, table))
            connection.execute(drop)


def publish(
    connection: psycopg.Connection[Any],
    build_id: int,
    as_of_date: date,
    contact_readers: Collection[str] = (),
) -> None:
    """Take the standby, built and tested, live as one build's version.

    The roles of `contact_readers` may read contact details in it, besides what everybody may who reads marts.

    Raises:
        WinbackError: readers held the live marts for minutes on end; the live copy is as it was.
    """
    connection.execute(
        f"insert into {STANDBY}.published_version (build_id, as_of_date) values (%s, %s)",
        [build_id, as_of_date],
    )
    _exchange(connection, {build_id: "published"}, f"winback build --day {as_of_date}", contact_readers)


def roll_back(connection: psycopg.Connection[Any], contact_readers: Collection[str] = ()) -> Version:
    """Take the standby live again and return its version; done twice, all is as before.

    Raises:
        WinbackError: the standby is no whole version that was live before, or a build is running.
    """
    with only_builder(connection, waits=False):
        standing = _standing(connection)
        if standing.obstacle or not (standing.live and standing.standby):
            raise WinbackError(
                f"Nothing was rolled back: {standing.obstacle}.",
                "mend what is wrong with the live marts, then: winback build --day YYYY-MM-DD",
            )
        statuses = {standing.live.build_id: "rolled_back", standing.standby.build_id: "published"}
        _exchange(connection, statuses, "winback publish rollback", contact_readers)
        return standing.standby


def read_standing(connection: psycopg.Connection[Any]) -> Standing:
    """Return where publishing stands."""
    with suppress(WinbackError), only_builder(connection, waits=False):
        pass  # builds that were killed are noted, unless one is running
    return _standing(connection)


@contextmanager
def reading_marts(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Hold off the publishing of new marts meanwhile.

    Enter it before a transaction with a snapshot of its own begins: to an older snapshot, tables that were
    published after it look empty.
    """
    connection.execute("select pg_advisory_lock_shared(%s)", [_MARTS_LOCK])
    try:
        yield
    finally:
        connection.execute("select pg_advisory_unlock_shared(%s)", [_MARTS_LOCK])


def _exchange(
    connection: psycopg.Connection[Any],
    statuses: Mapping[int, str],
    again: str,
    contact_readers: Collection[str],
) -> None:
    """Exchange the two copies and set the statuses of builds, trying again while readers are in the way."""
    bi_reader.ensure_role(connection)
    bi_reader.grant_tables(connection, STANDBY)
    bi_reader.grant_contacts(connection, STANDBY, contact_readers)
    pause, deadline = _FIRST_PAUSE, time.monotonic() + _PATIENCE
    while True:
        try:
            return _try_exchange(connection, statuses, contact_readers)
        except _HELD_UP:
            if time.monotonic() + pause > deadline:
                raise _in_the_way(connection, again) from None
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _try_exchange(
    connection: psycopg.Connection[Any], statuses: Mapping[int, str], contact_readers: Collection[str]
) -> None:
    with connection.transaction():
        connection.execute(f"set local lock_timeout = '{_QUIET_WAIT}'")
        connection.execute("select pg_advisory_xact_lock(%s)", [_MARTS_LOCK])
        connection.execute(f"create schema if not exists {LIVE}")
        live = [sql.Identifier(LIVE, name) for name, _ in _relations(connection, LIVE)]
        # PostgreSQL ends an autovacuum for whoever has waited for it for its deadlock_timeout. This lock is
        # in no reader's way, so it may wait that long; the next one may not.
        _lock(connection, live, "share update exclusive")
        connection.execute(f"set local lock_timeout = '{_LOCK_WAIT}'")
        connection.execute(f"set local statement_timeout = '{_ALL_LOCKS_WAIT}'")
        _lock(connection, live, "access exclusive")
        for name, becomes in ((LIVE, _LEAVING), (STANDBY, LIVE), (_LEAVING, STANDBY)):
            connection.execute(f"alter schema {name} rename to {becomes}")
        bi_reader.let_in(connection, LIVE, STANDBY, contact_readers)
        for build_id, status in statuses.items():
            connection.execute(
                "update ops.builds set status = %(status)s,"
                " finished_at = coalesce(finished_at, clock_timestamp()), published_at ="
                " case when %(status)s = 'published' then clock_timestamp() else published_at end"
                " where build_id = %(build_id)s",
                {"status": status, "build_id": build_id},
            )


def _lock(
    connection: psycopg.Connection[Any], tables: Collection[sql.Identifier], mode: LiteralString
) -> None:
    if tables:
        connection.execute(sql.SQL(f"lock table {{}} in {mode} mode").format(sql.SQL(", ").join(tables)))


def _in_the_way(connection: psycopg.Connection[Any], again: str) -> WinbackError:
    readers = connection.execute(
        """
        select distinct pg_locks.pid, coalesce(pg_stat_activity.usename, '?') as user_name
        from pg_locks
        left join pg_stat_activity on pg_stat_activity.pid = pg_locks.pid
        left join pg_class on pg_class.oid = pg_locks.relation
        where
            pg_locks.granted
            and pg_locks.pid <> pg_backend_pid()
            and pg_locks.database = (select oid from pg_database where datname = current_database())
            and (
                pg_class.relnamespace = to_regnamespace(%s)
                or (pg_locks.locktype = 'advisory' and pg_locks.objid::bigint = %s)
            )
        order by pg_locks.pid
        """,
        [LIVE, _MARTS_LOCK],
    ).fetchall()
    named = ", ".join(f"process {pid} of user {user}" for pid, user in readers) or "they have just ended"
    return WinbackError(
        f"The standby marts are whole, but could not go live: for {_PATIENCE / 60:g} minutes others were"
        f" reading the live ones. {len(readers)} in the way now: {named}.",
        f"end their transactions (select pg_terminate_backend(process)), then: {again}",
    )


def _standing(connection: psycopg.Connection[Any]) -> Standing:
    live, standby = read_version(connection, LIVE), read_version(connection, STANDBY)
    failures = connection.execute(
        "select build_id, as_of_date, split_part(coalesce(problem, 'not noted'), chr(10), 1) from ops.builds"
        " where status = 'failed' order by build_id desc limit %s",
        [_SHOWN_FAILURES],
    )
    obstacle = _obstacle(connection, live, standby)
    return Standing(live, standby, obstacle, tuple(Failure(*row) for row in failures))


def _obstacle(
    connection: psycopg.Connection[Any], live: Version | None, standby: Version | None
) -> str | None:
    if live is None:
        return "no version that could be taken back is live"
    if standby is None:
        was_emptied = _first(connection, f"select to_regclass('{STANDBY}.published_version') is not null")
        return (
            "a build that did not reach its end has begun to replace the version before"
            if was_emptied
            else "the live version is the first, or the one before is an earlier release's"
        )
    if standby.published_at is None:
        return f"build {standby.build_id} in the standby copy was never live"
    return None


def read_version(connection: psycopg.Connection[Any], schema: str) -> Version | None:
    """Return what a copy of the marts holds, if it is a whole version."""
    if _first(connection, f"select to_regclass('{schema}.published_version') is null"):
        return None
    row = connection.execute(
        f"select build_id, version.as_of_date, builds.published_at from {schema}.published_version as version"
        " left join ops.builds using (build_id)"
    ).fetchone()
    return Version(*row) if row else None


def _relations(connection: psycopg.Connection[Any], schema: str) -> list[tuple[str, str]]:
    """Return the tables and views of a schema with their kind, in the order in which they are locked."""
    return connection.execute(
        "select relname, case relkind when 'v' then 'view' else 'table' end from pg_class"
        " where relnamespace = to_regnamespace(%s) and relkind in ('r', 'p', 'v') order by relname",
        [schema],
    ).fetchall()


def _first(connection: psycopg.Connection[Any], query: str, parameters: list[Any] | None = None) -> Any:
    row = connection.execute(query, parameters).fetchone()
    return row[0] if row else None
