"""What a build goes on from: the last one, unless anything says that it cannot be gone on from."""

from datetime import date, timedelta
from threading import Thread
from typing import Any

import psycopg
import pytest

from winback.changes import Start, find_start
from winback.publish import LIVE, STANDBY, prepare_standby

DAY = date(2026, 3, 2)
WAITING = "select exists (select from pg_locks where not granted)"
PUBLISHED = "insert into {}.published_version (build_id, as_of_date) select %s, as_of_date from ops.builds"
INTERMEDIATE = """
create schema if not exists intermediate;
drop table if exists intermediate.int_data_begins;
create table intermediate.int_data_begins as select {} as build_id
"""


@pytest.fixture
def connection(warehouse: str) -> Any:
    with psycopg.connect(warehouse, autocommit=True) as opened:
        yield opened


def built(
    connection: psycopg.Connection[Any],
    day: date = DAY,
    *,
    status: str = "published",
    fingerprint: str = "same",
    is_full: bool = False,
) -> int:
    """Note a build that has made the intermediate tables."""
    row = connection.execute(
        "insert into ops.builds (as_of_date, status, stale_feeds, read_until, fingerprint, is_full)"
        " values (%s, %s, '{}', clock_timestamp(), %s, %s) returning build_id",
        [day, status, fingerprint, is_full],
    ).fetchone()
    assert row is not None
    connection.execute(INTERMEDIATE.format(row[0]))
    return int(row[0])


def in_standby(connection: psycopg.Connection[Any], build_id: int) -> None:
    prepare_standby(connection)
    connection.execute(f"{PUBLISHED.format(STANDBY)} where build_id = %s", [build_id, build_id])


def in_live(connection: psycopg.Connection[Any], build_id: int) -> None:
    in_standby(connection, build_id)
    connection.execute(f"create schema if not exists {LIVE}; drop table if exists {LIVE}.published_version")
    connection.execute(f"alter table {STANDBY}.published_version set schema {LIVE}")
    connection.execute(f"drop schema {STANDBY}")


def start(connection: psycopg.Connection[Any], day: date = DAY, *, full_refresh: bool = False) -> Start:
    return find_start(connection, day, "same", full_refresh=full_refresh)


def test_the_first_build_makes_everything_anew(connection: psycopg.Connection[Any]) -> None:
    assert start(connection).base is None


def test_a_build_goes_on_from_the_last_one_and_its_marts_from_those_in_the_standby(
    connection: psycopg.Connection[Any],
) -> None:
    builds = [built(connection, DAY, is_full=True), built(connection), built(connection)]
    in_standby(connection, builds[1])
    found = start(connection, DAY + timedelta(days=1))
    assert found.base is not None
    assert found.standby is not None
    assert (found.base.build_id, found.standby.build_id) == (builds[2], builds[1])
    assert found.standby.read_until < found.base.read_until < found.read_until


def test_after_a_full_build_the_marts_of_the_next_one_are_made_anew(
    connection: psycopg.Connection[Any],
) -> None:
    before, full = built(connection, is_full=True), built(connection, is_full=True)
    in_standby(connection, before)
    found = start(connection)
    assert found.base is not None
    assert (found.base.build_id, found.standby) == (full, None)


def test_after_a_rollback_a_build_goes_on_from_what_was_taken_back(
    connection: psycopg.Connection[Any],
) -> None:
    built(connection, is_full=True)
    taken_back = built(connection, status="rolled_back")
    in_standby(connection, taken_back)
    found = start(connection)
    assert found.base is not None
    assert found.standby is not None
    assert found.base.build_id == found.standby.build_id == taken_back


def test_what_changed_is_kept_as_long_as_a_copy_of_the_marts_lacks_it(
    connection: psycopg.Connection[Any],
) -> None:
    """After two rollbacks the older copy is live, and is the one that the build after the next works on."""
    builds = [built(connection, is_full=True), built(connection), built(connection, status="rolled_back")]
    in_live(connection, builds[0])
    in_standby(connection, builds[2])
    found = start(connection)
    assert found.standby is not None
    assert (found.standby.build_id, found.kept_from) == (builds[2], builds[0])


@pytest.mark.parametrize("made_by", ["0", "null::bigint"], ids=["dbt run by hand", "nobody"])
def test_intermediate_tables_of_another_build_are_not_gone_on_from(
    connection: psycopg.Connection[Any], made_by: str
) -> None:
    built(connection, is_full=True)
    assert start(connection).base is not None
    connection.execute(INTERMEDIATE.format(made_by))
    assert start(connection).base is None
    connection.execute("drop schema intermediate cascade")
    assert start(connection).base is None


@pytest.mark.parametrize(
    "last",
    [
        {"status": "failed"},
        {"fingerprint": "other rules"},
        {"day": DAY + timedelta(days=1), "status": "rolled_back"},
    ],
    ids=["it failed", "by other rules", "of a later day"],
)
def test_a_build_that_cannot_be_gone_on_from(
    connection: psycopg.Connection[Any], last: dict[str, Any]
) -> None:
    built(connection, is_full=True)
    assert start(connection).base is not None
    built(connection, **last)
    assert start(connection).base is None


def test_a_build_of_an_earlier_release_noted_nothing_to_go_on_from(
    connection: psycopg.Connection[Any],
) -> None:
    build_id = built(connection)
    connection.execute(
        "update ops.builds set read_until = null, fingerprint = null where build_id = %s", [build_id]
    )
    assert start(connection).base is None


def test_somebody_may_ask_for_everything_anew(connection: psycopg.Connection[Any]) -> None:
    built(connection, is_full=True)
    assert start(connection, full_refresh=True).base is None


def test_a_build_waits_for_the_loads_that_run(connection: psycopg.Connection[Any], warehouse: str) -> None:
    """Whatever they have written comes to light before the moment until which the build has read."""
    found: list[Start] = []
    with psycopg.connect(warehouse) as load:
        load.execute("insert into ops.watermarks (source_id, feed) values ('erp', 'orders')")
        written = load.execute("select clock_timestamp()").fetchone()
        waiting = Thread(target=lambda: found.append(start(connection)))
        waiting.start()
        with psycopg.connect(warehouse, autocommit=True) as onlooker:
            while waiting.is_alive() and onlooker.execute(WAITING).fetchone() == (False,):
                pass
        assert found == []
        load.commit()
        waiting.join()
    assert written is not None
    assert written[0] < found[0].read_until
