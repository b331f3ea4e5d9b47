"""The weekly report: who receives it, about which week, and what became of each mail."""

import shutil
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import psycopg

from winback import warehouse
from winback.build import published_day
from winback.config import RecipientConfig, Settings
from winback.connections import connection_url
from winback.days import last_sunday
from winback.errors import WinbackError
from winback.report.definition import load_report
from winback.report.deliver import send_report
from winback.report.glossary import read_definitions
from winback.report.outbox import Outbox
from winback.report.period import Period, iso_week
from winback.report.query import read_rows
from winback.report.render import House, render
from winback.report.scope import Language, Recipient, Scope, with_account_managers

NAME = "weekly_retention"


def is_ready(issued_on: date) -> bool:
    """Tell whether the marts show the last day of the week that a report issued on this day is about."""
    with warehouse.connect(autocommit=True) as connection:
        published = published_day(connection)
    return published is not None and published >= last_sunday(issued_on)


def send_weekly_retention(settings: Settings, issued_on: date) -> dict[str, int]:
    """Send every recipient the week before `issued_on`, unless it was sent before; return the counts.

    Raises:
        WinbackError: the week is not published yet, nobody receives the report, the mail server cannot be
            reached, or not every mail got through. Whatever has not left is tried again by the next run,
            except where a mail may have arrived.
    """
    period = iso_week(last_sunday(issued_on))
    smtp_url = connection_url(settings.mail.connection)
    with warehouse.connect(autocommit=True) as connection:
        messages = _messages(settings, period, _published(connection, period))
        summary = send_report(connection, smtp_url, NAME, period.name, messages)
    if summary.refused or summary.unknown:
        raise WinbackError(
            f"{NAME} {period.name}: {summary.sent} mails sent, {summary.already_sent} sent before, "
            f"{summary.refused} refused by the server, {summary.unknown} of unknown outcome.",
            "see ops.deliveries: refused mails are tried again by the next run; ask the recipients of the "
            "unknown ones, and set their state to sent or to refused",
        )
    return asdict(summary)


def preview_weekly_retention(settings: Settings, issued_on: date, folder: Path) -> int:
    """Write every recipient's mail about the week before `issued_on` into a folder; return how many.

    Nothing is sent, and nothing noted in the ledger. What an earlier preview left in the folder goes.

    Raises:
        WinbackError: the week is not published yet, or nobody receives the report.
    """
    period = iso_week(last_sunday(issued_on))
    with warehouse.connect(autocommit=True) as connection:
        published = _published(connection, period)
    shutil.rmtree(folder, ignore_errors=True)
    outbox = Outbox(folder, "A preview: nothing was sent.")
    kept = [outbox.keep(message.as_bytes(policy=SMTP)) for message in _messages(settings, period, published)]
    return len(kept)


def _published(connection: psycopg.Connection[Any], period: Period) -> date:
    published = published_day(connection)
    if published is None or published < period.ends_on:
        raise WinbackError(
            f"{NAME} {period.name}: the marts show {published or 'no day'}, "
            f"the week ends {period.ends_on}; nothing was sent.",
            f"winback build --day {period.ends_on}",
        )
    return published


def _messages(settings: Settings, period: Period, as_of_date: date) -> Iterator[EmailMessage]:
    """Render one message per recipient, each when the one before has left."""
    report, definitions = load_report(NAME), read_definitions()
    house = House(
        sender=settings.mail.sender,
        name={"en": settings.company.name_en, "zh": settings.company.name_zh},
        currency=settings.business.currency,
        tax=settings.business.tax,
    )
    with warehouse.connect(autocommit=True) as connection:
        for recipient in recipients(settings, as_of_date):
            rows = read_rows(connection, report, recipient, period, as_of_date)
            if rows is not None:
                yield render(
                    report,
                    rows,
                    recipient,
                    period=period,
                    as_of_date=as_of_date,
                    issued_at=datetime.now(UTC).astimezone(settings.zone),
                    house=house,
                    definitions=definitions,
                )


def recipients(settings: Settings, as_of_date: date) -> list[Recipient]:
    """Return everyone who receives the report.

    Raises:
        WinbackError: nobody does, or an address occurs twice.
    """
    config = settings.reports.get(NAME)
    named = [_recipient(person) for person in config.recipients] if config else []
    language: Language | None = config.account_managers if config else None
    with warehouse.connect(autocommit=True) as connection:
        everyone = with_account_managers(connection, named, language, as_of_date)
    if not everyone:
        raise WinbackError(
            f"{NAME}: nobody receives it.", f"name recipients under reports.{NAME} in winback.yml"
        )
    return everyone


def _recipient(person: RecipientConfig) -> Recipient:
    parts = {
        "region": person.scope.region,
        "business_line": person.scope.business_line,
        "account_manager": person.scope.account_manager,
    }
    chosen = [Scope(kind, key) for kind, key in parts.items() if key is not None]  # type: ignore[arg-type]
    return Recipient(
        person.address, person.name, person.language, chosen[0] if chosen else Scope("everything")
    )
