"""Worker processes that send an issue of a report: `python -m tests.faults.sender <archive folder>`."""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from tests.faults.loader import serve
from winback.report.archive import Archive
from winback.report.deliver import Mail, Post, send_report

REPORT = "weekly"
TIMEOUT = timedelta(milliseconds=500)


def mail(period: str, address: str) -> EmailMessage:
    """Return a message; each making of it is another one, as a rendered mail's date is."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "Winback <winback@example.com>", address
    message["Subject"] = period
    message["Message-ID"] = f"<{period}.{address}>"
    message.set_content(f"made by process {os.getpid()}")
    return message


def send(connection: psycopg.Connection[Any], smtp_url: str, archive: Path, issue: list[Any]) -> None:
    """Send an issue to its recipients."""
    period, addresses = issue
    post = Post(smtp_url, Archive(archive), timeout=TIMEOUT)
    mails = [Mail(address, f"<{period}.{address}>", partial(mail, period, address)) for address in addresses]
    send_report(connection, post, REPORT, period, mails)


def _send(archive: Path) -> Callable[[Any], None]:
    def work(issue: list[Any]) -> None:
        with psycopg.connect(os.environ["WINBACK_WAREHOUSE_URL"], autocommit=True) as connection:
            send(connection, os.environ["WINBACK_CONN_SMTP"], archive, issue)

    return work


if __name__ == "__main__":
    serve(_send(Path(sys.argv[1])))
