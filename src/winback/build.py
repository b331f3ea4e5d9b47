"""Build the warehouse for one business day: dbt turns raw rows into marts."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict

from winback import paths, warehouse
from winback.changes import Start, find_start, fingerprint_of
from winback.config import Settings
from winback.errors import WinbackError
from winback.incidents import described, incident_on_failure
from winback.publish import LIVE, STANDBY, drop_all_but, only_builder, prepare_standby, publish
from winback.rules.load import Rules, load_rules
from winback.warehouse.schema import ensure_schema

_SHOWN_FAILURES = 5


@dataclass(frozen=True)
class BuildResult:
    """What a build did: `kept` means that a newer day is published already and stays."""

    as_of_date: date
    outcome: Literal["published", "kept"]
    stale_feeds: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "as_of_date": self.as_of_date.isoformat(),
            "outcome": self.outcome,
            "stale_feeds": list(self.stale_feeds),
        }


def build_warehouse(settings: Settings, day: date, *, full_refresh: bool = False) -> BuildResult:
    """Build and test all marts as of a business day, or as of the last day that every awaited feed reached.

    What has not changed since the last build is left as it is, unless `full_refresh` asks for all of it anew.

    Raises:
        WinbackError: nothing is loaded yet, or a model or test failed.
    """
    with (
        warehouse.connect(autocommit=True) as connection,
        only_builder(connection),
        incident_on_failure(connection, "build", "warehouse", day),
    ):
        as_of_date = min(day, reached_day(connection, settings))
        stale = stale_feeds(connection, settings, as_of_date)
        published = published_day(connection)
        if published is not None and as_of_date < published:
            return BuildResult(published, "kept", stale)
        build_id = _begin(connection, as_of_date, stale)
        try:
            start = find_start(connection, as_of_date, _fingerprint(settings), full_refresh=full_refresh)
            _note_start(connection, build_id, start)
            prepare_standby(connection)
            run_dbt(
                *(settings, as_of_date, "build", "--exclude-resource-type", "unit_test"),
                marts=STANDBY,
                earlier=_earlier(build_id, start),
            )
            drop_all_but(connection, _marts())
            publish(connection, build_id, as_of_date)
        except BaseException as error:
            _fail(connection, build_id, error)
            raise
        return BuildResult(as_of_date, "published", stale)


def reached_day(connection: psycopg.Connection[Any], settings: Settings) -> date:
    """Return the earliest, over the awaited feeds' sources, of the last day whose load committed."""
    awaited = [
        (name, source.source)
        for name, feed in settings.feeds.items()
        if feed.wait or name == "orders"
        for source in feed.sources
    ]
    days: list[date] = []
    for feed, source_id in awaited:
        row = connection.execute(
            "select max(business_day) from ops.feed_days where feed = %s and source_id = %s",
            [feed, source_id],
        ).fetchone()
        if row is None or row[0] is None:
            raise WinbackError(
                f"{feed} from {source_id}: no business day is loaded yet, so there is nothing to build.",
                f"winback load {feed} --day YYYY-MM-DD",
            )
        days.append(row[0])
    return min(days)


def stale_feeds(connection: psycopg.Connection[Any], settings: Settings, day: date) -> tuple[str, ...]:
    """Return the configured feeds whose data for a day had not come when the load went ahead."""
    rows = connection.execute(
        "select distinct feed from ops.feed_days where business_day = %s and is_stale order by feed", [day]
    )
    return tuple(feed for (feed,) in rows if feed in settings.feeds)


def published_day(connection: psycopg.Connection[Any]) -> date | None:
    """Return the business day that the marts show, if any were published."""
    ensure_schema(connection)
    row = connection.execute(
        "select as_of_date from ops.builds where status = 'published' order by build_id desc limit 1"
    ).fetchone()
    return row[0] if row else None


def run_dbt(
    settings: Settings,
    as_of_date: date,
    *command: str,
    marts: str = "marts",
    earlier: dict[str, Any] | None = None,
) -> None:
    """Run a dbt command in this process, against the warehouse; `marts` is the schema that marts go into.

    `earlier` tells the models what to go on from; without it they make everything anew.

    Raises:
        WinbackError: some rules are refused, or dbt failed; the message names the rows, or models and tests.
    """
    state = paths.state_dir()
    rules = load_rules(settings.business.lines)
    rules.write(state / "seeds")
    os.environ.update(
        dbt_environment(warehouse.url())
        | {"WINBACK_MARTS_SCHEMA": marts, "WINBACK_SEEDS": str(state / "seeds")}
    )
    # Two seconds to import: only whoever builds pays for it.
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    outcome = dbtRunner().invoke(
        [
            "--quiet",
            "--no-use-colors",
            "--log-path", str(state / "logs"),
            "--log-level-file", "info",  # a tenth of a small build's time goes into its debug log
            *command,
            "--project-dir", str(paths.DBT_PROJECT),
            "--profiles-dir", str(paths.DBT_PROJECT),
            "--target-path", str(state / "dbt"),
            "--vars", json.dumps(dbt_vars(settings, rules, as_of_date) | (earlier or {})),
        ]
    )  # fmt: skip
    if not outcome.success:
        raise _failure(outcome, f"dbt {' '.join(command[:1])}", state)


def dbt_environment(url: str) -> dict[str, str]:
    """Return the environment variables that dbt's profile reads."""
    parts = conninfo_to_dict(url)
    return {
        "WINBACK_DBT_HOST": str(parts.get("host") or "localhost"),
        "WINBACK_DBT_PORT": str(parts.get("port") or 5432),
        "WINBACK_DBT_USER": str(parts.get("user") or ""),
        "WINBACK_DBT_PASSWORD": str(parts.get("password") or ""),
        "WINBACK_DBT_DBNAME": str(parts.get("dbname") or ""),
        "DO_NOT_TRACK": "1",
    }


def dbt_vars(settings: Settings, rules: Rules, as_of_date: date) -> dict[str, Any]:
    """Return what the models need to know of the deployment, its rules and the day."""
    return {"as_of_date": as_of_date.isoformat(), **_deployment(settings, rules)}


def _deployment(settings: Settings, rules: Rules) -> dict[str, Any]:
    business = settings.business
    return {
        "business_time_zone": business.time_zone,
        "currency": business.currency,
        "default_business_line": business.default_business_line,
        "business_lines": business.lines,
        "watched_signals": rules.watched_signals(business.lines),
        "attributes": list(business.attributes),
    }


def _fingerprint(settings: Settings) -> str:
    rules = load_rules(settings.business.lines)
    return fingerprint_of(paths.DBT_PROJECT, rules.as_texts(), _deployment(settings, rules))


def _earlier(build_id: int, start: Start) -> dict[str, Any]:
    return {
        "build_id": build_id,
        "base": start.base and start.base.as_var(),
        "standby": start.standby and start.standby.as_var(),
        "kept_from": start.kept_from,
    }


def _failure(outcome: Any, what: str, state: Any) -> WinbackError:
    failed = [
        f"{result.node.name}: {(result.message or result.status).strip().splitlines()[0]}"
        for result in getattr(outcome.result, "results", None) or []
        if result.status in ("error", "fail")
    ]
    shown = "\n  ".join(failed[:_SHOWN_FAILURES]) or str(outcome.exception or "dbt gave no reason")
    more = f"\n  and {len(failed) - _SHOWN_FAILURES} more" if len(failed) > _SHOWN_FAILURES else ""
    return WinbackError(
        f"{what} failed in {len(failed)} places; nothing was published.\n  {shown}{more}",
        f"see {state}/logs/dbt.log, mend the model, rule or data, and build again",
    )


def _begin(connection: psycopg.Connection[Any], as_of_date: date, stale: tuple[str, ...]) -> int:
    row = connection.execute(
        "insert into ops.builds (as_of_date, status, stale_feeds) values (%s, 'running', %s)"
        " returning build_id",
        [as_of_date, list(stale)],
    ).fetchone()
    assert row is not None
    return int(row[0])


def _note_start(connection: psycopg.Connection[Any], build_id: int, start: Start) -> None:
    connection.execute(
        "update ops.builds set read_until = %s, fingerprint = %s, is_full = %s where build_id = %s",
        [start.read_until, start.fingerprint, start.base is None, build_id],
    )


def _fail(connection: psycopg.Connection[Any], build_id: int, error: BaseException) -> None:
    """Note why a build failed; where not even that can be noted, the next build notes it as killed."""
    with suppress(psycopg.Error):
        connection.execute(
            "update ops.builds set status = 'failed', problem = %s, finished_at = clock_timestamp()"
            " where build_id = %s and status = 'running'",
            [described(error, "The build")[0], build_id],
        )


def _marts() -> frozenset[str]:
    """Return the names of the marts in the project, as dbt has just read it."""
    manifest = json.loads((paths.state_dir() / "dbt" / "manifest.json").read_text("utf-8"))
    return frozenset(
        node["alias"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] in (LIVE, STANDBY)
    )
