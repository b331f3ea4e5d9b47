"""Turn rows into one e-mail message: no database, no clock, no network."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from typing import Any, Literal

import css_inline
import mjml

from winback.config import Settings
from winback.report import chart
from winback.report.definition import Report
from winback.report.glossary import explain
from winback.report.language import LOCALES, Formats, plain, read_words
from winback.report.period import Period
from winback.report.quality_page import page_name
from winback.report.query import ReportRows
from winback.report.scope import Language, Recipient
from winback.report.templates import read_templates, render_sentences

_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


@dataclass(frozen=True)
class House:
    """What all mails of one company share."""

    sender: str
    name: Mapping[Language, str]
    currency: str
    tax: Literal["included", "excluded", "not_stated"] = "not_stated"
    pages_url: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> "House":
        """Return what the configuration says of it."""
        return cls(
            sender=settings.mail.sender,
            name={"en": settings.company.name_en, "zh": settings.company.name_zh},
            currency=settings.business.currency,
            tax=settings.business.tax,
            pages_url=settings.pages.url,
        )

    def quality_page(self, day: date, language: Language) -> str | None:
        """Return where readers find the page about a day's data quality, if anywhere."""
        return f"{self.pages_url.rstrip('/')}/{page_name(day, language)}" if self.pages_url else None


def render(
    report: Report,
    rows: ReportRows,
    recipient: Recipient,
    *,
    period: Period,
    as_of_date: date,
    issued_at: datetime,
    house: House,
    definitions: Mapping[str, str],
) -> EmailMessage:
    """Make one recipient's message: plain text, HTML, and the charts that the HTML shows.

    Text from the data is cut to a length on its way in and escaped where it is shown. The Message-ID depends
    on report, period and recipient only: a mail that went out twice can be told.

    Raises:
        WinbackError: a word of the report's glossary is not among the definitions.
    """
    words = read_words(report.folder, recipient.language)
    formats = Formats(recipient.language, house.currency)
    templates = read_templates(report.folder, recipient.language)
    identity = message_id(report.name, period.name, recipient.address, house.sender)
    blocks = {name: [plain(row) for row in found] for name, found in rows.blocks.items()}
    charts = {
        name: picture
        for name, kind in report.file.charts.items()
        if (picture := chart.draw(kind, blocks[kind.block], words.gettext, formats))
    }
    content_ids = {name: f"{name}.{_digest(identity)}@winback" for name in charts}
    labels = {name: words.gettext(label) for name, label in report.file.glossary.items()}
    context: dict[str, Any] = {
        **blocks,
        "figures": {row["name"]: row for row in blocks.get("figures", ())},
        "report": report.file,
        "scope": rows.scope,
        "scope_name": plain(rows.scope.name) or words.gettext("All customers"),
        "period": period,
        "as_of_date": as_of_date,
        "house": house,
        "quality_page": house.quality_page(as_of_date, recipient.language),
        "company": house.name[recipient.language],
        "language_tag": LOCALES[recipient.language].replace("_", "-"),
        "charts": content_ids,
        "glossary": explain(labels, definitions, recipient.language),
        "show": formats,
    }
    context["sentences"] = render_sentences(templates, context)
    mjml_source = templates.get_template("template.mjml.j2").render(context)

    message = EmailMessage(policy=SMTP)
    message["From"] = _address(house.sender)
    message["To"] = Address(plain(recipient.name), addr_spec=recipient.address)
    message["Subject"] = context["sentences"]["subject"]
    message["Date"] = issued_at
    message["Message-ID"] = identity
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(templates.get_template("template.txt.j2").render(context))
    message.add_alternative(_INLINER.inline(mjml.mjml2html(mjml_source, fonts={})), subtype="html")
    message["Content-Language"] = context["language_tag"]
    html_part = message.get_payload(1)
    assert isinstance(html_part, EmailMessage)
    for name, picture in charts.items():
        cid = f"<{content_ids[name]}>"
        html_part.add_related(picture, "image", "png", cid=cid, filename=f"{name}.png", disposition="inline")
    return message


def message_id(report: str, period: str, recipient: str, sender: str) -> str:
    """Return the Message-ID of a report's issue for a recipient; the address cannot be read from it."""
    return (
        f"<{report}.{period}.{_digest(report, period, recipient)}@{_address(sender).domain or 'localhost'}>"
    )


def _digest(*key: str) -> str:
    return hashlib.sha256("\n".join(key).lower().encode()).hexdigest()[:20]


def _address(text: str) -> Address:
    name, address = parseaddr(text)
    return Address(name, addr_spec=address)
