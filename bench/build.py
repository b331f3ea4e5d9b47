"""Time builds of the warehouse against hand-written SQL in one run; exit code 1 on a miss.

    .venv/bin/python bench/build.py [--customers 500000] [--orders 10000000] [--days 730] [--daily-builds 3]
        [--small-customers 25000] [--history-builds 7] [--no-daily] [--no-history] [--models] [--json]
        [--keep]

A made-up company of that size is loaded into an empty warehouse of the embedded server. Measured are a full
build, of the tables that the limit has and of all, without and with the data tests; the builds of the next
days, each after its rows have come; and builds with nothing to do, whose seconds are the fixed cost. dbt has
read its project before, as it does once a release. The limit is what one can write by hand for these marts
alone: the SQL in `bench/sql/limit` on DuckDB with two threads, on the same raw rows, copied before the clock
starts, and written to a database file. Every mart is compared with it, row by row, after the full build and
after the last daily one.

Marts live in two copies that take turns, so a day's build begins with the marts of two days ago, as it does
in use: the first build after the full one fills the second copy, and is no figure. How the daily build grows
with the history is measured on a smaller company, with all of the days and with a quarter of them: what a day
takes beyond nothing is a small difference of two medians there, so it is taken of more days.
"""

import argparse
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg

sys.path.insert(0, str(Path(__file__).parent))
from generate import SOURCE, Company, History
from limit import Compared, Limit

from winback import build, project
from winback.build import build_warehouse
from winback.config import Settings
from winback.feeds import FEEDS
from winback.holidays import Holidays
from winback.publish import LIVE, STANDBY, prepare_standby
from winback.warehouse.schema import ensure_schema
from winback.warehouse.server import EmbeddedServer

BARS = {
    "full build of the same tables, of the limit": 5.0,
    "daily build beyond the fixed cost, of the full build": 0.1,
    "daily build beyond the fixed cost, with four times the history": 1.2,
}
LAST_DAY = date(2026, 3, 18)
LINES = {line: line for line in ("retail", "telecom", "distribution", "auto_service", "restaurant")}
BUILT_SCHEMAS = (LIVE, STANDBY, "intermediate", "staging", "rules")
SHOWN_MODELS = 15
LOADED = ("orders", "complaints", "customers", "regions", "account_managers")


def say(text: str) -> None:
    """Tell how far the run is, apart from its figures."""
    print(text, file=sys.stderr, flush=True)


@dataclass
class Measured:
    """Seconds of one company's builds; `models` by build and model."""

    history: History
    limit: float = 0
    same_tables: float = 0
    models_only: float = 0
    full: float = 0
    daily: list[float] = field(default_factory=list)
    nothing: list[float] = field(default_factory=list)
    models: dict[str, dict[str, float]] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    not_in_the_limit: list[str] = field(default_factory=list)

    @property
    def beyond(self) -> float:
        """Return what a day's build takes beyond a build with nothing to do."""
        return statistics.median(self.daily) - statistics.median(self.nothing)


def timed(work: Callable[[], Any]) -> float:
    """Return the seconds that something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def settings() -> Settings:
    """Return the configuration of a company with these feeds and business lines."""
    return Settings.model_validate(
        {
            "company": {"name_en": "Bench", "name_zh": "测试"},
            "business": {"time_zone": "Asia/Shanghai", "default_business_line": "retail", "lines": LINES},
            "systems": {SOURCE: {"connector": "postgres", "connection": "bench", "time_zone": "UTC"}},
            "feeds": {
                feed: {
                    "sources": [
                        {
                            "source": SOURCE,
                            "table": feed,
                            "columns": {name: name for name in FEEDS[feed].required},
                        }
                    ]
                }
                for feed in LOADED
            },
        }
    )


class Bench:
    """One company in one warehouse of its own."""

    def __init__(self, server: EmbeddedServer, folder: Path, history: History) -> None:
        self.folder, self.settings = folder, settings()
        self.measured = Measured(history)
        with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
            admin.execute("drop database if exists bench with (force)")
            admin.execute("create database bench")
        self.url = server.url("postgres").rsplit("/", 1)[0] + "/bench"
        os.environ["WINBACK_WAREHOUSE_URL"] = self.url
        with psycopg.connect(self.url, autocommit=True) as connection:
            ensure_schema(connection)
        (folder / "company.duckdb").unlink(missing_ok=True)
        self.company = Company(folder / "company.duckdb", history)

    def run(self, day: date, daily_builds: int, *, with_limit: bool) -> Measured:
        """Measure everything; `day` is that of the full build."""
        measured = self.measured
        seconds = timed(lambda: self.company.load(self.url, day))
        say(f"loaded {measured.history.orders:,} orders in {seconds:.0f} s")
        limit = Limit(self.company, self.folder, LINES, Holidays(self.settings.business.holidays))
        if with_limit:
            measured.same_tables = self.build("the same tables", lambda: self.models_alone(day, limit.marts))
            self.drop_built()
            measured.models_only = self.build("without tests", lambda: self.models_alone(day))
            self.drop_built()
        measured.full = self.build("full", lambda: build_warehouse(self.settings, day))
        if with_limit:
            limit.copy_rows(day)
            measured.limit = limit.build(day)
            say(f"limit {measured.limit:.1f} s")
            measured.differences, measured.not_in_the_limit = Compared(self.url, limit).differences()
        for number in range(daily_builds + 1 if daily_builds else 0):
            day += timedelta(days=1)
            self.company.load(self.url, day, after=day - timedelta(days=1))
            seconds = self.build(f"day {number}", lambda day=day: build_warehouse(self.settings, day))  # type: ignore[misc]
            measured.daily += [seconds] if number else []
        for number in range(daily_builds + 1 if daily_builds else 0):
            seconds = self.build(f"nothing {number}", lambda: build_warehouse(self.settings, day))
            measured.nothing += [seconds] if number else []
        if with_limit and daily_builds:
            limit.copy_rows(day)
            limit.build(day)
            later, _ = Compared(self.url, limit).differences()
            measured.differences += [f"after the daily builds, {line}" for line in later]
        return measured

    def models_alone(self, day: date, marts: Sequence[str] = ()) -> None:
        """Build seeds and models, all or those of some marts, and test nothing."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            prepare_standby(connection)
        only = ["--resource-type", "model", "--resource-type", "seed"]
        if marts:
            only += ["--select", *(f"+{mart}" for mart in marts)]
        build.run_dbt(self.settings, day, "build", *only, marts=STANDBY)

    def build(self, name: str, work: Callable[[], Any]) -> float:
        """Build once; keep each model's seconds."""
        results: list[Any] = []
        invoke = project._invoke

        def noted(*arguments: Any) -> Any:
            outcome = invoke(*arguments)
            results.extend(getattr(outcome.result, "results", None) or [])
            return outcome

        with patch.object(project, "_invoke", noted):
            seconds = timed(work)
        self.measured.models[name] = {
            result.node.name: result.execution_time for result in results if result.execution_time
        }
        say(f"{name}: {seconds:.1f} s")
        return seconds

    def drop_built(self) -> None:
        """Take the warehouse back to what it was before the first build."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for schema in BUILT_SCHEMAS:
                connection.execute(f"drop schema if exists {schema} cascade")


def main() -> None:
    """Run, print, and exit with 1 when a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--customers", type=int, default=500_000)
    parser.add_argument("--orders", type=int, default=10_000_000)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--daily-builds", type=int, default=3)
    parser.add_argument("--small-customers", type=int, default=25_000, help="those of the history's bar")
    parser.add_argument("--history-builds", type=int, default=7, help="daily builds for that bar")
    parser.add_argument("--no-daily", action="store_true", help="full build and limit only")
    parser.add_argument("--no-history", action="store_true")
    parser.add_argument("--models", action="store_true", help="the slowest models of each kind of build")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave the server running, to look into it")
    options = parser.parse_args()
    if options.no_daily:
        options.daily_builds = 0
    logging.disable(logging.WARNING)
    folder = Path(os.environ.get("WINBACK_STATE") or tempfile.mkdtemp(prefix="winback_bench_"))
    (folder / "no_company_rules").mkdir(parents=True, exist_ok=True)
    os.environ |= {"WINBACK_STATE": str(folder), "WINBACK_COMPANY_RULES": str(folder / "no_company_rules")}
    server = EmbeddedServer(folder)
    server.start()
    try:
        os.environ |= project.dbt_environment(server.url("warehouse")) | {"WINBACK_MARTS_SCHEMA": LIVE}
        project.parsed_project()  # before the clock starts
        found = measure(server, folder, options)
    finally:
        if not options.keep:
            server.remove()
            for made in folder.glob("*.duckdb"):  # gigabytes
                made.unlink()
    ratios = {name: ratio for name, ratio in zip(BARS, found["ratios"], strict=True) if ratio is not None}
    missed = [name for name, ratio in ratios.items() if ratio > BARS[name]]
    missed += found["main"].differences
    if options.json:
        runs = {name: asdict(run) for name, run in found.items() if isinstance(run, Measured)}
        print(json.dumps(runs | {"ratios": ratios, "missed": missed}, default=str))
    else:
        show(found, ratios, with_models=options.models)
        print("missed:\n  " + "\n  ".join(missed) if missed else "every bar is met")
    sys.exit(bool(missed))


def measure(server: EmbeddedServer, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure the company, and a smaller one with two lengths of history."""

    def run(customers: int, orders: float, days: int, builds: int, *, with_limit: bool) -> Measured:
        later = builds + 1 if builds else 0
        company = History(customers, round(orders), days + later, LAST_DAY)
        return Bench(server, folder, company).run(
            LAST_DAY - timedelta(days=later), builds, with_limit=with_limit
        )

    builds = options.daily_builds
    main = run(options.customers, options.orders, options.days, builds, with_limit=True)
    found: dict[str, Any] = {"main": main}
    ratio = None
    if builds and not options.no_history:
        daily_orders = options.orders / options.days * options.small_customers / options.customers
        for name, part in (("short", 4), ("long", 1)):
            days = options.days // part
            found[name] = run(
                options.small_customers,
                daily_orders * (days + options.history_builds + 1),
                days,
                options.history_builds,
                with_limit=False,
            )
        ratio = found["long"].beyond / found["short"].beyond
    found["ratios"] = [
        main.same_tables / main.limit,
        main.beyond / main.full if builds else None,
        ratio,
    ]
    return found


def show(found: dict[str, Any], ratios: dict[str, float], *, with_models: bool) -> None:
    """Print the tables of `docs/benchmarks.md`."""
    main = found["main"]
    print("| what | seconds |\n|---|---|")
    print(f"| limit: DuckDB, two threads | {main.limit:.1f} |")
    print(f"| full build of the same tables, without tests | {main.same_tables:.1f} |")
    print(f"| full build of all tables, without tests | {main.models_only:.1f} |")
    print(f"| full build with tests, published | {main.full:.1f} |")
    for name, run in (("", main), *((f", {name}", found.get(name)) for name in ("short", "long"))):
        if run and run.daily:
            for what, seconds in (
                ("the next day's build", run.daily),
                ("a build with nothing to do", run.nothing),
            ):
                several = ", ".join(f"{value:.1f}" for value in seconds)
                print(f"| {what}{name} | {statistics.median(seconds):.1f} ({several}) |")
    print("\n| ratio | is | bar |\n|---|---|---|")
    for name, ratio in ratios.items():
        print(f"| {name} | {ratio:.2f} | {BARS[name]:g} |")
    print(f"\nnot in the limit: {', '.join(main.not_in_the_limit) or 'nothing'}")
    if with_models:
        for name, models in main.models.items():
            print(f"\n{name}:")
            for model, seconds in sorted(models.items(), key=lambda item: -item[1])[:SHOWN_MODELS]:
                print(f"  {seconds:7.2f}  {model}")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
