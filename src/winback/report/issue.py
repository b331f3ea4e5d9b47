"""One issue of a report: about which period, to whom, when, and what became of each mail.

Every report with a period goes out through here; what it says stands in its folder. `as_of` is the last day
that an issue may speak of: it is about the newest period that is over by then, and due on the day after.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from winback import warehouse
from winback.build import published_day
from winback.config import Bot, RecipientConfig, ReportConfig, Settings
from winback.connections import connection_url
from winback.errors import WinbackError
from winback.holidays import Holidays
from winback.incidents import Incident, incident_on_failure, open_incidents
from winback.report.bots import Robot
from winback.report.definition import Report, load_report
from winback.report.deliver import Mail, Post, SendSummary, end_of, hand_over, send_report
from winback.report.glossary import read_definitions
from winback.report.ledger import Ledger
from winback.report.outbox import Outbox
from winback.report.period import Period, last_complete
from winback.report.query import ReportRows, Row, read_rows
from winback.report.render import House, message_id, render
from winback.report.restated import note_figures
from winback.report.scope import Language, Recipient, scope_of, with_account_managers
from winback.report.timing import day_of_issue, goes_out, hindrances, is_overdue
from winback.tasks.signature import with_numbers
from winback.warehouse.schema import ensure_schema


@dataclass(frozen=True)
class Issue:
    """A report about one period, as the warehouse knows it now."""

    settings: Settings
    report: Report
    period: Period
    published: date
    missing: tuple[Row, ...]

    def mails(
        self,
        connection: psycopg.Connection[Any],
        recipients: Iterable[Recipient],
        definitions: Mapping[str, str],
    ) -> list[Mail]:
        """Return one mail per recipient; each is read and rendered when it is about to leave."""

        def made(recipient: Recipient) -> EmailMessage | None:
            rows = self.rows(connection, recipient)
            if rows is None:
                return None
            note_figures(connection, self.report, recipient, self.period, rows)
            return self.render(rows, recipient, definitions)

        sender = self.settings.mail.sender
        return [
            Mail(
                recipient.address,
                message_id(self.report.name, self.period.name, recipient.address, sender),
                partial(made, recipient),
            )
            for recipient in recipients
        ]

    def headline(
        self, connection: psycopg.Connection[Any], bot: Bot, definitions: Mapping[str, str]
    ) -> str | None:
        """Return what a group is told: the mail's subject, and its first sentence."""
        group = Recipient("group@localhost", "", bot.language, scope_of(bot.scope))
        if (rows := self.rows(connection, group)) is None:
            return None
        message = self.render(rows, group, definitions)
        return f"{message['Subject']}\n{message['Comments']}"

    def rows(self, connection: psycopg.Connection[Any], recipient: Recipient) -> ReportRows | None:
        """Read what a recipient is told; None for managers who left, and where there is nothing to say."""
        rows = read_rows(connection, self.report, recipient, self.period, self.published)
        if rows is None or self.report.file.is_silent(rows.blocks):
            return None
        blocks = {**rows.blocks, "missing": self.missing}
        if "tasks" in blocks:
            blocks["tasks"] = with_numbers(blocks["tasks"])
        return replace(rows, blocks=blocks)

    def render(self, rows: ReportRows, recipient: Recipient, definitions: Mapping[str, str]) -> EmailMessage:
        """Make a recipient's message of its rows."""
        return render(
            self.report,
            rows,
            recipient,
            period=self.period,
            as_of_date=self.published,
            issued_at=datetime.now(UTC).astimezone(self.settings.zone),
            house=House.of(self.settings),
            definitions=definitions,
        )


def is_ready(settings: Settings, name: str, as_of: date) -> bool:
    """Tell whether an issue need not wait any longer: for its days, its deadline, or the next workday."""
    today = datetime.now(settings.zone).date()
    if today < _issued_on(settings, name, as_of):
        return False
    with warehouse.connect(autocommit=True) as connection:
        published, hindered_by, period = _standing(connection, name, as_of)
    return _goes_out(settings, name, as_of, period, published, hindered_by)


def send_issue(settings: Settings, name: str, as_of: date) -> dict[str, int]:
    """Send every recipient an issue of a report, unless it was sent before; return the counts.

    What was sent with a warning, about days that could not be published, is not sent again.

    Raises:
        WinbackError: the days are not published yet, nobody receives the report, the mail server cannot be
            reached, or not every mail got through. Whatever has not left is tried again by the next run,
            except where a mail may have arrived.
    """
    with (
        warehouse.connect(autocommit=True) as connection,
        warehouse.connect(autocommit=True) as reading,
        incident_on_failure(connection, "report", name, as_of + timedelta(days=1)),
    ):
        ensure_schema(connection)
        issue = _issue(connection, settings, name, as_of)
        everyone, definitions = recipients(settings, name, issue.published), read_definitions()
        ledger = Ledger(connection, name, issue.period.name)
        ledger.announce({f"bot:{bot}": f"bot:{bot}" for bot in _bots(settings, name)})
        mails = issue.mails(reading, everyone, definitions)
        summary = send_report(connection, Post.of(settings), name, issue.period.name, mails)
        summary += SendSummary(
            **Counter(
                _post(ledger, bot, config, partial(issue.headline, reading, config, definitions))
                for bot, config in _bots(settings, name).items()
            )
        )
        if summary.refused or summary.unknown:
            raise WinbackError(
                f"{name} {issue.period.name}: {summary.sent} messages sent, {summary.already_sent} sent"
                f" before, {summary.refused} refused, {summary.unknown} of unknown outcome.",
                f"winback deliveries list --report {name} --period {issue.period.name}"
                " says why, and what to do about each",
            )
    return asdict(summary)


def preview_issue(
    settings: Settings,
    name: str,
    as_of: date,
    folder: Path,
    *,
    address: str | None = None,
    language: Language | None = None,
) -> int:
    """Write the mails of an issue into a folder, all or one recipient's; return how many.

    Nothing is sent, and nothing noted in the ledger. What an earlier preview left in the folder goes.

    Raises:
        WinbackError: the days are not published yet, nobody receives the report, or nobody of that address.
    """
    definitions = read_definitions()
    with warehouse.connect(autocommit=True) as connection:
        issue = _issue(connection, settings, name, as_of)
        chosen = _chosen(recipients(settings, name, issue.published), name, address, language)
        shutil.rmtree(folder, ignore_errors=True)
        outbox = Outbox(folder, "A preview: nothing was sent.")
        kept = 0
        for recipient in chosen:
            if rows := issue.rows(connection, recipient):
                outbox.keep(issue.render(rows, recipient, definitions).as_bytes(policy=SMTP))
                kept += 1
    return kept


def standing_of(settings: Settings, name: str, as_of: date) -> Counter[str]:
    """Count the recipients of an issue by what the ledger says of their mails; `new` are not in it yet."""
    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        issue = _issue(connection, settings, name, as_of)
        states = Ledger(connection, name, issue.period.name).states()
    everyone = recipients(settings, name, issue.published)
    return Counter(states.get(recipient.address.lower(), "new") for recipient in everyone)


def recipients(settings: Settings, name: str, as_of_date: date) -> list[Recipient]:
    """Return everyone who receives a report.

    Raises:
        WinbackError: nobody does, or an address occurs twice.
    """
    config = _config(settings, name)
    with warehouse.connect(autocommit=True) as connection:
        named = [_recipient(person) for person in config.recipients]
        everyone = with_account_managers(
            connection,
            named,
            config.account_managers,
            as_of_date,
            has_tasks=load_report(name).has_tasks,
            with_superiors=config.superiors,
        )
    if not everyone:
        raise WinbackError(
            f"{name}: nobody receives it.", f"name recipients under reports.{name} in winback.yml"
        )
    return everyone


def _chosen(
    everyone: Sequence[Recipient], name: str, address: str | None, language: Language | None
) -> list[Recipient]:
    chosen = [
        replace(recipient, language=language or recipient.language)
        for recipient in everyone
        if address is None or recipient.address.lower() == address.lower()
    ]
    if not chosen:
        raise WinbackError(
            f"{name}: none of its {len(everyone)} recipients has the address {address}.",
            f"name one of reports.{name}.recipients in winback.yml, or of the present account managers",
        )
    return chosen


def _issue(connection: psycopg.Connection[Any], settings: Settings, name: str, as_of: date) -> Issue:
    """Return the issue, unless its days are still waited for."""
    published, hindered_by, period = _standing(connection, name, as_of)
    if published is None or not _goes_out(settings, name, as_of, period, published, hindered_by):
        raise WinbackError(
            f"{name} {period.name}: the marts show {published or 'no day'}, "
            f"the {load_report(name).file.period} ends {period.ends_on}; nothing was sent.",
            f"winback build --day {period.ends_on}",
        )
    missing = tuple(_missing(incident) for incident in hindered_by)
    if published < period.ends_on and not missing:  # merely late, and the deadline is over
        missing = ({"feed": None, "source_id": None, "from_day": published + timedelta(days=1)},)
    return Issue(settings, load_report(name), period, published, missing)


def _standing(
    connection: psycopg.Connection[Any], name: str, as_of: date
) -> tuple[date | None, tuple[Incident, ...], Period]:
    """Return the day that the marts show, what keeps them from going on, and the period in question."""
    kind = load_report(name).file.period
    if kind is None:
        raise WinbackError(
            f"{name} is sent when something happens; it has no issues.",
            "choose a report whose report.yml names a period",
        )
    period, published = last_complete(kind, as_of), published_day(connection)
    return published, hindrances(open_incidents(connection), published, period.ends_on), period


def _goes_out(  # noqa: PLR0917 -- what is asked for (four), and what the warehouse says (two)
    settings: Settings,
    name: str,
    as_of: date,
    period: Period,
    published: date | None,
    hindered_by: Sequence[Incident],
) -> bool:
    config, now = _config(settings, name), datetime.now(settings.zone)
    overdue = is_overdue(_issued_on(settings, name, as_of), config.deadline, now, settings.zone)
    return goes_out(published, period.ends_on, hindered_by, config.when_stopped, overdue=overdue)


def _issued_on(settings: Settings, name: str, as_of: date) -> date:
    planned, holidays = as_of + timedelta(days=1), Holidays(settings.business.holidays)
    return day_of_issue(planned, _config(settings, name).on_days_off, holidays)


def _bots(settings: Settings, name: str) -> dict[str, Bot]:
    return {bot: config for bot, config in settings.bots.items() if name in config.reports}


def _post(ledger: Ledger, name: str, bot: Bot, headline: Callable[[], str | None]) -> str:
    """Let a robot post a headline, unless it did before; return a field of SendSummary."""
    recipient = f"bot:{name}"
    with ledger.only_sender(recipient):
        if end := end_of(ledger, recipient):
            return end
        if (text := headline()) is None:
            ledger.withdraw(recipient)
            return "silent"
        robot = Robot(bot.service, connection_url(bot.connection))
        return hand_over(ledger, recipient, lambda: robot.post(text))


def _config(settings: Settings, name: str) -> ReportConfig:
    return settings.reports.get(name) or ReportConfig()


def _missing(incident: Incident) -> Row:
    """Return what the report lacks: a feed from a source, or any figures at all."""
    feed, _, source = incident.subject.partition(" from ")
    return {
        "feed": feed if incident.stage == "load" else None,
        "source_id": source or None,
        "from_day": incident.business_day,
    }


def _recipient(person: RecipientConfig) -> Recipient:
    return Recipient(person.address, person.name, person.language, scope_of(person.scope))
