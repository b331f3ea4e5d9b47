"""A folder of mails that a person can look at: each as it is sent, and a page that lists them.

Each mail becomes three files: `.eml` as it is, `.html` with its pictures inside, `.txt`.
"""

import base64
import hashlib
import html
import re
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path

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


class Outbox:
    """A folder of mails, with a page that lists them. `note` says what became of them."""

    def __init__(self, folder: Path, note: str = "They were kept here and went to nobody.") -> None:
        self.folder = folder
        self.note = note
        folder.mkdir(parents=True, exist_ok=True)
        self._write_index()

    def keep(self, content: bytes) -> Path:
        """Keep one mail; return the path of its `.eml`. The same mail again gets a number of its own."""
        mail = BytesParser(EmailMessage, policy=default).parsebytes(content)
        date = parsedate_to_datetime(mail["Date"]).strftime("%Y-%m-%d") if mail["Date"] else "undated"
        recipient = re.sub(r"[^A-Za-z0-9.-]+", "-", _text(mail, "To").rpartition("<")[2].rstrip(">"))[:60]
        digest = hashlib.sha256(_text(mail, "Message-ID").encode() or content).hexdigest()[:8]
        name, copies = f"{date}_{recipient}_{digest}", 1
        while True:
            path = self.folder / f"{name}{f'_{copies}' if copies > 1 else ''}.eml"
            try:
                with path.open("xb") as file:
                    file.write(content)
                break
            except FileExistsError:
                copies += 1
        path.with_suffix(".txt").write_text(_body(mail, "plain"), encoding="utf-8")
        path.with_suffix(".html").write_text(_page(mail, path), encoding="utf-8")
        self._write_index()
        return path

    def _write_index(self) -> None:
        rows, seen = [], set()
        for path in sorted(self.folder.glob("*.eml")):
            mail = BytesHeaderParser(EmailMessage, policy=default).parsebytes(path.read_bytes())
            identity = _text(mail, "Message-ID")
            again = ' <b class="again">came again</b>' if identity in seen else ""
            seen.add(identity)
            links = [f'<a href="{path.with_suffix(kind).name}">{kind[1:]}</a>' for kind in (".txt", ".eml")]
            rows.append(
                f"<tr><td>{_escaped(mail, 'Date')}</td><td>{_escaped(mail, 'To')}</td>"
                f'<td><a href="{path.with_suffix(".html").name}">{_escaped(mail, "Subject")}</a>{again}</td>'
                f"<td><small>{' · '.join(links)}</small></td></tr>"
            )
        page = (
            f'<!doctype html><html><head><meta charset="utf-8"><title>Outbox</title>{_NO_SCRIPTS}'
            f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
            f"<h1>Outbox</h1><p>{len(rows)} mails. {html.escape(self.note)}</p>"
            "<table><tr><th>Date</th><th>To</th><th>Subject</th><th></th></tr>"
            f"{''.join(rows)}</table></body></html>"
        )
        unfinished = self.folder / "index.html.new"
        unfinished.write_text(page, encoding="utf-8")
        unfinished.replace(self.folder / "index.html")


def _text(mail: Message, header: str) -> str:
    return str(mail[header] or "")


def _escaped(mail: Message, header: str) -> str:
    return html.escape(_text(mail, header))


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return str(part.get_content()) if part else ""


def _page(mail: EmailMessage, path: Path) -> str:
    """Return the mail's HTML with its pictures inside and its headers on top."""
    page = _body(mail, "html") or f"<pre>{html.escape(_body(mail, 'plain'))}</pre>"
    for part in mail.walk():
        if isinstance(part, EmailMessage) and part["Content-ID"] and part.get_content_maintype() == "image":
            picture = base64.b64encode(part.get_content()).decode()
            name = str(part["Content-ID"]).strip("<>")
            page = page.replace(f"cid:{name}", f"data:{part.get_content_type()};base64,{picture}")
    headers = "".join(
        f"<div><b>{header}</b> {_escaped(mail, header)}</div>" for header in ("Date", "From", "To", "Subject")
    )
    links = (
        f'<a style="color:#99f6e4" href="{path.with_suffix(".txt").name}">text version</a> · '
        f'<a style="color:#99f6e4" href="{path.name}">eml</a> · '
        '<a style="color:#99f6e4" href="index.html">all mails</a>'
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
