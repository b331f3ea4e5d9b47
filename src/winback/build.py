"""Build the warehouse for one business day: dbt turns raw rows into marts."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import psycopg

from winback import paths, warehouse
from winback.changes import Start, find_start, fingerprint_of
from winback.config import Settings
from winback.errors import WinbackError
from winback.incidents import described, incident_on_failure
from winback.project import deployment_vars, mart_names, run_dbt
from winback.publish import STANDBY, drop_all_but, only_builder, prepare_standby, publish
from winback.rules.load import load_rules
from winback.score import score_all
from winback.warehouse.schema import ensure_schema

_TESTED = ("build", "--exclude-resource-type", "unit_test")
# A test of two models runs with the later one.
_BEFORE_SCORES = (*_TESTED, "--exclude", "marts", "--indirect-selection", "buildable")
_MARTS = (*_TESTED, "--select", "marts")


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
            earlier = _earlier(build_id, start)
            run_dbt(settings, as_of_date, *_BEFORE_SCORES, marts=STANDBY, earlier=earlier)
            score_all(connection, settings, as_of_date)
            run_dbt(settings, as_of_date, *_MARTS, marts=STANDBY, earlier=earlier)
            drop_all_but(connection, mart_names())
            publish(connection, build_id, as_of_date, settings.bi.contact_readers)
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


def _fingerprint(settings: Settings) -> str:
    rules = load_rules(settings.business.lines)
    return fingerprint_of(paths.DBT_PROJECT, rules.as_texts(), deployment_vars(settings, rules))


def _earlier(build_id: int, start: Start) -> dict[str, Any]:
    return {
        "build_id": build_id,
        "base": start.base and start.base.as_var(),
        "standby": start.standby and start.standby.as_var(),
        "kept_from": start.kept_from,
    }


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
