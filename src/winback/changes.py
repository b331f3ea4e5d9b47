"""What a build goes on from: the last one, if it ended well by the same rules, and what was written since."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg

from winback.publish import LIVE, STANDBY, read_version


@dataclass(frozen=True)
class Earlier:
    """A build to go on from: its day, and the moment until which it had read raw."""

    build_id: int
    as_of_date: date
    read_until: datetime

    def as_var(self) -> dict[str, Any]:
        """Return what the models are told."""
        return {
            "build_id": self.build_id,
            "as_of_date": self.as_of_date.isoformat(),
            "read_until": self.read_until.isoformat(),
        }


@dataclass(frozen=True)
class Start:
    """Where a build starts: `base` made the intermediate tables, `standby` the marts that it replaces.

    Without a base everything is made anew; without a standby all marts are. What builds after `kept_from`
    found changed is kept, as the older copy of the marts lacks it.
    """

    read_until: datetime
    fingerprint: str
    base: Earlier | None = None
    standby: Earlier | None = None
    kept_from: int | None = None


def find_start(
    connection: psycopg.Connection[Any], as_of_date: date, fingerprint: str, *, full_refresh: bool
) -> Start:
    """Return where a build as of a day starts.

    A build that is running is taken to be the caller's. Whatever did not end well is made anew: its tables
    may be of two builds. So is everything when models, rules or configuration are others than before, when
    the day is an earlier one, or when the intermediate tables are not those of the last build.
    """
    anew = Start(_read_until(connection), fingerprint)
    last = connection.execute(
        "select build_id, as_of_date, read_until from ops.builds"
        " where build_id = (select max(build_id) from ops.builds where status <> 'running')"
        " and status in ('published', 'rolled_back') and fingerprint = %s and read_until is not null",
        [fingerprint],
    ).fetchone()
    if full_refresh or last is None:
        return anew
    base = Earlier(*last)
    if as_of_date < base.as_of_date or _intermediate_build(connection) != base.build_id:
        return anew
    copies = [version.build_id for name in (LIVE, STANDBY) if (version := read_version(connection, name))]
    return replace(
        anew, base=base, standby=_standby(connection), kept_from=min(copies, default=base.build_id)
    )


def fingerprint_of(dbt_project: Path, rules: Mapping[str, str], variables: Mapping[str, Any]) -> str:
    """Return a digest of all that decides on what models make, but raw rows and the day."""
    files = [dbt_project / "dbt_project.yml"]
    for folder in ("macros", "models"):
        files += sorted(file for file in (dbt_project / folder).rglob("*") if file.suffix in (".sql", ".yml"))
    models = {str(file.relative_to(dbt_project)): file.read_text("utf-8") for file in files}
    return hashlib.sha256(json.dumps([models, rules, variables], sort_keys=True).encode()).hexdigest()


def _intermediate_build(connection: psycopg.Connection[Any]) -> int | None:
    """Return the build that made the intermediate tables; dbt run by hand has none, and they may be gone."""
    found = connection.execute("select to_regclass('intermediate.int_data_begins') is not null").fetchone()
    if found != (True,):
        return None
    row = connection.execute("select max(build_id) from intermediate.int_data_begins").fetchone()
    return row[0] if row else None


def _standby(connection: psycopg.Connection[Any]) -> Earlier | None:
    """Return the build whose marts the standby holds, unless everything has been made anew since."""
    version = read_version(connection, STANDBY)
    if version is None:
        return None
    row = connection.execute(
        "select build_id, as_of_date, read_until from ops.builds where build_id = %s"
        " and read_until is not null and build_id >="
        " (select max(build_id) from ops.builds where is_full and status <> 'running')",
        [version.build_id],
    ).fetchone()
    return Earlier(*row) if row else None


def _read_until(connection: psycopg.Connection[Any]) -> datetime:
    """Return a moment such that every row of raw that was written before it is committed.

    Loads lock their watermark until they commit, so holding off the table's writers waits for those that run.
    """
    with connection.transaction():
        connection.execute("lock table ops.watermarks in share mode")
        row = connection.execute("select clock_timestamp()").fetchone()
        assert row is not None
        moment: datetime = row[0]
    # These indexes know of new pages once somebody has looked at them.
    for index in ("orders_written", "order_lines_written"):
        connection.execute(f"select brin_summarize_new_values('raw.{index}')")
    return moment
