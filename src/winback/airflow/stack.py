"""Airflow's processes as one thing to start and to stop: in the foreground for the demo, or left running."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import httpx
import psycopg

from winback import paths
from winback.airflow import processes
from winback.airflow.client import Client
from winback.airflow.environment import Login, environment, login, renew_port
from winback.airflow.processes import Child
from winback.errors import WinbackError
from winback.machine import locked
from winback.warehouse import connect_to
from winback.warehouse.server import EmbeddedServer

AIRFLOW = (sys.executable, "-P", "-m", "airflow")
COMPONENTS = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
HEALTHY_SECONDS = 180  # far more than the 15 that two cores need
GRACE_SECONDS = 15
OWN_DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"


@dataclass(frozen=True)
class Stack:
    """Airflow's processes, and others beside them, under one state folder.

    Attributes:
        state_dir: where logs, process numbers, secrets and Airflow's own records lie.
        dags: the folder of DAG files.
        components: which of COMPONENTS to run; `api-server`, `scheduler` and `dag-processor` are the least.
        others: further commands by name, such as the demo's inbox; started first.
        variables: added to the environment of every process.
    """

    state_dir: Path = field(default_factory=paths.state_dir)
    dags: Path = paths.DAGS
    components: Sequence[str] = tuple(COMPONENTS)
    others: Mapping[str, Sequence[str]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def login(self) -> Login:
        """Return the address and the password of Airflow's UI, user `admin`."""
        return login(self.state_dir)

    def client(self) -> Client:
        """Return a client for the running API."""
        return Client(self.login.url, "admin", self.login.password)

    def running(self) -> list[str]:
        """Return the names of the processes that are alive."""
        return [child.name for child in processes.known(self.state_dir) if child.is_running()]

    def start(self, progress: Callable[[str], None] = lambda _: None) -> Login:
        """Start everything and return once Airflow is healthy; ends what an earlier run left behind.

        The processes outlive this one: end them with `stop`. WinbackError quotes the log of what failed,
        and nothing is left running then.
        """
        with locked(self.state_dir / "run" / "stack.lock"):
            self._stop()
            try:
                return self._start(progress)
            except BaseException:
                self._stop()
                raise

    def stop(self) -> list[str]:
        """Stop everything that was started under this state folder, whoever started it; return the names.

        Tasks that run get GRACE_SECONDS to finish. The embedded PostgreSQL goes on.
        """
        with locked(self.state_dir / "run" / "stack.lock"):
            return self._stop()

    def __enter__(self) -> Self:
        """Start; also a SIGTERM or a closed terminal will then end in `stop`."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(number) == signal.SIG_DFL:
                    signal.signal(number, _exit)
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

    def _stop(self) -> list[str]:
        scheduler = Child("scheduler", self.state_dir)  # first, so that its tasks can still report and send
        stopped = processes.stop([scheduler], GRACE_SECONDS, leaders_only=True)
        return stopped + processes.stop(processes.known(self.state_dir), 3)

    def _start(self, progress: Callable[[str], None]) -> Login:
        if not (metadata_url := os.environ.get(OWN_DATABASE, "")):
            server = EmbeddedServer(self.state_dir)
            server.start()
            metadata_url = server.url("airflow")
        known = renew_port(self.state_dir)
        variables = environment(
            known,
            home=self.state_dir / "airflow",
            dags=self.dags,
            metadata_url=metadata_url,
            cores=os.cpu_count() or 1,
            inherited={**os.environ, "WINBACK_STATE": str(self.state_dir), **self.variables},
        )
        for name, command in self.others.items():
            Child(name, self.state_dir).start(command, variables)
        # The API server needs no tables to start, and takes longest: let it, while the tables are made.
        Child("api-server", self.state_dir).start([*AIRFLOW, *COMPONENTS["api-server"]], variables)
        self._migrate(metadata_url, variables, progress)
        for name in self.components:
            if name != "api-server":
                Child(name, self.state_dir).start([*AIRFLOW, *COMPONENTS[name]], variables)
        self._wait_until_healthy(known)
        progress(f"Airflow is up: {known.url}")
        return known

    def _migrate(self, url: str, variables: Mapping[str, str], progress: Callable[[str], None]) -> None:
        """Bring Airflow's database to the installed version, unless a note says that it is."""
        if not url.startswith("postgres"):
            raise WinbackError(
                f"{OWN_DATABASE} names no PostgreSQL.",
                "Set it to postgresql+psycopg://user:password@host:port/database, or leave it unset.",
            )
        note = self.state_dir / "airflow" / "migrated"
        installed = metadata.version("apache-airflow-core")
        if note.exists() and note.read_text() == f"{installed} {_schema_version(url)}":
            return
        log = self.state_dir / "logs" / "db-migrate.log"
        with log.open("wb") as file:
            command = [*AIRFLOW, "db", "migrate"]
            done = subprocess.run(
                command, env=variables, cwd=self.state_dir, stdout=file, stderr=file, check=False
            )
        if done.returncode:
            raise _failure("Airflow's database could not be prepared", Child("db-migrate", self.state_dir))
        note.write_text(f"{installed} {_schema_version(url)}")
        progress("Airflow's database is ready")

    def _wait_until_healthy(self, known: Login) -> None:
        expected = [name.replace("-", "_") for name in self.components if name != "api-server"]
        children = [Child(name, self.state_dir) for name in (*self.others, *self.components)]
        deadline = time.monotonic() + HEALTHY_SECONDS
        with httpx.Client(base_url=known.url, trust_env=False, timeout=60) as http:
            while time.monotonic() < deadline:
                for child in children:
                    if not child.is_running():
                        raise _failure(f"{child.name} ended while Airflow was starting", child)
                try:
                    # The API that tasks talk to is built at its first request, too slowly for the first task.
                    is_ready = http.get("/execution/health").is_success
                    health = http.get("/api/v2/monitor/health").json()
                    if is_ready and all(health[name]["status"] == "healthy" for name in expected):
                        return
                except (httpx.TransportError, ValueError):
                    pass
                time.sleep(0.2)
        raise _failure(f"Airflow was not healthy within {HEALTHY_SECONDS} seconds", children[-1])


def _failure(problem: str, child: Child) -> WinbackError:
    return WinbackError(
        f"{problem}. The end of {child.log}:\n{child.tail()}",
        "Mend the cause and run the same command again; nothing was left running.",
    )


def _schema_version(url: str) -> str:
    """Return the version of the tables in Airflow's database, "" if there are none."""
    address = f"postgresql://{url.split('://', 1)[1]}"
    try:
        with connect_to(address, "Airflow's database", OWN_DATABASE) as connection:
            (version,) = connection.execute("select version_num from alembic_version").fetchone() or ("",)
            return str(version)
    except psycopg.errors.UndefinedTable:
        return ""


def _exit(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)
