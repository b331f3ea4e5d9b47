"""Worker processes that load, a view on what they are doing, and a server that dies with them.

Importing Great Expectations takes seconds, so that one process (`python -m tests.faults.loader winback.yml`)
imports everything once and forks a worker per attempt: no worker inherits anything of another's. Other
modules bring other work (`serve`).
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import psycopg

from winback.load.attempt import WORKER_LOCK
from winback.paths import ROOT
from winback.warehouse.server import EmbeddedServer

Loads = list[tuple[str, date]]


class Workers:
    """Start workers, each with its own list of loads, all of them released at the same moment."""

    def __init__(
        self, config: Path, log: Path, module: str = "tests.faults.loader", **environment: str
    ) -> None:
        self.log = log
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, str(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log.open("w"),
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", **environment},
        )
        assert self._read() == "ready", log.read_text()

    def start(self, *attempts: Any) -> list[int]:
        """Start one worker per attempt and return their process ids."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(attempts, default=str) + "\n")
        self._process.stdin.flush()
        return self._read()

    def wait(self) -> list[str]:
        """Wait for the workers and return how each ended: `done`, `killed`, or what went wrong."""
        return self._read()

    def stop(self) -> None:
        """End the process that forks; its workers have ended before."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the forking process died: {self.log.read_text()[-2000:]}"
        return json.loads(line)


PHASES = ("extract", "land", "check", "commit")


@dataclass
class Observer:
    """What the workers on one warehouse are doing, as the server sees it."""

    warehouse_url: str

    def __enter__(self) -> "Observer":
        self._connection = psycopg.connect(self.warehouse_url, autocommit=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def phase(self) -> str:
        """Return one of PHASES, or `between` when no batch is on its way."""
        # The server shows statements, not the bytes that arrive: a COPY that waits for its client waits for
        # the source. A batch's view is there from the check on.
        row = self._connection.execute(
            """
            select
                worker.query, worker.xact_start is not null, worker.wait_event, batches.status,
                exists (
                    select from pg_class
                    where relname = batches.feed || '_' || batches.batch_id || '_checked'
                )
            from pg_locks as held
            join pg_stat_activity as worker on worker.pid = held.pid
            left join ops.batches on batches.batch_id = held.objid
            where held.locktype = 'advisory' and held.classid = %s and held.granted
            order by batches.batch_id desc limit 1
            """,
            [WORKER_LOCK],
        ).fetchone()
        if row is None or row[3] != "running":
            return "between"
        query, is_in_transaction, waits_for, _, is_viewed = row
        if is_viewed:
            return "commit" if is_in_transaction else "check"
        if waits_for == "ClientRead" and query.startswith("copy"):
            return "extract"
        return "land"

    def workers_left(self) -> int:
        """Count the connections of others; a killed worker's end when the server notices."""
        row = self._connection.execute(
            "select count(*) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        ).fetchone()
        return int(row[0]) if row else 0

    def wait_until_alone(self) -> None:
        """Wait until no worker has a connection any more."""
        deadline = time.monotonic() + 30
        while self.workers_left():
            assert time.monotonic() < deadline, "connections of dead workers stay open"
            time.sleep(0.01)


@dataclass
class Cluster:
    """A server of one test's own, which may be killed."""

    server: EmbeddedServer

    def __post_init__(self) -> None:
        self.server.start()
        self.url = self.server.url("postgres")

    def kill(self) -> None:
        """Kill the postmaster and each of its processes, as a machine does that loses its power."""
        pid = self.server.status().pid
        assert pid is not None
        postmaster = psutil.Process(pid)
        doomed = [postmaster, *postmaster.children(recursive=True)]
        for process in doomed:
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(doomed, timeout=10)

    def kill_main_process(self) -> None:
        """Kill the postmaster alone; its processes notice, take back what they were at, and end."""
        pid = self.server.status().pid
        assert pid is not None
        postmaster = psutil.Process(pid)
        orphans = postmaster.children(recursive=True)
        postmaster.kill()
        psutil.wait_procs([postmaster, *orphans], timeout=10)

    def restart(self) -> None:
        """Start the server again, at the port that it had."""
        assert self.server.start()
        assert self.server.url("postgres") == self.url


def serve(work: Callable[[Any], None]) -> None:
    """Fork a worker for each attempt of each line that comes in, and say how the workers ended."""
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        attempts = json.loads(line)
        gate, release = os.pipe()
        outcomes = [os.pipe() for _ in attempts]
        workers = []
        for attempt, (_, said) in zip(attempts, outcomes, strict=True):
            pid = os.fork()
            if pid == 0:
                os.close(release)
                os.read(gate, 1)  # returns for all of them at once, when the parent closes its end
                _work(work, attempt, said)
            workers.append(pid)
        os.close(gate)
        print(json.dumps(workers), flush=True)
        os.close(release)
        print(json.dumps([_outcome(*ends) for ends in zip(workers, outcomes, strict=True)]), flush=True)


def _work(work: Callable[[Any], None], attempt: Any, said: int) -> None:
    """Do the work of one attempt, say how that ended, and end."""
    try:
        work(attempt)
        os.write(said, b"done")
    except BaseException as error:
        os.write(said, f"{type(error).__name__}: {error}".encode()[:4000])
    os._exit(0)


def _outcome(pid: int, pipe: tuple[int, int]) -> str:
    os.waitpid(pid, 0)
    said, end = pipe
    os.close(end)
    with os.fdopen(said, "rb") as text:
        return text.read().decode() or "killed"


def _load(config: Path) -> Callable[[Any], None]:
    """Import what loads need, and return what does those of one attempt."""
    import great_expectations  # noqa: F401, PLC0415 -- workers inherit it
    from alembic import command  # noqa: F401, PLC0415

    from winback.config import load_settings  # noqa: PLC0415
    from winback.load import load_feed  # noqa: PLC0415

    settings = load_settings(config)

    def work(loads: list[list[str]]) -> None:
        for feed, day in loads:
            load_feed(settings, feed, date.fromisoformat(day))

    return work


if __name__ == "__main__":
    serve(_load(Path(sys.argv[1])))
