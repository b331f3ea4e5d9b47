"""What the processes we start need from the machine: a free port, a private file, a lock, memory."""

import fcntl
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

PORTS = range(20_000, 30_000)  # below the range from which systems take ports for outgoing connections


def is_free(port: int) -> bool:
    """Tell whether a server could listen at this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a port of 127.0.0.1 at which nobody listens."""
    while not is_free(port := secrets.choice(PORTS)):
        pass
    return port


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read; after a crash it holds the old text or the new."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.rename(path)


def memory_bytes() -> int:
    """Return the machine's memory, or what a container may use of it."""
    limit = Path("/sys/fs/cgroup/memory.max")
    allowed = limit.read_text().strip() if limit.exists() else "max"
    total = int(psutil.virtual_memory().total)
    return total if allowed == "max" else min(total, int(allowed))


@contextmanager
def locked(file: Path, busy: Exception | None = None) -> Iterator[None]:
    """Hold a file's lock, which one process at a time can; wait for it, or raise `busy` if given."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if busy is None else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            assert busy is not None
            raise busy from None
        yield
