"""A BI tool that reads the marts all the time, as `bi_reader`, and notes what it should never see."""

import threading
from collections.abc import Mapping
from datetime import date
from types import TracebackType
from typing import Any, Self

import psycopg

TIMEOUT = 60.0


class MartReader(threading.Thread):
    """Polls in transactions: each reads the version, one mart after the other, then all in one join.

    `as_of` says how each mart tells its day: a query without `marts.` in front, found by the search path.
    """

    def __init__(self, warehouse_url: str, as_of: Mapping[str, str]) -> None:
        super().__init__(daemon=True)
        self.polls, self.seen, self.problems = 0, set[date](), list[str]()
        self._url, self._as_of = warehouse_url, dict(as_of)
        self._polled, self._ends = threading.Condition(), threading.Event()

    def __enter__(self) -> Self:
        self.start()
        self.wait_for_poll()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        self.join(TIMEOUT)

    def wait_for_poll(self) -> None:
        """Return when a poll that begins after now has ended."""
        with self._polled:
            enough = self.polls + 2
            assert self._polled.wait_for(lambda: self.polls >= enough, TIMEOUT)

    def run(self) -> None:
        with psycopg.connect(self._url, options="-c search_path=marts") as connection:
            connection.execute("set role bi_reader")
            connection.commit()
            while not self._ends.wait(0.01):
                try:
                    with connection.transaction():
                        self._poll(connection)
                except psycopg.Error as error:
                    self.problems.append(f"{type(error).__name__}: {error}")
                with self._polled:
                    self.polls += 1
                    self._polled.notify_all()

    def _poll(self, connection: psycopg.Connection[Any]) -> None:
        found = {("version", *row) for row in connection.execute("select as_of_date from published_version")}
        for mart, query in self._as_of.items():
            found |= {(mart, *row) for row in connection.execute(query)}
        joined = " cross join ".join(f"({query}) as {mart} (as_of)" for mart, query in self._as_of.items())
        days = ", ".join(f"{mart}.as_of" for mart in self._as_of)
        # kept as a plan by the server, which must notice the exchange too
        for row in connection.execute(
            f"select as_of_date, {days} from published_version cross join {joined}", prepare=True
        ):
            found |= {("join", day) for day in row}
        versions = {day for _, day in found}
        if len(versions) != 1:
            self.problems.append(f"mixed versions: {sorted(found, key=str)}")
        self.seen |= versions
