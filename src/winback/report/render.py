"""Turn rows into one e-mail message: no database, no clock, no network."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from functools import cache
from pathlib import Path
from typing import Any, Literal

import css_inline
import mjml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from winback.report import chart
from winback.report.definition import Report
from winback.report.glossary import explain
from winback.report.language import LOCALES, Formats, plain, read_words
from winback.report.period import Period
from winback.report.query import ReportRows
from winback.report.scope import Language, Recipient

_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


@dataclass(frozen=True)
class House:
    """What all mails of one company share."""

    sender: str
    name: Mapping[Language, str]
    currency: str
    tax: Literal["included", "excluded", "not_stated"] = "not_stated"


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
    templates = _templates(report.folder, recipient.language)
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
        "company": house.name[recipient.language],
        "language_tag": LOCALES[recipient.language].replace("_", "-"),
        "charts": content_ids,
        "glossary": explain(labels, definitions, recipient.language),
        "show": formats,
    }
    context["sentences"] = _sentences(templates, context)
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


@cache
def _templates(folder: Path, language: Language) -> Environment:
    """Return a report's templates in one language; only MJML is markup and escapes what it shows."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=lambda name: name is not None and ".mjml" in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    words = read_words(folder, language)
    environment.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.filters["dial"] = lambda phone: re.sub(r"[^\d+]", "", phone)
    environment.globals["between_sentences"] = "" if language == "zh" else " "
    return environment


def _sentences(templates: Environment, context: Mapping[str, Any]) -> dict[str, str]:
    """Render the texts that both parts share, each on one line."""
    template = templates.get_template("sentences.txt.j2")
    sentences = {}
    for name, block in template.blocks.items():
        lines = "".join(block(template.new_context(dict(context)))).splitlines()
        spoken = [line.strip() for line in lines if line.strip()]
        sentences[name] = str(templates.globals["between_sentences"]).join(spoken)
    return sentences


def _address(text: str) -> Address:
    name, address = parseaddr(text)
    return Address(name, addr_spec=address)
