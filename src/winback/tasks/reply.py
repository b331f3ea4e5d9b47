"""The mail that tells whoever sent a workbook of tasks which of its cells could not be taken.

It goes to the account managers for whom the numbers in the workbook were signed, at the address that the
warehouse knows, never to whoever a mail says it is from. It is announced before the workbook counts as read,
under the digest of its content: one mail for each workbook, however often it comes.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import psycopg

from winback.config import Settings
from winback.errors import WinbackError
from winback.incidents import incident_on_failure
from winback.report.definition import load_report
from winback.report.deliver import Mail, Post, SendSummary, send_report
from winback.report.ledger import Ledger, read_deliveries
from winback.report.period import Period
from winback.report.query import ReportRows
from winback.report.render import House, message_id, render
from winback.report.scope import Recipient, Scope, ScopedCustomers, is_address
from winback.tasks.wording import rows_refused, wrong_cells
from winback.tasks.workbook import Reading

NAME = "task_reply"
_OF_WORKBOOK = "workbook-"
_NOBODY = ScopedCustomers(None, 0)  # it shows no customers

Waiting = dict[str, list[str]]  # addresses by the digest of a workbook


def announce_reply(
    connection: psycopg.Connection[Any], settings: Settings, digest: str, reading: Reading
) -> None:
    """Note who is to hear of a workbook's wrong cells, if there are any and an owner can be reached."""
    if reading.problems and (owners := _owners(connection, settings, reading)):
        period = _OF_WORKBOOK + digest
        Ledger(connection, NAME, period).announce(
            {owner.address: message_id(NAME, period, owner.address, settings.mail.sender) for owner in owners}
        )


def replies_that_wait(connection: psycopg.Connection[Any]) -> Waiting:
    """Return whom replies have not reached for certain."""
    waiting: Waiting = {}
    for delivery in read_deliveries(connection, NAME):
        waiting.setdefault(delivery.period.removeprefix(_OF_WORKBOOK), []).append(delivery.recipient)
    return waiting


def send_replies(
    connection: psycopg.Connection[Any], settings: Settings, waiting: Waiting, readings: dict[str, Reading]
) -> dict[str, int]:
    """Send the replies that wait, as the workbooks read now; return the counts.

    Who has left meanwhile gets none, nor is one sent of a workbook in which nothing is wrong any more.

    Raises:
        WinbackError: the mail server cannot be used, or not every mail got through.
    """
    today, ends = datetime.now(settings.zone).date(), SendSummary()
    with incident_on_failure(connection, "report", NAME, today):
        for digest, addresses in waiting.items():
            period = Period(_OF_WORKBOOK + digest, today, today)
            mails = _mails(connection, settings, period, addresses, readings.get(digest))
            ends += send_report(connection, Post.of(settings), NAME, period.name, mails)
        if ends.refused or ends.unknown:
            raise WinbackError(
                f"{NAME}: {ends.sent} mails sent, {ends.refused} refused, {ends.unknown} of unknown outcome.",
                f"winback deliveries list --report {NAME} says why, and what to do about each",
            )
    return asdict(ends)


def reply(reading: Reading, recipient: Recipient, settings: Settings, period: Period) -> EmailMessage:
    """Make the mail about one workbook; it repeats nothing that stands in a cell."""
    cells = tuple(asdict(cell) for cell in wrong_cells(reading))
    counts = {"taken": len(reading.answers), "refused": rows_refused(reading), "cells": len(cells)}
    report = load_report(NAME)
    return render(
        report,
        ReportRows(_NOBODY, {"counts": (counts,), "cells": cells[: report.file.parameters["rows_listed"]]}),
        recipient,
        period=period,
        as_of_date=period.ends_on,
        issued_at=datetime.now(UTC).astimezone(settings.zone),
        house=House.of(settings),
        definitions={},
    )


def _mails(
    connection: psycopg.Connection[Any],
    settings: Settings,
    period: Period,
    addresses: list[str],
    reading: Reading | None,
) -> list[Mail]:
    owners = _owners(connection, settings, reading) if reading else []
    known = {owner.address: owner for owner in owners}

    def message(address: str) -> EmailMessage | None:
        if reading is None:
            raise WinbackError(
                "the workbook is no longer in the folder", "drop it there again, or let the mail go"
            )
        if address not in known or not reading.problems:
            return None
        return reply(reading, known[address], settings, period)

    def mail(address: str) -> Mail:
        identity = message_id(NAME, period.name, address, settings.mail.sender)
        return Mail(address, identity, lambda: message(address))

    return [mail(address) for address in addresses]


def _owners(connection: psycopg.Connection[Any], settings: Settings, reading: Reading) -> list[Recipient]:
    """Return whose tasks the workbook holds, as far as they are there and have an address."""
    if not reading.owners:
        return []
    rows = connection.execute(
        """
        select distinct on (lower(email)) lower(email), coalesce(name, ''), account_manager_key
        from marts.dim_account_manager
        where
            account_manager_key = any(%s)
            and email is not null
            and (left_on is null or left_on > %s)
        order by lower(email), account_manager_key
        """,
        [list(reading.owners), datetime.now(settings.zone).date()],
    ).fetchall()
    return [
        Recipient(email, name, reading.language, Scope("account_manager", key))
        for email, name, key in rows
        if is_address(email)
    ]
