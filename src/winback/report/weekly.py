"""The weekly report: who receives it, about which week, and what became of each mail."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any, Literal

import psycopg

from winback import warehouse
from winback.build import published_day
from winback.config import RecipientConfig, Settings
from winback.connections import connection_url
from winback.days import last_sunday
from winback.errors import WinbackError
from winback.incidents import Incident, incident_on_failure, open_incidents
from winback.report.definition import load_report
from winback.report.deliver import send_report
from winback.report.glossary import read_definitions
from winback.report.outbox import Outbox
from winback.report.period import Period, iso_week
from winback.report.query import Row, read_rows
from winback.report.render import House, render
from winback.report.scope import Language, Recipient, Scope, with_account_managers

NAME = "weekly_retention"


def is_ready(settings: Settings, issued_on: date) -> bool:
    """Tell whether a report that is issued on this day need not wait any longer."""
    period = iso_week(last_sunday(issued_on))
    with warehouse.connect(autocommit=True) as connection:
        published, hindered_by = _standing(connection, period)
    return goes_out(published, period.ends_on, hindered_by, _when_stopped(settings))


def goes_out(
    published: date | None,
    ends_on: date,
    hindered_by: Sequence[Incident],
    when_stopped: Literal["hold", "warn"],
) -> bool:
    """Tell whether a week's report goes out: complete, or with a warning if something keeps it incomplete.

    A week that is merely late is waited for in any case.
    """
    if published is None:
        return False
    return published >= ends_on or (when_stopped == "warn" and len(hindered_by) > 0)


def hindrances(incidents: Iterable[Incident], published: date | None, ends_on: date) -> tuple[Incident, ...]:
    """Return the first incident of each place that keeps the marts from going on to the end of a week."""
    first: dict[tuple[str, str], Incident] = {}
    for incident in sorted(incidents, key=lambda found: found.business_day):
        is_in_the_way = published is None or published < incident.business_day
        if incident.stage != "report" and is_in_the_way and incident.business_day <= ends_on:
            first.setdefault((incident.stage, incident.subject), incident)
    return tuple(first.values())


def send_weekly_retention(settings: Settings, issued_on: date) -> dict[str, int]:
    """Send every recipient the week before `issued_on`, unless it was sent before; return the counts.

    What was sent with a warning, about a week that could not be published, is not sent again.

    Raises:
        WinbackError: the week is not published yet, nobody receives the report, the mail server cannot be
            reached, or not every mail got through. Whatever has not left is tried again by the next run,
            except where a mail may have arrived.
    """
    period = iso_week(last_sunday(issued_on))
    with (
        warehouse.connect(autocommit=True) as connection,
        incident_on_failure(connection, "report", NAME, issued_on),
    ):
        smtp_url = connection_url(settings.mail.connection)
        messages = _messages(settings, period, *_published(connection, settings, period))
        summary = send_report(connection, smtp_url, NAME, period.name, messages)
        if summary.refused or summary.unknown:
            raise WinbackError(
                f"{NAME} {period.name}: {summary.sent} mails sent, {summary.already_sent} sent before, "
                f"{summary.refused} refused by the server, {summary.unknown} of unknown outcome.",
                "see ops.deliveries: refused mails are tried again by the next run; ask the recipients of "
                "the unknown ones, and set their state to sent or to refused",
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
        standing = _published(connection, settings, period)
    shutil.rmtree(folder, ignore_errors=True)
    outbox = Outbox(folder, "A preview: nothing was sent.")
    kept = [outbox.keep(message.as_bytes(policy=SMTP)) for message in _messages(settings, period, *standing)]
    return len(kept)


def _published(
    connection: psycopg.Connection[Any], settings: Settings, period: Period
) -> tuple[date, tuple[Incident, ...]]:
    """Return the day that the marts show, and what keeps them from showing the whole week."""
    published, hindered_by = _standing(connection, period)
    if published is None or not goes_out(published, period.ends_on, hindered_by, _when_stopped(settings)):
        raise WinbackError(
            f"{NAME} {period.name}: the marts show {published or 'no day'}, "
            f"the week ends {period.ends_on}; nothing was sent.",
            f"winback build --day {period.ends_on}",
        )
    return published, hindered_by


def _standing(
    connection: psycopg.Connection[Any], period: Period
) -> tuple[date | None, tuple[Incident, ...]]:
    published = published_day(connection)
    return published, hindrances(open_incidents(connection), published, period.ends_on)


def _when_stopped(settings: Settings) -> Literal["hold", "warn"]:
    return settings.reports[NAME].when_stopped if NAME in settings.reports else "hold"


def _messages(
    settings: Settings, period: Period, as_of_date: date, hindered_by: Sequence[Incident]
) -> Iterator[EmailMessage]:
    """Render one message per recipient, each when the one before has left."""
    report, definitions = load_report(NAME), read_definitions()
    house = House.of(settings)
    missing = tuple(_missing(incident) for incident in hindered_by)
    with warehouse.connect(autocommit=True) as connection:
        for recipient in recipients(settings, as_of_date):
            rows = read_rows(connection, report, recipient, period, as_of_date)
            if rows is not None:
                yield render(
                    report,
                    replace(rows, blocks={**rows.blocks, "missing": missing}),
                    recipient,
                    period=period,
                    as_of_date=as_of_date,
                    issued_at=datetime.now(UTC).astimezone(settings.zone),
                    house=house,
                    definitions=definitions,
                )


def _missing(incident: Incident) -> Row:
    """Return what the report lacks: a feed from a source, or any figures at all."""
    feed, _, source = incident.subject.partition(" from ")
    return {
        "feed": feed if incident.stage == "load" else None,
        "source_id": source or None,
        "from_day": incident.business_day,
    }


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
