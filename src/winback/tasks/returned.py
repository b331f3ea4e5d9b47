"""Workbooks that came back: each becomes a file of contacts that a load reads, and a text that answers it.

    <folder>/<anything>.xlsx, .eml, .mbox    dropped by a person or a mailbox export; stays as it is
    <folder>/<the same name>.<digest>.txt    what was taken of it, and what is wrong with the rest
    <folder>/accepted/contacts_*.csv         the rows that hold; source `winback_tasks` of the feed `contacts`

Where cells are wrong, a mail to whoever has the tasks is announced, which `winback.tasks.reply` makes. The
digest of a workbook's content names its CSV: one that comes twice, under whatever name, counts once.
"""

import csv
import hashlib
import io
import mailbox
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from winback import warehouse
from winback.config import ANSWER_COLUMNS, Settings
from winback.report.deliver import SendSummary
from winback.rules.load import load_seed
from winback.tasks.reply import announce_reply, replies_that_wait, send_replies
from winback.tasks.signature import is_signed_for, secret
from winback.tasks.wording import answer_text, rows_refused
from winback.tasks.workbook import MOST_BYTES, Answer, Checks, Task, read_workbook
from winback.warehouse.schema import ensure_schema

_CHANNEL = "call"


@dataclass(frozen=True)
class ReturnedCounts:
    """What came back: counts only, fit for logs and XCom."""

    files: int = 0
    answers: int = 0
    refused: int = 0
    foreign: int = 0

    def __add__(self, other: "ReturnedCounts") -> "ReturnedCounts":
        return ReturnedCounts(**{name: value + asdict(other)[name] for name, value in asdict(self).items()})


def read_returned(settings: Settings) -> dict[str, int]:
    """Turn workbooks that are new in the folder into files of contacts; return the counts.

    Raises:
        WinbackError: numbers cannot be verified, as there is no secret, or there are no rules of reasons.
    """
    if settings.tasks is None:
        return asdict(ReturnedCounts())
    folder, accepted = settings.tasks.place, settings.tasks.accepted
    accepted.mkdir(parents=True, exist_ok=True)
    # No rows: the source has a file before anybody has answered, else its load would miss one.
    _write(accepted / "contacts_none.csv", as_csv((), {}))
    known = {path.stem.rpartition("_")[2] for path in accepted.glob("contacts_*.csv")}
    fresh = {digest: found for digest, found in workbooks(folder).items() if digest not in known}
    if not fresh:
        return asdict(ReturnedCounts())
    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        checks = read_checks(connection, settings)
        counts = ReturnedCounts()
        for place, (digest, (path, content)) in enumerate(fresh.items()):
            reading = read_workbook(content, checks)
            announce_reply(connection, settings, digest, reading)
            _write(path.with_name(f"{path.name}.{digest}.txt"), answer_text(reading))
            stamp = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            # Names sort as workbooks came: of two answers about one task and day, the later one's wins.
            _write(
                accepted / f"contacts_{stamp:%Y%m%dT%H%M%S%f}_{place:04}_{digest}.csv",
                as_csv(reading.answers, checks.tasks),
            )
            counts += ReturnedCounts(1, len(reading.answers), rows_refused(reading), int(not reading.is_ours))
    return asdict(counts)


def reply_to_returned(settings: Settings) -> dict[str, int]:
    """Mail what was announced of the workbooks in the folder; return the counts.

    Raises:
        WinbackError: the mail server cannot be used, or a mail was refused or may have got lost; the next run
            tries again what has not left.
    """
    if settings.tasks is None:
        return asdict(SendSummary())
    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        if not (waiting := replies_that_wait(connection)):
            return asdict(SendSummary())
        checks, arrived = read_checks(connection, settings), workbooks(settings.tasks.place)
        taken_on = _days_of_taking(settings.tasks.accepted, settings.zone)
        readings = {
            # A day to come was wrong when the workbook was taken, and its row is not in the CSV.
            digest: read_workbook(content, replace(checks, today=taken_on.get(digest, checks.today)))
            for digest, (_, content) in arrived.items()
            if digest in waiting
        }
        return send_replies(connection, settings, waiting, readings)


def _days_of_taking(accepted: Path, zone: ZoneInfo) -> dict[str, date]:
    """Return on which day each workbook was taken, by its digest: the day of its CSV."""
    return {
        path.stem.rpartition("_")[2]: datetime.fromtimestamp(path.stat().st_mtime, zone).date()
        for path in accepted.glob("contacts_*.csv")
    }


def workbooks(folder: Path) -> dict[str, tuple[Path, bytes]]:
    """Return every workbook in the folder by its digest, in the order they came, each once."""
    found: dict[str, tuple[Path, bytes]] = {}
    for path in _arrivals(folder):
        for content in _workbooks(path):
            found.setdefault(_digest(content), (path, content))
    return found


def as_csv(answers: tuple[Answer, ...], tasks: Mapping[str, Task]) -> str:
    """Write answers as the feed's columns; what is said of a task and a day is one contact."""
    text = io.StringIO()
    writer = csv.DictWriter(text, ANSWER_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for answer in answers:
        task = tasks[answer.task_id]
        source, _, customer = task.customer_key.partition(":")
        writer.writerow(
            {
                "contact_id": f"{answer.task_id}/{answer.contacted_on}",
                "customer_source_id": source,
                "customer_id": customer,
                "contacted_at": answer.contacted_on.isoformat(),
                "account_manager_id": answer.owner.partition(":")[2],
                "campaign_id": task.campaign_id,
                "task_id": answer.task_id,
                "channel": _CHANNEL,
                "outcome": answer.outcome,
                "reason_code": answer.reason_code,
                "competitor": answer.competitor,
                "note": answer.note,
            }
        )
    return text.getvalue()


def _arrivals(folder: Path) -> list[Path]:
    """Return what was dropped, oldest first; what Excel and mail programs hide is passed over."""
    found = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in (".xlsx", ".eml", ".mbox")
        and not path.name.startswith((".", "~$"))
        and path.is_file()
    ]
    return sorted(found, key=lambda path: (path.stat().st_mtime, path.name))


def _workbooks(path: Path) -> Iterator[bytes]:
    """Yield the workbook that a file is, or those attached to the mails in it."""
    match path.suffix.lower():
        case ".xlsx":
            with path.open("rb") as file:
                yield file.read(MOST_BYTES + 1)
        case ".eml":
            yield from _attached(message_from_bytes(path.read_bytes(), policy=default))
        case ".mbox":
            for message in mailbox.mbox(path, create=False):
                yield from _attached(message)


def _attached(message: Message) -> Iterator[bytes]:
    for part in message.walk():
        if str(part.get_filename() or "").lower().endswith(".xlsx"):
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                yield content


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _write(path: Path, text: str) -> None:
    """Write a file at once: a load that runs meanwhile sees all of it or nothing."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def read_checks(connection: psycopg.Connection[Any], settings: Settings) -> Checks:
    """Return what decides whether a row is taken today."""
    key = secret()
    rows = connection.execute(
        """
        select
            task_id, customer_key, campaign_id, created_on, array_agg(account_manager_key order by since desc)
        from ops.winback_tasks
        inner join ops.winback_task_owners using (task_id)
        group by 1
        """
    )
    return Checks(
        {
            task_id: Task(customer, campaign, day, tuple(owners))
            for task_id, customer, campaign, day, owners in rows
        },
        lambda task_id, signature, owner: is_signed_for(task_id, signature, owner, key),
        {row["reason_code"]: row["reason_class"] for row in load_seed("churn_reason_codes")},
        datetime.now(settings.zone).date(),
    )
