"""Child processes that may outlive us: each with its log, and a file by which a later run can end it."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

CLOCK_SECONDS = 5  # by so much a process's start time may seem to move when the machine's clock is set


@dataclass(frozen=True)
class Child:
    """A long-running command, in a session of its own: the terminal's Ctrl-C does not reach it.

    Log in `<state>/logs/<name>.log` (the run before: `.old`), process number in `<state>/run/<name>.json`.
    """

    name: str
    state_dir: Path

    @property
    def log(self) -> Path:
        """Return the file with everything that the command says."""
        return self.state_dir / "logs" / f"{self.name}.log"

    @property
    def _pid_file(self) -> Path:
        return self.state_dir / "run" / f"{self.name}.json"

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start the command; end it with `stop`, also from another process."""
        for file in (self.log, self._pid_file):
            file.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".old"))
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=self.state_dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        process.returncode = 0  # from here on it is found by its file, and Popen need not watch it
        started = psutil.Process(process.pid).create_time()
        self._pid_file.write_text(json.dumps({"pid": process.pid, "started": started}))

    def is_running(self) -> bool:
        """Tell whether the command itself, not only something it started, is alive."""
        pid = self._pid()
        return bool(pid) and _session(pid) == pid

    def family(self) -> list[psutil.Process]:
        """Return the living processes of the command's session: it and all that came from it."""
        pid = self._pid()
        return [process for process in psutil.process_iter() if pid and _session(process.pid) == pid]

    def tail(self, lines: int = 12) -> str:
        """Return the end of the log, indented, for an error message."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        last = text.rstrip().splitlines()[-lines:] or ["(it said nothing)"]
        return "\n".join(f"    {line}" for line in last)

    def forget(self) -> None:
        """Delete the file by which the command was found."""
        self._pid_file.unlink(missing_ok=True)

    def _pid(self) -> int:
        """Return the command's process number; 0 if there is none, or another program has it now."""
        try:
            known = json.loads(self._pid_file.read_text())
        except (OSError, ValueError):
            return 0
        pid: int = known["pid"]
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # if it is a child of this process, and dead, let it go
        try:
            is_ours = abs(psutil.Process(pid).create_time() - known["started"]) < CLOCK_SECONDS
        except psutil.NoSuchProcess:
            is_ours = True  # dead, but what it started may live on
        return pid if is_ours else 0


def known(state_dir: Path) -> list[Child]:
    """Return the commands that were started under this state folder and not stopped, alive or not."""
    return [Child(file.stem, state_dir) for file in sorted((state_dir / "run").glob("*.json"))]


def stop(children: Iterable[Child], grace_seconds: float, *, leaders_only: bool = False) -> list[str]:
    """End these commands and all that came from them; return the names of those that were alive.

    They are asked first (SIGTERM), or with `leaders_only` the command itself, which lets its own children
    finish. What is left after `grace_seconds` is killed.
    """
    children = list(children)
    alive = {child: family for child in children if (family := child.family())}
    for family in alive.values():
        leader = [process for process in family if leaders_only and process.pid == _session(process.pid)]
        _signal(leader or family, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while any(child.family() for child in alive) and time.monotonic() < deadline:
        time.sleep(0.05)
    while left := [process for child in alive for process in child.family()]:
        _signal(left, signal.SIGKILL)
        time.sleep(0.05)
    for child in children:
        child.forget()
    return [child.name for child in alive]


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _session(pid: int) -> int:
    """Return the number of the process that began this one's session; 0 if this one is dead."""
    try:
        return 0 if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE else os.getsid(pid)
    except (OSError, psutil.Error):
        return 0
