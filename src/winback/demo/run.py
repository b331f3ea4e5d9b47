"""`make demo`: the whole path, from the source system to the inbox, under a running Airflow."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import click

from winback import paths, warehouse
from winback.airflow.client import Client, Run
from winback.airflow.stack import Stack
from winback.config import Settings, load_settings
from winback.demo import HISTORY_ENDS_ON, ISSUED_ON, LAST_DAY
from winback.demo.complaints import write_exports
from winback.demo.erp import fill_erp
from winback.demo.sales import open_receipts
from winback.demo.stand_ins import outbox, stand_ins
from winback.demo.summary import Snapshot, print_summary, take_snapshot
from winback.errors import WinbackError
from winback.warehouse.schema import ensure_schema
from winback.warehouse.server import EmbeddedServer

DAGS = ("load_sales", "load_complaints", "build_warehouse", "weekly_retention")
Say = Callable[[str], None]


def run_demo() -> None:
    """Fill the demo's systems, run the DAGs day by day and the weekly report, and say what came of it."""
    say = _narrator()
    settings = load_settings()
    if "erp" not in settings.systems or "complaint_desk" not in settings.systems:
        raise WinbackError(
            f"{paths.config_file()} does not describe the demo company.",
            "run the demo with the shipped winback.yml; for your own, use: make up",
        )
    server = EmbeddedServer()
    server.start()
    say("PostgreSQL is up")
    _fill_sources(settings, server, say)
    before = _snapshot()
    local = stand_ins(server)
    with _interruptible(), Stack(others=local.commands, variables=local.variables) as stack:
        say("Airflow is up: scheduler, DAG processor, triggerer, API server")
        client = stack.client()
        client.wait_for_dags(DAGS)
        for day in _days():
            _run_day(client, day, say)
        _finish(client, client.trigger("weekly_retention", ISSUED_ON.isoformat()), say)
        say(f"{ISSUED_ON}  weekly report sent")
    after = _snapshot()
    with warehouse.connect(autocommit=True) as connection:
        print_summary(connection, before, after, warehouse.url(), outbox())


def _fill_sources(settings: Settings, server: EmbeddedServer, say: Say) -> None:
    receipts = open_receipts()
    filled = fill_erp(server.url("erp"), receipts)
    say("ERP: 155,848 real receipts of 2,469 households" + ("" if filled else " (already there)"))
    desk = settings.systems["complaint_desk"]
    assert desk.connector == "files"
    written = write_exports(paths.ROOT / desk.folder, receipts)
    say(
        f"Complaint desk: {written} simulated exports written in GB18030"
        if written
        else "Complaint desk: exports there"
    )


def _run_day(client: Client, day: date, say: Say) -> None:
    """Load one business day and wait for the build that Airflow starts by itself when both feeds are in."""
    key = day.isoformat()
    loads = [client.trigger("load_sales", key), client.trigger("load_complaints", key)]
    for load in loads:
        _finish(client, load, say)
    _finish(client, client.wait_for_consumer("build_warehouse", loads[-1]), say)
    what = "history loaded" if day == HISTORY_ENDS_ON else "day loaded"
    say(f"{day}  {what}, checked, modelled")


def _finish(client: Client, run: Run, say: Say) -> None:
    """Wait for a run and tell of every task that has to be tried again; a failed run ends the demo."""
    told: set[str] = set()

    def tell(states: dict[str, str]) -> None:
        for task in {task for task, state in states.items() if state == "up_for_retry"} - told:
            told.add(task)
            say(f"{run.partition_key}  {run.dag_id}.{task} failed; Airflow tries it again in a minute: "
                f"{client.run_url(run)}")  # fmt: skip

    ended = client.wait(run, progress=tell)
    if ended.state != "success":
        logs = "\n".join(f"--- {task}\n{log}" for task, log in client.failures(ended).items())
        raise WinbackError(
            f"{run.dag_id} for {run.partition_key} failed.\n{logs}",
            "mend the cause and run `make demo` again: it goes on where it stopped",
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
            "Interrupted. Airflow was stopped; nothing that was loaded is lost.",
            "run `make demo` again: it goes on where it stopped",
        ) from None


def _narrator() -> Say:
    started = time.monotonic()

    def say(text: str) -> None:
        click.echo(f"[{time.monotonic() - started:4.0f} s] {text}")

    return say
