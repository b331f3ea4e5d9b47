"""Messages that are too large for a mail server: what is attached stays behind, and the mail says where."""

from collections.abc import Callable
from email.message import EmailMessage, Message
from email.policy import SMTP
from html import escape
from pathlib import Path

from winback.report.mail_pages import attachment_path

_NOTICES = {
    "zh": "附件太大，未随信附上（本邮件上限 {limit} MB），请到这里查看：{places}",
    "en": "What was attached is too large for this mail (at most {limit} MB). It lies here: {places}",
}


def fitted(
    message: EmailMessage, max_bytes: int, path: Path, place_of: Callable[[Path], str]
) -> tuple[bytes, dict[Path, bytes]]:
    """Return a message as bytes, and the files that it has become too large for.

    Only attachments are left out; a message that is too large without any is returned as it is. `path` is
    where the message is archived, `place_of` says where readers find a file beside it.
    """
    whole = message.as_bytes(policy=SMTP)
    attached = [part for part in message.iter_attachments() if part.get_content_disposition() == "attachment"]
    if len(whole) <= max_bytes or not attached:
        return whole, {}
    files = {attachment_path(path, part): _content(part) for part in attached}
    message.set_payload([part for part in message.iter_parts() if part not in attached])
    notice = _NOTICES[_language(message)].format(
        limit=f"{max_bytes / 1_000_000:g}", places=", ".join(place_of(file) for file in files)
    )
    _add_notice(message, notice)
    return message.as_bytes(policy=SMTP), files


def _add_notice(message: EmailMessage, notice: str) -> None:
    """Say it at the top of the plain text and of the HTML."""
    if plain := message.get_body(("plain",)):
        plain.set_content(f"! {notice}\n\n{plain.get_content()}")
    if page := message.get_body(("html",)):
        text: str = page.get_content()
        start = text.find(">", max(text.find("<body"), 0)) + 1 if "<body" in text else 0
        bar = f'<p style="margin:0;padding:12px 16px;background:#fef3c7;color:#78350f">{escape(notice)}</p>'
        page.set_content(text[:start] + bar + text[start:], subtype="html")


def _language(message: EmailMessage) -> str:
    """Return the language that the message, or the part of it that holds the texts, says it is in."""
    tags = (str(part["Content-Language"]) for part in message.walk() if part["Content-Language"])
    return "zh" if next(tags, "en").startswith("zh") else "en"


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content
