"""Run dbt in this process: the project is parsed once, and its commands are run many times.

Parsing takes as long as running a small build, and depends on nothing but the project's own files. dbt parses
anew whenever a var differs, as the day always does, so what it has read is kept here.
"""

import hashlib
import json
import os
import re
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from winback import paths, warehouse
from winback.config import Settings
from winback.errors import WinbackError
from winback.holidays import Holidays
from winback.publish import LIVE, STANDBY
from winback.rules.calendar import write_calendar
from winback.rules.load import Rules, load_rules

_SHOWN_FAILURES = 5
_KEPT = 3  # projects as dbt has read them, of some megabytes each
_MARTS = paths.DBT_PROJECT / "models" / "marts"
# While it is parsed, each model shows whatever it may read, which is when it goes on from an earlier build.
# Its SQL is written anew in each run, for the deployment and the day.
_ANY_BUILD = {"build_id": 1, "as_of_date": "2000-01-01", "read_until": "2000-01-01"}
_ANY_VARS = {
    "business_time_zone": "UTC",
    "opens_at": "09:00",
    "closes_at": "18:00",
    "currency": "EUR",
    "default_business_line": "any",
    "business_lines": {"any": "any"},
    "watched_signals": {"any": ["days_since_last_order"]},
    "attributes": ["any"],
    "as_of_date": "2000-01-01",
    "build_id": 1,
    "base": _ANY_BUILD,
    "standby": _ANY_BUILD,
    "kept_from": 1,
}


def run_dbt(
    settings: Settings,
    as_of_date: date,
    *command: str,
    marts: str = LIVE,
    earlier: dict[str, Any] | None = None,
) -> None:
    """Run a dbt command in this process, against the warehouse; `marts` is the schema that marts go into.

    `earlier` tells the models what to go on from; without it they make everything anew.

    Raises:
        WinbackError: some rules are refused, or dbt failed; the message names the rows, or models and tests.
    """
    state = paths.state_dir()
    rules = load_rules(settings.business.lines)
    seeds = state / "seeds"
    rules.write(seeds)
    write_calendar(seeds / "calendar", Holidays(settings.business.holidays), as_of_date)
    os.environ.update(dbt_environment(warehouse.url()) | {"WINBACK_MARTS_SCHEMA": marts})
    manifest = _settled(parsed_project(), marts, seeds)
    os.environ["WINBACK_SEEDS"] = str(seeds)
    outcome = _invoke(manifest, command, dbt_vars(settings, rules, as_of_date) | (earlier or {}))
    if not outcome.success:
        raise _failure(outcome, f"dbt {' '.join(command[:1])}")


def parsed_project() -> Any:
    """Return the project as dbt has read it: its manifest, from the last run where no file differs since.

    Unit tests hold the shipped rows of seeds, whatever a company adds.
    """
    # Two seconds to import: only whoever builds pays for it.
    from dbt.contracts.graph.manifest import Manifest  # noqa: PLC0415
    from dbt.version import __version__ as version  # noqa: PLC0415

    digest = hashlib.sha256(version.encode())
    for file in filter(_is_parsed, sorted(paths.DBT_PROJECT.rglob("*"))):
        digest.update(b"\0" + file.read_bytes())
    kept = paths.state_dir() / "dbt" / "parsed" / f"{digest.hexdigest()}.msgpack"
    try:
        packed = kept.read_bytes()
    except FileNotFoundError:
        os.environ["WINBACK_SEEDS"] = str(paths.DBT_PROJECT / "seeds")
        outcome = _invoke(None, ["--no-partial-parse", "parse"], _ANY_VARS)
        if not outcome.success:
            raise _failure(outcome, "dbt parse") from None
        packed = outcome.result.to_msgpack()
        _keep(kept, packed)
    return Manifest.from_msgpack(packed)


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
    return {"as_of_date": as_of_date.isoformat(), **deployment_vars(settings, rules)}


def deployment_vars(settings: Settings, rules: Rules) -> dict[str, Any]:
    """Return what the models need to know whatever the day."""
    business = settings.business
    return {
        "business_time_zone": business.time_zone,
        "opens_at": business.opens_at,
        "closes_at": business.closes_at,
        "currency": business.currency,
        "default_business_line": business.default_business_line,
        "business_lines": business.lines,
        "watched_signals": rules.watched_signals(business.lines),
        "attributes": list(business.attributes),
    }


def mart_names() -> frozenset[str]:
    """Return the names of the marts in the project."""
    return frozenset(file.stem for file in _MARTS.rglob("*.sql"))


def _keep(kept: Path, packed: bytes) -> None:
    """Write what was read, whole or not at all, and forget what was kept long ago."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    half = kept.with_suffix(f".{os.getpid()}")
    half.write_bytes(packed)
    half.rename(kept)
    with suppress(FileNotFoundError):  # somebody else tidies up as well
        for older in sorted(kept.parent.glob("*.msgpack"), key=lambda file: file.stat().st_mtime)[:-_KEPT]:
            older.unlink()


def _is_parsed(file: Path) -> bool:
    return file.suffix in (".sql", ".yml", ".md", ".csv") and "company" not in file.parts


def _settled(manifest: Any, marts: str, seeds: Path) -> Any:
    """Tell each node where it is this time: the database, the copy of the marts, the file of a seed."""
    database = os.environ["WINBACK_DBT_DBNAME"]
    for node in (*manifest.nodes.values(), *manifest.sources.values()):
        node.database = database
        if node.schema in (LIVE, STANDBY):
            node.schema = marts
        if node.resource_type == "seed":
            node.original_file_path = str(seeds / node.path)
        if node.relation_name:
            node.relation_name = f'"{database}"."{node.schema}"."{node.identifier}"'
    return manifest


def _invoke(manifest: Any, command: Any, variables: dict[str, Any]) -> Any:
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    state = paths.state_dir()
    return dbtRunner(manifest=manifest).invoke(
        [
            "--log-level", "none",  # we say what failed; dbt renders each event for each log that listens
            "--log-level-file", "info",
            "--log-path", str(state / "logs"),
            "--no-use-colors-file",
            "--no-write-json",
            *command,
            "--project-dir", str(paths.DBT_PROJECT),
            "--profiles-dir", str(paths.DBT_PROJECT),
            "--target-path", str(state / "dbt"),
            "--vars", json.dumps(variables),
        ]
    )  # fmt: skip


def _failure(outcome: Any, what: str) -> WinbackError:
    failed = [
        f"{result.node.name}: {_told(result.message or result.status)}"
        for result in getattr(outcome.result, "results", None) or []
        if result.status in ("error", "fail")
    ]
    shown = "\n  ".join(failed[:_SHOWN_FAILURES]) or str(outcome.exception or "dbt gave no reason")
    more = f"\n  and {len(failed) - _SHOWN_FAILURES} more" if len(failed) > _SHOWN_FAILURES else ""
    return WinbackError(
        f"{what} failed in {len(failed)} places; nothing was published.\n  {shown}{more}",
        f"see {paths.state_dir()}/logs/dbt.log, mend the model, rule or data, and build again",
    )


def _told(message: str) -> str:
    """Return the first line of what dbt says, and the rule that rows break; the rest may quote a row."""
    broken = re.search(r'check constraint "\w+"', message)
    return message.strip().splitlines()[0] + (f" breaks {broken[0]}" if broken else "")
