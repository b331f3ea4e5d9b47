"""A client for the few things that Winback asks of Airflow's REST API."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from winback.errors import WinbackError

FINISHED = ("success", "failed")
POLL_SECONDS = 0.4
PARSE_SECONDS = 8  # so long a file may be in error and another not read yet


@dataclass(frozen=True)
class Run:
    """One run of a DAG, as it was when asked for."""

    dag_id: str
    run_id: str
    state: str
    partition_key: str | None
    queued_at: datetime

    @property
    def is_finished(self) -> bool:
        """Tell whether the run has ended, well or not."""
        return self.state in FINISHED


@dataclass(frozen=True)
class Client:
    """Airflow's API at `url`, entered as one user."""

    url: str
    username: str
    password: str
    _http: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_http", httpx.Client(base_url=self.url, trust_env=False, timeout=30))

    def import_errors(self) -> dict[str, str]:
        """Return the error of each DAG file that cannot be read, by file name."""
        found = self._ask("GET", "/api/v2/importErrors")["import_errors"]
        return {error["filename"]: error["stack_trace"] for error in found}

    def wait_for_dags(self, dag_ids: Iterable[str], timeout_seconds: float = 120) -> None:
        """Return once all these DAGs are parsed and switched on; WinbackError names what cannot be read."""
        missing, errors = set(dag_ids), dict[str, str]()
        began = time.monotonic()
        for _ in _until(timeout_seconds):
            missing -= {
                dag["dag_id"] for dag in self._ask("GET", "/api/v2/dags", params={"limit": 100})["dags"]
            }
            if not missing:
                return
            errors = self.import_errors()
            if errors and time.monotonic() - began > PARSE_SECONDS:
                break
        quoted = "".join(f"\n  {file}: {error.strip().splitlines()[-1]}" for file, error in errors.items())
        raise WinbackError(
            f"Airflow does not know the DAGs {', '.join(sorted(missing))}.{quoted}",
            "Mend the DAG files and run the same command again."
            if errors
            else "Read the log dag-processor.log.",
        )

    def pause(self, dag_id: str, is_paused: bool) -> None:
        """Switch a DAG off, or on."""
        self._ask("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": is_paused})

    def trigger(self, dag_id: str, partition_key: str | None = None, **conf: Any) -> Run:
        """Start a run, for a partition key (the business day) if given; `conf` holds no personal data."""
        body = {"logical_date": None, "partition_key": partition_key, "conf": conf}
        return _run(self._ask("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body))

    def runs(self, dag_id: str, partition_key: str | None = None) -> list[Run]:
        """Return the latest runs, newest first; those of one partition key if given."""
        params = {"limit": 100, "order_by": "-id"} | (
            {"partition_key_pattern": partition_key} if partition_key else {}
        )
        found = self._ask("GET", f"/api/v2/dags/{dag_id}/dagRuns", params=params)["dag_runs"]
        return [run for run in map(_run, found) if partition_key in (None, run.partition_key)]

    def wait(
        self,
        run: Run,
        timeout_seconds: float = 600,
        progress: Callable[[dict[str, str]], None] | None = None,
    ) -> Run:
        """Return the run once it has ended, well or not; `progress` gets the state of each task meanwhile."""
        for _ in _until(timeout_seconds):
            now = _run(self._ask("GET", f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}"))
            if progress:
                progress({task["task_id"]: task["state"] for task in self._tasks(run)})
            if now.is_finished:
                return now
        raise WinbackError(
            f"{run.dag_id} ({run.run_id}) did not end within {timeout_seconds:.0f} seconds.",
            f"Look at it in Airflow: {self.run_url(run)}",
        )

    def wait_for_consumer(self, dag_id: str, producer: Run, timeout_seconds: float = 60) -> Run:
        """Return the run that Airflow itself started for the producer's partition key after it began."""
        for _ in _until(timeout_seconds):
            found = [
                run for run in self.runs(dag_id, producer.partition_key) if run.queued_at > producer.queued_at
            ]
            if found:
                return found[-1]
        raise WinbackError(
            f"Airflow started no run of {dag_id} for {producer.partition_key} after {producer.run_id}.",
            "Look at its asset events in Airflow, or read the log scheduler.log.",
        )

    def failures(self, run: Run, lines: int = 15) -> dict[str, str]:
        """Return the end of the log of each failed task."""
        return {
            task["task_id"]: self._log(run, task["task_id"], task["try_number"], lines)
            for task in self._tasks(run)
            if task["state"] == "failed"
        }

    def run_url(self, run: Run) -> str:
        """Return the run's page in Airflow's UI."""
        return f"{self.url}/dags/{run.dag_id}/runs/{run.run_id}"

    def _tasks(self, run: Run) -> list[dict[str, Any]]:
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
        found: list[dict[str, Any]] = self._ask("GET", path)["task_instances"]
        return found

    def _log(self, run: Run, task_id: str, attempt: int, lines: int) -> str:
        path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/logs/{attempt}"
        content = self._ask("GET", path, params={"full_content": True})["content"]
        said = [line for entry in content for line in _lines(entry) if not line.startswith("::")]
        return "\n".join(said[-lines:])

    def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        answer = self._send(method, path, **request)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            login = {"username": self.username, "password": self.password}
            token = self._send("POST", "/auth/token", json=login).json().get("access_token")
            self._http.headers["Authorization"] = f"Bearer {token}"
            answer = self._send(method, path, **request)
        if answer.is_error:
            raise WinbackError(
                f"Airflow refused {method} {path}: {answer.status_code} {answer.text[:500]}",
                "Read the log api-server.log.",
            )
        content: dict[str, Any] = answer.json()
        return content

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **request)
        except httpx.TransportError as error:
            raise WinbackError(
                f"Airflow's API at {self.url} does not answer: {error or type(error).__name__}.",
                "Read the log api-server.log, and start again.",
            ) from error


def _run(found: dict[str, Any]) -> Run:
    queued_at = datetime.fromisoformat(found["queued_at"] or found["run_after"]).astimezone(UTC)
    return Run(found["dag_id"], found["dag_run_id"], found["state"], found["partition_key"], queued_at)


def _lines(entry: str | dict[str, Any]) -> list[str]:
    """Return what one entry of a task's log says, with the error if it tells of one."""
    if isinstance(entry, str):
        return [entry]
    errors = [f"{error['exc_type']}: {error['exc_value']}" for error in entry.get("error_detail") or []]
    return "\n".join([entry["event"], *errors]).splitlines()


def _until(seconds: float) -> Iterator[None]:
    """Yield at once, and again every POLL_SECONDS until the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        yield
        if time.monotonic() > deadline:
            return
        time.sleep(POLL_SECONDS)
