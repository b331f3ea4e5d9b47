"""The mail about incidents: data engineers learn, once of each, what failed and what to do about it."""

import logging
from collections import Counter
from dataclasses import asdict
from datetime import UTC, date, datetime
from email.message import EmailMessage
from typing import Any

import psycopg
from psycopg.rows import dict_row

from winback import warehouse
from winback.config import Settings
from winback.errors import WinbackError
from winback.feeds import FEEDS
from winback.incidents import Incident, Stage, described, is_incident_open, open_incident, open_incidents
from winback.report.definition import load_report
from winback.report.deliver import Mail, Post, SendSummary, send_report
from winback.report.period import Period
from winback.report.quality_page import write_quality_pages
from winback.report.query import ReportRows, Row
from winback.report.render import House, message_id, render
from winback.report.scope import Language, Recipient, Scope, ScopedCustomers, with_account_managers
from winback.warehouse.schema import ensure_schema

NAME = "data_incident"
_NOBODY = ScopedCustomers(None, 0)  # an incident is about no customers

log = logging.getLogger(__name__)


def report_failure(
    settings: Settings, dag_id: str, task: str, day: date, error: BaseException | None
) -> None:
    """Open an incident for a task whose last try has failed, unless it has one, and mail what is open.

    `task` is the task's id, which names its feed, and the feed of a mapped task. Whatever hinders the mail is
    logged and no more: the task's own error is what counts.
    """
    stage, subject = place_of(dag_id, task)
    try:
        with warehouse.connect(autocommit=True) as connection:
            ensure_schema(connection)
            if not is_incident_open(connection, stage, subject, day):
                open_incident(connection, stage, subject, day, *described(error, f"{dag_id}, task {task},"))
            _write_pages(settings, {incident.business_day for incident in open_incidents(connection)})
        log.info("Mails about incidents: %s", mail_open_incidents(settings))
    except WinbackError as problem:
        log.error("Nobody was told of this failure by mail. %s", problem)


def _write_pages(settings: Settings, days: set[date]) -> None:
    """Write the pages that the mails link to; a mail without its page is better than none."""
    for day in sorted(days):
        try:
            write_quality_pages(settings, day, settings.pages.place)
        except Exception as problem:
            log.error("The page about data quality on %s was not written: %s.", day, type(problem).__name__)


def place_of(dag_id: str, task: str) -> tuple[Stage, str]:
    """Return where a task's failure belongs; a DAG that neither loads nor builds is named like its report."""
    if dag_id == "build_warehouse":
        return "build", "warehouse"
    feed = next((name for name in FEEDS if name in task), task)
    if dag_id == "backfill":
        return "load", f"backfill of {feed}"
    return ("load", feed) if dag_id.startswith("load_") else ("report", dag_id)


def mail_open_incidents(settings: Settings) -> dict[str, int]:
    """Mail every open incident to everyone who has not had it yet; return the counts.

    Raises:
        WinbackError: the mail server cannot be used, or an address occurs twice.
    """
    config = settings.reports.get(NAME)
    if config is None or not config.recipients:
        log.warning("Nobody is told of incidents: reports.%s in winback.yml names no recipients.", NAME)
        return asdict(SendSummary())
    ends: Counter[str] = Counter(asdict(SendSummary()))
    with warehouse.connect(autocommit=True) as connection:
        named = [
            Recipient(person.address, person.name, person.language, Scope("everything"))
            for person in config.recipients
        ]
        everyone = with_account_managers(connection, named, None, date.max)
        for incident in open_incidents(connection):
            period = Period(f"incident-{incident.incident_id}", incident.business_day, incident.business_day)
            mails = _mails(settings, connection, incident, period, everyone)
            ends.update(asdict(send_report(connection, Post.of(settings), NAME, period.name, mails)))
    return dict(ends)


def _mails(
    settings: Settings,
    connection: psycopg.Connection[Any],
    incident: Incident,
    period: Period,
    everyone: list[Recipient],
) -> list[Mail]:
    report = load_report(NAME)

    def message(recipient: Recipient) -> EmailMessage:
        return render(
            report,
            _read(settings, connection, incident, recipient.language),
            recipient,
            period=period,
            as_of_date=incident.business_day,
            issued_at=datetime.now(UTC).astimezone(settings.zone),
            house=House.of(settings),
            definitions={},
        )

    def mail(recipient: Recipient) -> Mail:
        identity = message_id(NAME, period.name, recipient.address, settings.mail.sender)
        return Mail(recipient.address, identity, lambda: message(recipient))

    return [mail(recipient) for recipient in everyone]


def _read(
    settings: Settings, connection: psycopg.Connection[Any], incident: Incident, language: Language
) -> ReportRows:
    """Return what the mail shows: the incident, its failed checks, and the reports that depend on its day."""
    parameters = {
        "incident_id": incident.incident_id,
        "language": language,
        "time_zone": settings.business.time_zone,
    }
    with connection.cursor(row_factory=dict_row) as cursor:
        blocks: dict[str, tuple[Row, ...]] = {
            block: tuple(cursor.execute(query, parameters)) for block, query in load_report(NAME).queries
        }
    blocks["reports"] = tuple(
        {"report": name, "when_stopped": config.when_stopped}
        for name, config in settings.reports.items()
        if name != NAME
    )
    return ReportRows(_NOBODY, blocks)
