"""Send each message at most once by itself, and know afterwards what became of it.

SMTP cannot say whether a message got through when the line breaks after its text has been sent: such an
outcome is noted as unknown and left to a person. Every recipient of an issue stands in the ledger before the
first mail leaves, so that no crash loses anybody. A message is archived, then claimed there, and the claim
committed, before a byte of it leaves. A second sender waits for the first one's lock and then finds it sent.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import psycopg

from winback.config import Settings
from winback.connections import connection_url
from winback.errors import WinbackError
from winback.report.archive import Archive
from winback.report.ledger import Ledger
from winback.report.mail_server import MailServer, NotSent, Refused, Unknown
from winback.report.size import fitted


@dataclass(frozen=True)
class SendSummary:
    """How many messages met which end; `unknown` includes what an earlier run left so.

    `silent` counts the recipients to whom there was nothing to say, `dropped` what a person let go.
    """

    sent: int = 0
    already_sent: int = 0
    refused: int = 0
    unknown: int = 0
    silent: int = 0
    dropped: int = 0

    def __add__(self, other: "SendSummary") -> "SendSummary":
        counts = Counter(asdict(self)) + Counter(asdict(other))
        return SendSummary(**counts)


@dataclass(frozen=True)
class Mail:
    """One recipient's mail of an issue; it is made only if it goes out, and not at all if it says nothing."""

    address: str
    message_id: str
    make: Callable[[], EmailMessage | None] = field(repr=False)


@dataclass(frozen=True)
class Post:
    """How mail leaves: the server, who may get any, how large it may be, and where it is kept as sent.

    `smtp_url` is `smtp://`, `smtp+starttls://` or `smtps://`, with user:password@ where needed, special
    characters percent-encoded.
    """

    smtp_url: str = field(repr=False)
    archive: Archive
    max_bytes: int = 10_000_000
    domains: tuple[str, ...] = ()
    timeout: timedelta = timedelta(seconds=60)

    @classmethod
    def of(cls, settings: Settings) -> "Post":
        """Return what the configuration says of it."""
        mail = settings.mail
        return cls(
            smtp_url=connection_url(mail.connection),
            archive=Archive(mail.archive_place, mail.archive_url),
            max_bytes=mail.max_bytes,
            domains=mail.recipient_domains,
            timeout=mail.timeout,
        )

    def may_reach(self, address: str) -> bool:
        """Tell whether mail may go to an address."""
        return not self.domains or domain_of(address) in self.domains


def domain_of(address: str) -> str:
    """Return an address's domain as the configuration writes it."""
    return address.rpartition("@")[2].lower()


def send_report(
    connection: psycopg.Connection[Any], post: Post, report: str, period: str, mails: Sequence[Mail]
) -> SendSummary:
    """Send the mails of one issue of a report, one recipient each, none that was sent before.

    Raises:
        WinbackError: the server cannot be reached or does not let us in, or the archive cannot be written;
            what has not left stays pending.
    """
    ledger = Ledger(connection, report, period)
    message_ids = {mail.address.lower(): mail.message_id for mail in mails}
    if len(message_ids) < len(mails):
        raise ValueError("two messages of one report and period go to the same recipient")
    ledger.announce(message_ids)
    try:
        with MailServer(post.smtp_url, post.timeout.total_seconds()) as server:
            return SendSummary(**Counter(_Delivery(ledger, post, mail).send(server) for mail in mails))
    finally:
        post.archive.write_index(report, period)


def end_of(ledger: Ledger, recipient: str) -> str | None:
    """Return what became of a message that is not to be sent (again); ask under its lock."""
    state, _ = ledger.standing(recipient)
    if state == "sending":
        ledger.note(recipient, "unknown", "the sender died while it was sending")
        return "unknown"
    ends = {"sent": "already_sent", "unknown": "unknown", "dropped": "dropped"}
    return ends.get(state)


def hand_over(ledger: Ledger, recipient: str, send: Callable[[], None]) -> str:
    """Claim a message, let it leave, and note what came of it; return a field of SendSummary.

    Raises:
        WinbackError: it has not left, and stays pending.
    """
    ledger.claim(recipient)
    try:
        send()
    except Unknown as error:
        ledger.note(recipient, "unknown", str(error))
        return "unknown"
    except Refused as error:
        ledger.note(recipient, "refused", str(error))
        return "refused"
    except NotSent as error:
        ledger.note(recipient, "pending", str(error))
        raise WinbackError(
            f"{ledger.report} {ledger.period}: {error}; the message has not left and stays pending.",
            "see that the server takes messages from this machine, then run the task again",
        ) from None
    ledger.note(recipient, "sent")
    return "sent"


@dataclass(frozen=True)
class _Delivery:
    """One mail and its row of the ledger."""

    ledger: Ledger
    post: Post
    mail: Mail

    @property
    def recipient(self) -> str:
        """Return the address as the ledger writes it."""
        return self.mail.address.lower()

    def send(self, server: MailServer) -> str:
        """Hand the mail over unless that is done, and note what came of it; return a field of SendSummary."""
        with self.ledger.only_sender(self.recipient):
            if end := end_of(self.ledger, self.recipient):
                return end
            if not self.post.may_reach(self.recipient):
                domain = domain_of(self.recipient)
                return self._refuse(f"{domain} is not among mail.recipient_domains in winback.yml")
            try:
                message = self.mail.make()
            except WinbackError as error:
                return self._refuse(error.problem)
            if message is None:
                self.ledger.withdraw(self.recipient)
                return "silent"
            server.connect()
            return self._hand_over(server, message)

    def _hand_over(self, server: MailServer, message: EmailMessage) -> str:
        _, attempts = self.ledger.standing(self.recipient)
        archive, place = self.post.archive, (self.ledger.report, self.ledger.period, self.recipient)
        path = archive.path(*place, attempts + 1)
        text = self._archived(message, path)
        (sender,) = message["From"].addresses

        def send() -> None:
            server.hand_over(sender.addr_spec, self.mail.address, text)

        try:
            end = hand_over(self.ledger, self.recipient, send)
        except WinbackError:
            archive.forget(path)
            raise
        if end == "refused":
            archive.forget(path)
        return end

    def _archived(self, message: EmailMessage, path: Path) -> bytes:
        """Keep the message as it is about to leave, and return it so."""
        archive = self.post.archive
        text, left_out = fitted(message, self.post.max_bytes, path, archive.place_of)
        try:
            archive.keep(path, text, message)
            for file, content in left_out.items():
                file.write_bytes(content)
        except OSError as error:
            raise WinbackError(
                f"{archive.folder}: mails cannot be kept there ({error.strerror}); nothing leaves unkept.",
                "make room, or let Winback write there; mail.archive in winback.yml names the folder",
            ) from None
        return text

    def _refuse(self, reason: str) -> str:
        self.ledger.note(self.recipient, "refused", reason)
        return "refused"
