"""What `winback doctor` reports: one line per check, with numbers, and for each fault its fix."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Finding:
    """One check's outcome: counts and names of columns, never a value of a row."""

    level: Level
    place: str
    said: str
    fix: str | None = None

    def __str__(self) -> str:
        line = f"{self.level:<4}  {self.place}: {self.said}"
        return f"{line}\n      fix: {self.fix}" if self.fix else line


def ok(place: str, said: str) -> Finding:
    """Return a check that holds."""
    return Finding(Level.OK, place, said)


def warn(place: str, said: str, fix: str) -> Finding:
    """Return something a person should look at."""
    return Finding(Level.WARN, place, said, fix)


def fail(place: str, said: str, fix: str) -> Finding:
    """Return a fault that keeps data out or makes them wrong."""
    return Finding(Level.FAIL, place, said, fix)


def by_share(place: str, said: str, share: float, fail_above: float, fix: str) -> Finding:
    """Return a fault or, where it concerns few rows only, something to look at."""
    return fail(place, said, fix) if share > fail_above else warn(place, said, fix)
