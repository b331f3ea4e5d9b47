"""Turn rows into one e-mail message: no database, no clock, no network."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from itertools import islice
from typing import Any, Literal

import css_inline
import mjml

from winback.config import Settings
from winback.report import chart, sparkline
from winback.report.definition import Report
from winback.report.glossary import explain
from winback.report.language import LOCALES, Formats, plain, read_words
from winback.report.period import Period
from winback.report.quality_page import page_name
from winback.report.query import ReportRows, Row
from winback.report.scope import Language, Recipient
from winback.report.templates import read_templates, render_sentences
from winback.report.workbook import write_workbook

_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
# MJML says it of tables and cells alike; on two hundred cells it is a fifth of what mail programs show uncut.
_OF_TABLES_ONLY = re.compile(
    r'(<t[dh][^>]* style=")border-collapse: collapse;mso-table-lspace: 0pt;mso-table-rspace: 0pt;?'
)
_XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")


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
    """Make one recipient's message: plain text, HTML with its charts, and the workbook and page attached.

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
    charts = _draw_charts(report, blocks, words.gettext, formats)
    workbook = write_workbook(report.file, blocks, words.gettext, formats)
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
        "has_workbook": workbook is not None,
        "has_page": bool(rows.page and any(rows.page.values())),
        "glossary": explain(labels, definitions, recipient.language),
        "show": formats,
    }
    figures = context["figures"]
    context["restated"] = [
        name
        for name, kind in report.file.figures.items()
        if name in figures and _is_restated(figures[name], kind.unit, formats)
    ]
    changed = {feed for name in context["restated"] for feed in figures[name]["changed_feeds"]}
    feed_words = report.file.words.get("feeds", {})
    context["changed_feeds"] = [words.gettext(feed_words.get(feed, feed)) for feed in sorted(changed)]
    context["sentences"] = render_sentences(templates, context)
    mjml_source = templates.get_template("template.mjml.j2").render(context)

    message = EmailMessage(policy=SMTP)
    message["From"] = _address(house.sender)
    message["To"] = Address(plain(recipient.name), addr_spec=recipient.address)
    message["Subject"] = context["sentences"]["subject"]
    message["Date"] = issued_at
    message["Message-ID"] = identity
    message["Auto-Submitted"] = "auto-generated"
    message["Comments"] = context["sentences"]["headline"]  # what robots of group chats post
    message.set_content(templates.get_template("template.txt.j2").render(context))
    html = _INLINER.inline(mjml.mjml2html(mjml_source, fonts={}))
    message.add_alternative(_OF_TABLES_ONLY.sub(r"\1", html), subtype="html")
    html_part = message.get_payload(1)
    assert isinstance(html_part, EmailMessage)
    for name, picture in charts.items():
        cid = f"<{content_ids[name]}>"
        html_part.add_related(picture, "image", "png", cid=cid, filename=f"{name}.png", disposition="inline")
    if workbook is not None:
        message.add_attachment(workbook, *_XLSX, filename=f"{report.name}_{period.name}.xlsx")
    if report.page is not None and context["has_page"]:
        page = _render_page(report.page, rows, recipient.language, context)
        message.add_attachment(page, "html", filename=f"{report.page.name}_{period.name}.html")
    message["Content-Language"] = context["language_tag"]  # last, or it would go into the first part
    return message


def _is_restated(figure: Row, unit: str, formats: Formats) -> bool:
    """Tell whether what was sent about the period before reads otherwise today."""
    sent, now = figure.get("before_as_sent"), figure.get("before")
    return sent is not None and now is not None and formats.figure(sent, unit) != formats.figure(now, unit)


def _draw_charts(
    report: Report,
    blocks: Mapping[str, Sequence[Row]],
    gettext: Callable[[str], str],
    formats: Formats,
) -> dict[str, bytes]:
    """Return the first charts of a report that have anything to show, as many as it shows."""
    drawn = (
        (name, picture)
        for name, kind in report.file.charts.items()
        if (picture := chart.draw(kind, blocks, gettext, formats))
    )
    return dict(islice(drawn, report.file.charts_shown))


def _render_page(page: Report, rows: ReportRows, language: Language, context: Mapping[str, Any]) -> str:
    """Return the page that a report attaches; it needs nothing but itself."""
    blocks = {name: [plain(row) for row in found] for name, found in (rows.page or {}).items()}
    own = {**context, **blocks, "report": page.file, "sparkline": sparkline.draw}
    template = read_templates(page.folder, language).get_template("page.html.j2")
    return template.render(own)


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
