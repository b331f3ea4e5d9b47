"""Send each message at most once by itself, and know afterwards what became of it.

SMTP cannot say whether a message got through when the line breaks after its text has been sent: such an
outcome is noted as unknown and left to a person. The ledger is `ops.deliveries`; a message
is claimed there, and the claim committed, before a byte of it leaves. Meanwhile its sender holds a lock in
the database, so that a second sender waits and then finds it sent. A claim without a lock was left by a
sender that died, and its outcome is unknown too.
"""

import smtplib
import ssl
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Literal, LiteralString
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.pq import TransactionStatus

from winback.errors import WinbackError

State = Literal["pending", "sending", "sent", "refused", "unknown"]

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_TIMEOUT_SECONDS = 60
_TAKEN = (250, 251)  # taken; taken, to be forwarded


@dataclass(frozen=True)
class SendSummary:
    """How many messages met which end; `unknown` includes what an earlier run left so."""

    sent: int = 0
    already_sent: int = 0
    refused: int = 0
    unknown: int = 0


class _Refused(Exception):
    """The server answered, and did not take the message."""


class _NotSent(Exception):
    """The line broke before the text of the message was on it."""


class _Unknown(Exception):
    """The line broke when the text of the message may have arrived."""


def send_report(
    connection: psycopg.Connection[Any],
    smtp_url: str,
    report: str,
    period: str,
    messages: Iterable[EmailMessage],
) -> SendSummary:
    """Send messages of one issue of a report, one recipient each, none that was sent before.

    `messages` may be a generator: each is asked for when the one before is settled. The connection must not
    be inside a transaction. `smtp_url` is `smtp://`, `smtp+starttls://` or `smtps://`, with user:password@
    where needed, special characters percent-encoded.

    Raises:
        WinbackError: the server cannot be reached or does not let us in; what has not left stays pending.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError("the ledger needs a connection that is not inside a transaction")
    ends: list[str] = []
    seen: set[str] = set()
    with _Server(smtp_url) as server:
        for message in messages:
            delivery = _Delivery(connection, report, period, message)
            if delivery.recipient in seen:
                raise ValueError("two messages of one report and period go to the same recipient")
            seen.add(delivery.recipient)
            ends.append(delivery.send(server))
    return SendSummary(**Counter(ends))


@dataclass(frozen=True)
class _Delivery:
    """One message and its row of the ledger."""

    connection: psycopg.Connection[Any]
    report: str
    period: str
    message: EmailMessage

    @property
    def recipient(self) -> str:
        """Return the one address that the message goes to, as the ledger writes it."""
        (address,) = self.message["To"].addresses
        return str(address.addr_spec).lower()

    def send(self, server: "_Server") -> str:
        """Claim the message, hand it over, note what came of it; return a field of SendSummary."""
        text = self.message.as_bytes(policy=SMTP)
        (sender,), (recipient,) = self.message["From"].addresses, self.message["To"].addresses
        with self._only_one_sender():
            state = self._state()
            if state in ("sent", "unknown"):
                return "already_sent" if state == "sent" else state
            if state == "sending":
                return self._note("unknown", "the sender died while it was sending")
            server.connect()
            self._claim()
            try:
                server.hand_over(sender.addr_spec, recipient.addr_spec, text)
            except _Refused as error:
                return self._note("refused", str(error))
            except _Unknown as error:
                return self._note("unknown", str(error))
            except _NotSent as error:
                self._note("pending", str(error))
                raise WinbackError(
                    f"{self.report} {self.period}: {error}; the message has not left and stays pending.",
                    "see that the mail server takes mail from this machine, then run the task again",
                ) from None
            return self._note("sent")

    @contextmanager
    def _only_one_sender(self) -> Iterator[None]:
        """Wait until nobody else sends this very message; the lock ends with its holder at the latest."""
        name = ["\n".join(("winback delivery", *self._key))]
        self._execute("select pg_advisory_lock(hashtextextended(%s, 0))", name)
        try:
            yield
        finally:
            if not self.connection.closed:
                self._execute("select pg_advisory_unlock(hashtextextended(%s, 0))", name)

    def _state(self) -> State | None:
        row = self._execute(
            "select state from ops.deliveries where (report, period, recipient) = (%s, %s, %s)", self._key
        )
        return row[0] if row else None

    def _claim(self) -> None:
        self._execute(
            """
            insert into ops.deliveries
                (report, period, recipient, state, message_id, attempts, first_attempt_at)
            values (%s, %s, %s, 'sending', %s, 1, clock_timestamp())
            on conflict (report, period, recipient) do update set
                state = excluded.state,
                message_id = excluded.message_id,
                attempts = deliveries.attempts + 1,
                first_attempt_at = coalesce(deliveries.first_attempt_at, excluded.first_attempt_at),
                updated_at = clock_timestamp(),
                error = null
            """,
            [*self._key, str(self.message["Message-ID"])],
        )

    def _note(self, state: State, error: str | None = None) -> State:
        self._execute(
            """
            update ops.deliveries set state = %s, error = %s, updated_at = clock_timestamp()
            where (report, period, recipient) = (%s, %s, %s)
            """,
            [state, error, *self._key],
        )
        return state

    @property
    def _key(self) -> tuple[str, str, str]:
        return self.report, self.period, self.recipient

    def _execute(self, query: LiteralString, values: Sequence[Any]) -> tuple[Any, ...] | None:
        """Run one statement in a transaction of its own: it is committed when this returns."""
        with self.connection.transaction():
            cursor = self.connection.execute(query, values)
            return cursor.fetchone() if cursor.description else None


class _Server:
    """A mail server by its URL, on one line that is made when it is needed, and anew when it broke."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise WinbackError(
                f"The mail server's URL begins with {parts.scheme or 'nothing'!r} or lacks the host.",
                "write smtp://host:25, smtp+starttls://user:password@host:587 or smtps://user:password@host:465",
            )
        self._scheme, self._host = parts.scheme, parts.hostname
        self._port = parts.port or _PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> "_Server":
        return self

    def __exit__(self, *_: object) -> None:
        if self._smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._smtp.quit()

    def connect(self) -> None:
        """See that there is a line and that somebody answers on it."""
        with suppress(smtplib.SMTPException, OSError):
            if self._smtp is not None and self._smtp.noop()[0] in _TAKEN:
                return
        try:
            self._smtp = self._open()
        except (smtplib.SMTPException, OSError) as error:
            reason = f"{type(error).__name__}: {error}"
            if isinstance(error, smtplib.SMTPAuthenticationError):
                reason = "it refuses the user name or password"
            raise WinbackError(
                f"The mail server {self._host}:{self._port} cannot be used: {reason}.",
                "see that it runs, then check host, port, user and password in the mail connection's URL",
            ) from None

    def hand_over(self, sender: str, recipient: str, text: bytes) -> None:
        """Give a message to the server, which takes it, or one of our three errors says how it ended."""
        assert self._smtp is not None
        try:
            self._expect(*self._smtp.mail(sender))
            self._expect(*self._smtp.rcpt(recipient))
        except UnicodeEncodeError:
            raise _Refused("an address is not ASCII, and such mail is not supported yet") from None
        except (smtplib.SMTPException, OSError) as error:
            raise _NotSent(f"the mail server broke off ({type(error).__name__})") from None
        try:
            self._expect(*self._smtp.data(text))
        except smtplib.SMTPDataError as error:  # it did not even want the text
            self._expect(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            raise _Unknown(f"the line broke after the text was sent ({type(error).__name__})") from None

    def _expect(self, code: int, answer: bytes | str) -> None:
        if code in _TAKEN:
            return
        with suppress(smtplib.SMTPException, OSError):
            assert self._smtp is not None
            self._smtp.rset()
        raise _Refused(f"{code} {answer.decode(errors='replace') if isinstance(answer, bytes) else answer}")

    def _open(self) -> smtplib.SMTP:
        safe = ssl.create_default_context()
        where: dict[str, Any] = {"host": self._host, "port": self._port, "timeout": _TIMEOUT_SECONDS}
        is_tls = self._scheme == "smtps"
        smtp = smtplib.SMTP_SSL(context=safe, **where) if is_tls else smtplib.SMTP(**where)
        if self._scheme == "smtp+starttls":
            smtp.starttls(context=safe)
        if self._user:
            smtp.login(self._user, self._password)
        smtp.ehlo_or_helo_if_needed()
        return smtp
