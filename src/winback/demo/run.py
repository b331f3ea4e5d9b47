"""`make demo`: the whole path, from the source system to the inbox, under a running Airflow."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import click

from winback import paths, warehouse
from winback.airflow.client import Client, Run
from winback.airflow.stack import Stack
from winback.demo import HISTORY_ENDS_ON, ISSUED_ON, LAST_DAY
from winback.demo.erp import turn_clock
from winback.demo.sources import demo_settings, fill_sources, folders_for_lists
from winback.demo.stand_ins import outbox, stand_ins
from winback.demo.summary import Snapshot, print_summary, take_snapshot
from winback.errors import WinbackError
from winback.machine import locked
from winback.warehouse.schema import ensure_schema
from winback.warehouse.server import EmbeddedServer

REPORTS = ("weekly_retention", "key_customer_alert", "monthly_tier_review")
DAGS = ("load_sales", "load_complaints", "build_warehouse", "exports", *REPORTS)
COMPONENTS = ("api-server", "scheduler", "dag-processor")  # nothing in the demo's DAGs needs a triggerer
AGAIN = "run `make demo` again: it goes on where it stopped"


def run_demo() -> None:
    """Fill the demo's systems, run the DAGs day by day and the reports, and say what came of it.

    Raises:
        WinbackError: the demo is running already, was interrupted, or a run failed; what is loaded stays.
    """
    busy = WinbackError("The demo is running already.", "wait for its end, or interrupt it with Ctrl-C")
    with locked(paths.state_dir() / "run" / "demo.lock", busy), _interruptible():
        _run(_narrator())


def _run(say: Callable[[str], None]) -> None:
    settings = demo_settings()
    server = EmbeddedServer()
    server.start()
    erp = server.url("erp")
    say("PostgreSQL is up")
    say(fill_sources(settings, erp))
    before = _snapshot()
    local = stand_ins(server)
    stack = Stack(components=COMPONENTS, others=local.commands, variables=local.variables)
    with stack:
        say("Airflow is up: API server, scheduler, DAG processor")
        driver = _Driver(stack.client(), stack, say)
        driver.client.wait_for_dags(DAGS)
        for day in _days():
            turn_clock(erp, day)
            build = driver.run_day(day)
        if settings.exports:
            driver.export(build)
        driver.report(ISSUED_ON)
    after = _snapshot()
    with warehouse.connect(autocommit=True) as connection:
        print_summary(
            connection,
            before,
            after,
            url=warehouse.url(),
            outbox=outbox(),
            pages=settings.pages.place,
            lists=folders_for_lists(settings),
        )


@dataclass(frozen=True)
class _Driver:
    """Trigger runs as a scheduler's clock would, one business day after the other, and watch them."""

    client: Client
    stack: Stack
    say: Callable[[str], None]

    def run_day(self, day: date) -> Run:
        """Load one day; return the build that Airflow starts by itself when both feeds are in, at its end."""
        loads = [self.client.trigger(dag, day.isoformat()) for dag in ("load_sales", "load_complaints")]
        for load in loads:
            self._finish(load)
        build = self.client.wait_for_consumer("build_warehouse", loads[-1])
        self._finish(build)
        what = "history up to here" if day == HISTORY_ENDS_ON else "one more day"
        self.say(f"{day}: {what}, loaded, checked, modelled")
        return build

    def export(self, build: Run) -> None:
        """Wait for the lists that Airflow lets leave by itself after a build."""
        self._finish(self.client.wait_for_consumer("exports", build))
        self.say(f"{build.partition_key}: lists for other tools")

    def report(self, issued_on: date) -> None:
        """Let the reports go out that are due on a Monday which begins a month."""
        for run in [self.client.trigger(report, issued_on.isoformat()) for report in REPORTS]:
            self._finish(run)
        self.say(f"{issued_on}: weekly report, monthly review and alert about key customers")

    def _finish(self, run: Run) -> None:
        """Wait for a run; tell of tasks that are tried again, and end the demo with a failed one's log."""
        told: set[str] = set()

        def watch(states: dict[str, str]) -> None:
            for task in {task for task, state in states.items() if state == "up_for_retry"} - told:
                told.add(task)
                where = self.client.run_url(run)
                self.say(f"{run.dag_id}.{task} failed; Airflow tries it again in a minute: {where}")
            if missing := sorted(set(COMPONENTS) - set(self.stack.running())):
                raise WinbackError(f"Airflow's {', '.join(missing)} ended unexpectedly.", AGAIN)

        ended = self.client.wait(run, progress=watch)
        if ended.state != "success":
            logs = "\n".join(f"--- {task}\n{log}" for task, log in self.client.failures(ended).items())
            raise WinbackError(
                f"{run.dag_id} for {run.partition_key} failed.\n{logs}", f"mend the cause and {AGAIN}"
            )


def _days() -> list[date]:
    return [HISTORY_ENDS_ON + timedelta(days=n) for n in range((LAST_DAY - HISTORY_ENDS_ON).days + 1)]


def _snapshot() -> Snapshot:
    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        return take_snapshot(connection)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Turn Ctrl-C into a sentence; what was started is stopped on the way out."""
    try:
        yield
    except KeyboardInterrupt:
        raise WinbackError(
            "Interrupted. Airflow was stopped; nothing that was loaded is lost.", AGAIN
        ) from None


def _narrator() -> Callable[[str], None]:
    started = time.monotonic()

    def say(text: str) -> None:
        click.echo(f"[{time.monotonic() - started:4.0f} s] {text}")

    return say
