"""The ledger of mails, `ops.deliveries`: who gets an issue of a report, and what became of each mail.

pending    has not left; the next run sends it
sending    claimed by a sender, who holds a lock of the database meanwhile
sent       the server took it
refused    the server, or we, said no, for the reason in `error`; the next run tries again
unknown    it may have arrived; only a person can tell, and settles it
dropped    a person let it go

A claim without a lock was left by a sender that died, and its outcome is unknown too.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, LiteralString

import psycopg
from psycopg.pq import TransactionStatus

from winback.errors import WinbackError

State = Literal["pending", "sending", "sent", "refused", "unknown", "dropped"]
# What a person says became of a mail, and what the ledger says then.
Verdict = Literal["sent", "again", "dropped"]
VERDICTS: Mapping[Verdict, State] = {"sent": "sent", "again": "pending", "dropped": "dropped"}

_DIED = "the sender died while it was sending"


@dataclass(frozen=True)
class Delivery:
    """One recipient's mail of one issue, as the ledger knows it; `since` is when its state began."""

    report: str
    period: str
    recipient: str
    state: State
    attempts: int
    since: datetime
    error: str | None


@dataclass(frozen=True)
class Ledger:
    """The rows of one issue of a report. Each statement is a transaction: the connection is in autocommit."""

    connection: psycopg.Connection[Any]
    report: str
    period: str

    def __post_init__(self) -> None:
        is_idle = self.connection.info.transaction_status == TransactionStatus.IDLE
        if not (self.connection.autocommit and is_idle):
            raise ValueError("the ledger needs a connection in autocommit that is not inside a transaction")

    def announce(self, message_ids: Mapping[str, str]) -> None:
        """Note all recipients at once as pending, with the Message-ID of each; who is noted stays as is."""
        self._execute(
            """
            insert into ops.deliveries (report, period, recipient, state, message_id)
            select %s, %s, recipient, 'pending', message_id
            from unnest(%s::text[], %s::text[]) as announced (recipient, message_id)
            on conflict (report, period, recipient) do nothing
            """,
            [self.report, self.period, list(message_ids), list(message_ids.values())],
        )

    @contextmanager
    def only_sender(self, recipient: str) -> Iterator[None]:
        """Wait until nobody else sends this very mail; the lock ends with its holder at the latest."""
        self._execute("select pg_advisory_lock(hashtextextended(%s, 0))", self._lock(recipient))
        try:
            yield
        finally:
            self._unlock(recipient)

    def standing(self, recipient: str) -> tuple[State, int]:
        """Return a mail's state, and how often it was tried."""
        row = self._execute(
            "select state, attempts from ops.deliveries where (report, period, recipient) = (%s, %s, %s)",
            self._key(recipient),
        )
        return row if row else ("pending", 0)

    def states(self) -> dict[str, State]:
        """Return the state of every recipient's mail."""
        rows = self.connection.execute(
            "select recipient, state from ops.deliveries where (report, period) = (%s, %s)",
            [self.report, self.period],
        ).fetchall()
        return dict(rows)

    def claim(self, recipient: str) -> None:
        """Note that a mail is about to leave; committed when this returns."""
        self._execute(
            """
            update ops.deliveries set
                state = 'sending',
                attempts = attempts + 1,
                first_attempt_at = coalesce(first_attempt_at, clock_timestamp()),
                updated_at = clock_timestamp(),
                error = null
            where (report, period, recipient) = (%s, %s, %s)
            """,
            self._key(recipient),
        )

    def note(self, recipient: str, state: State, error: str | None = None) -> None:
        """Note what became of a mail."""
        self._execute(
            """
            update ops.deliveries set state = %s, error = %s, updated_at = clock_timestamp()
            where (report, period, recipient) = (%s, %s, %s)
            """,
            [state, error, *self._key(recipient)],
        )

    def withdraw(self, recipient: str) -> None:
        """Take back what was announced: there is nothing to say to this recipient."""
        self._execute(
            "delete from ops.deliveries where (report, period, recipient) = (%s, %s, %s)",
            self._key(recipient),
        )

    def note_if_sender_died(self, recipient: str) -> None:
        """Note a claim that nobody stands behind as unknown."""
        taken = self._execute("select pg_try_advisory_lock(hashtextextended(%s, 0))", self._lock(recipient))
        if taken == (True,):
            try:
                if self.standing(recipient)[0] == "sending":
                    self.note(recipient, "unknown", _DIED)
            finally:
                self._unlock(recipient)

    def settle(self, recipient: str, verdict: Verdict) -> None:
        """Note what a person says became of a mail.

        Raises:
            WinbackError: there is no such mail, it was sent, or somebody is sending it.
        """
        self.note_if_sender_died(recipient)
        with self.only_sender(recipient):
            state = self.states().get(recipient)
            if state is None:
                raise WinbackError(
                    f"The ledger holds no mail of {self.report} {self.period} to {recipient}.",
                    f"list what it holds: winback deliveries list --report {self.report} --all",
                )
            if state == "sent":
                raise WinbackError(
                    f"{self.report} {self.period} was sent to {recipient}; there is nothing to settle.",
                    "find the very mail in the archive (mail.archive), and forward it by hand if it is lost",
                )
            self.note(recipient, VERDICTS[verdict], f"settled by a person; it was {state} before")

    def _lock(self, recipient: str) -> list[str]:
        return ["\n".join(("winback delivery", *self._key(recipient)))]

    def _unlock(self, recipient: str) -> None:
        if not self.connection.closed:
            self._execute("select pg_advisory_unlock(hashtextextended(%s, 0))", self._lock(recipient))

    def _key(self, recipient: str) -> tuple[str, str, str]:
        return self.report, self.period, recipient

    def _execute(self, query: LiteralString, values: Sequence[Any]) -> tuple[Any, ...] | None:
        """Run one statement: it is committed when this returns."""
        cursor = self.connection.execute(query, values)
        return cursor.fetchone() if cursor.description else None


def read_deliveries(
    connection: psycopg.Connection[Any],
    report: str | None = None,
    period: str | None = None,
    *,
    with_settled: bool = False,
) -> list[Delivery]:
    """Return the mails of all issues, or of some; those that nothing is left to do about only if asked for.

    What a dead sender left behind is noted as unknown first.
    """
    if with_settled:
        states = ["pending", "sending", "refused", "unknown", "sent", "dropped"]
    else:
        states = ["pending", "sending", "refused", "unknown"]
    for found in _read(connection, report, period, ["sending"]):
        Ledger(connection, found.report, found.period).note_if_sender_died(found.recipient)
    return _read(connection, report, period, states)


def _read(
    connection: psycopg.Connection[Any], report: str | None, period: str | None, states: list[str]
) -> list[Delivery]:
    with connection.transaction():
        rows = connection.execute(
            """
            select report, period, recipient, state, attempts, updated_at, error
            from ops.deliveries
            where state = any(%(states)s)
                and (%(report)s::text is null or report = %(report)s)
                and (%(period)s::text is null or period = %(period)s)
            order by array_position(array['unknown', 'refused', 'pending', 'sending'], state),
                report, period, recipient
            """,
            {"states": states, "report": report, "period": period},
        ).fetchall()
    return [Delivery(*row) for row in rows]
