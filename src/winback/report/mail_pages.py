"""A mail as files that a person can look at, offline: as it is, its text, its HTML, and what was attached.

The HTML file holds its pictures, runs no script and loads nothing.
"""

import base64
import glob
import html
import re
import uuid
from collections.abc import Iterable, Iterator
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import default
from itertools import takewhile
from pathlib import Path
from urllib.parse import quote

_STYLE = """
body { font: 15px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
  max-width: 1000px; margin: 32px auto; padding: 0 20px;
  color: #1e293b; background: #fff; color-scheme: light dark }
table { width: 100%; border-collapse: collapse }
th, td { padding: 9px 12px 9px 0; border-bottom: 1px solid #e2e8f0; text-align: left; vertical-align: top;
  overflow-wrap: anywhere }
th, small { color: #526075; font-weight: 400; font-size: 13px }
a { color: #0f766e }
b.again { color: #b91c1c; font-weight: 400; font-size: 13px }
@media (prefers-color-scheme: dark) {
  body { color: #e8edf4; background: #151e2e } th, td { border-color: #2b3a52 } a { color: #5eead4 }
  th, small { color: #9fb0c6 } b.again { color: #fca5a5 } }
"""
# A mail may hold anything: its page runs no script and loads nothing.
_NO_SCRIPTS = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
)


def read_mail(content: bytes) -> EmailMessage:
    """Return the message that these bytes are."""
    return BytesParser(EmailMessage, policy=default).parsebytes(content)


def write_beside(path: Path, mail: EmailMessage) -> None:
    """Write what belongs to the mail at `path`: `.txt`, `.html`, and what was attached."""
    attached = {attachment_path(path, part): part for part in mail.iter_attachments() if _is_attached(part)}
    for file, part in attached.items():
        file.write_bytes(part.get_payload(decode=True))  # type: ignore[arg-type]
    path.with_suffix(".txt").write_text(_body(mail, "plain"), encoding="utf-8")
    path.with_suffix(".html").write_text(_page(mail, path, attached), encoding="utf-8")


def files_of(path: Path) -> list[Path]:
    """Return the mail at `path` with all that was written beside it."""
    return [path, *(file for file in path.parent.glob(f"{glob.escape(path.stem)}.*") if file != path)]


def attachment_path(path: Path, part: Message) -> Path:
    """Return where an attachment of the mail at `path` lies."""
    name = re.sub(r"[^\w.-]+", "-", part.get_filename() or "attachment").lstrip(".-")[-80:]
    return path.with_name(f"{path.stem}.{name or 'attachment'}")


def list_page(title: str, note: str, header: Iterable[str], rows: Iterable[str]) -> str:
    """Return a page with a table; the cells of `rows` are HTML already."""
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{html.escape(title)}</title>{_NO_SCRIPTS}'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>{html.escape(title)}</h1><p>{note}</p>"
        f"<table><tr>{''.join(f'<th>{name}</th>' for name in header)}</tr>{''.join(rows)}</table>"
        "</body></html>"
    )


def mail_row(path: Path, mail: Message, mark: str = "") -> str:
    """Return one mail's row of a list: when, to whom, and links to its files."""
    links = [_link(path.with_suffix(kind), kind[1:]) for kind in (".txt", ".eml")]
    return (
        f"<tr><td>{_escaped(mail, 'Date')}</td><td>{_escaped(mail, 'To')}</td>"
        f"<td>{_link(path.with_suffix('.html'), _text(mail, 'Subject'))}{mark}</td>"
        f"<td><small>{' · '.join(links)}</small></td></tr>"
    )


def read_headers(path: Path) -> EmailMessage:
    """Return a kept mail's headers; its bodies are not read."""
    with path.open("rb") as file:
        lines: Iterator[bytes] = iter(file)
        head = list(takewhile(lambda line: line.strip(), lines))
    return read_mail(b"".join(head))


def replace_file(path: Path, content: bytes) -> None:
    """Write a file that its readers see whole, as it was or as it is now."""
    unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.new")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def _text(mail: Message, header: str) -> str:
    return str(mail[header] or "")


def _escaped(mail: Message, header: str) -> str:
    return html.escape(_text(mail, header))


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return str(part.get_content()) if part else ""


def _page(mail: EmailMessage, path: Path, attached: Iterable[Path]) -> str:
    """Return the mail's HTML with its pictures inside, and headers and attachments on top."""
    page = _body(mail, "html") or f"<pre>{html.escape(_body(mail, 'plain'))}</pre>"
    for part in mail.walk():
        if isinstance(part, EmailMessage) and part["Content-ID"] and part.get_content_maintype() == "image":
            picture = base64.b64encode(part.get_content()).decode()
            name = str(part["Content-ID"]).strip("<>")
            page = page.replace(f"cid:{name}", f"data:{part.get_content_type()};base64,{picture}")
    headers = "".join(
        f"<div><b>{header}</b> {_escaped(mail, header)}</div>" for header in ("Date", "From", "To", "Subject")
    )
    files = [(path.with_suffix(".txt"), "text version"), (path, "eml")]
    files += [(file, file.name.removeprefix(f"{path.stem}.")) for file in attached]
    links = " · ".join(
        _link(file, name, ' style="color:#99f6e4"')
        for file, name in [*files, (path.with_name("index.html"), "all mails")]
    )
    bar = (
        '<div style="background:#1e293b;color:#cbd5e1;font:13px/1.6 system-ui,sans-serif;padding:10px 16px;'
        f'overflow-wrap:anywhere">{headers}<div>{links}</div></div>'
    )
    page = page.replace("<head>", f"<head>{_NO_SCRIPTS}", 1)
    body = re.search(r"<body[^>]*>", page)
    return (
        page[: body.end()] + bar + page[body.end() :]
        if body
        else f'<!doctype html><meta charset="utf-8">{_NO_SCRIPTS}{bar}{page}'
    )


def _is_attached(part: Message) -> bool:
    return part.get_content_disposition() == "attachment"


def _link(file: Path, text: str, style: str = "") -> str:
    return f'<a{style} href="{quote(file.name)}">{html.escape(text)}</a>'
