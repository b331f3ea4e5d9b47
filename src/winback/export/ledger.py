"""The ledger of exports, `ops.exports`: which list left for which day, and what became of it.

sending    on its way, or left so by a run that died; the next run goes on with the batches that are missing
sent       the target has all of it
refused    the target, or we, said no, for the reason in `error`; the next run tries again
unknown    the target may have taken a batch; the next run repeats it under the same idempotency key
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import psycopg

State = Literal["sending", "sent", "refused", "unknown"]


@dataclass(frozen=True)
class Batch:
    """Some of a list's customers, who leave together or not at all."""

    number: int
    customer_keys: frozenset[str]


@dataclass(frozen=True)
class Ledger:
    """The rows of one export for one day. The connection must commit by itself."""

    connection: psycopg.Connection[Any]
    export: str
    as_of_date: date

    @contextmanager
    def only_sender(self) -> Iterator[None]:
        """Wait until nobody else sends this very list; the lock ends with its holder at the latest."""
        lock = f"winback export\n{self.export}\n{self.as_of_date}"
        self.connection.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [lock])
        try:
            yield
        finally:
            if not self.connection.closed:
                self.connection.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", [lock])

    def state(self) -> State | None:
        """Return what became of the list, None if it was never drawn up."""
        row = self.connection.execute(
            "select state from ops.exports where (export, as_of_date) = (%s, %s)", self._key
        ).fetchone()
        return row[0] if row else None

    def draw_up(self, batches: Sequence[Sequence[str]], rows: int, digest: str) -> None:
        """Note what goes in which batch, unless that is settled; a list drawn up before stays as it was."""
        key = hashlib.sha256(f"{self.export}\n{self.as_of_date}\n{digest}".encode()).hexdigest()[:32]
        with self.connection.transaction(), self.connection.cursor() as cursor:
            cursor.execute(
                "insert into ops.exports (export, as_of_date, digest, idempotency_key, rows, state)"
                " values (%s, %s, %s, %s, %s, 'sending') on conflict do nothing",
                [*self._key, digest, key, rows],
            )
            if cursor.rowcount:
                cursor.executemany(
                    "insert into ops.export_batches (export, as_of_date, batch_no, customer_keys)"
                    " values (%s, %s, %s, %s)",
                    [(*self._key, number, list(keys)) for number, keys in enumerate(batches, start=1)],
                )

    def unsent(self) -> list[Batch]:
        """Return the batches that the target is not known to have."""
        rows = self.connection.execute(
            "select batch_no, customer_keys from ops.export_batches"
            " where (export, as_of_date) = (%s, %s) and sent_at is null order by batch_no",
            self._key,
        )
        return [Batch(number, frozenset(keys)) for number, keys in rows]

    def idempotency_key(self) -> str:
        """Return what the keys of all batches begin with."""
        row = self.connection.execute(
            "select idempotency_key from ops.exports where (export, as_of_date) = (%s, %s)", self._key
        ).fetchone()
        if row is None:
            raise LookupError(f"{self.export} was not drawn up for {self.as_of_date}")
        return str(row[0])

    def note_sent(self, batch: Batch, rows: int) -> None:
        """Note that the target has a batch."""
        self.connection.execute(
            "update ops.export_batches set rows_sent = %s, sent_at = clock_timestamp()"
            " where (export, as_of_date, batch_no) = (%s, %s, %s)",
            [rows, *self._key, batch.number],
        )

    def note(self, state: State, error: str | None = None) -> None:
        """Note what became of the list."""
        self.connection.execute(
            "update ops.exports set state = %s, error = %s, updated_at = clock_timestamp()"
            " where (export, as_of_date) = (%s, %s)",
            [state, error, *self._key],
        )

    @property
    def _key(self) -> tuple[str, date]:
        return self.export, self.as_of_date
