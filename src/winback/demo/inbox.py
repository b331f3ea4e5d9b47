"""The demo's inbox: a mail server that takes everything, delivers nothing, and keeps each mail to look at.

    python -m winback.demo.inbox --port 2525 --outbox .winback/outbox

Each mail becomes three files: `.eml` as it came, `.html` with its pictures inside, `.txt`. A mail that comes
twice is kept twice. `index.html` lists them all.
"""

import argparse
import asyncio
import base64
import hashlib
import html
import re
import signal
import sys
import threading
from dataclasses import dataclass
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from winback.errors import WinbackError

HOST = "127.0.0.1"

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
    """A folder of mails that were sent, with a page that lists them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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
            f"<h1>Outbox</h1><p>{len(rows)} mails. They were kept here and went to nobody.</p>"
            "<table><tr><th>Date</th><th>To</th><th>Subject</th><th></th></tr>"
            f"{''.join(rows)}</table></body></html>"
        )
        unfinished = self.folder / "index.html.new"
        unfinished.write_text(page, encoding="utf-8")
        unfinished.replace(self.folder / "index.html")


@dataclass
class _Handler:
    outbox: Outbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep a mail, then say so: a mail that could not be kept is not accepted."""
        content = envelope.original_content or b""
        self.outbox.keep(content)
        return "250 kept"


class Inbox:
    """A running inbox, on a thread of its own, for use in a `with` block."""

    def __init__(self, outbox: Path, port: int = 0, handler: Any = None) -> None:
        """Prepare an inbox; port 0 takes a free one; tests bring a `handler` that misbehaves."""
        self._handler = handler or _Handler(Outbox(outbox))
        self._wanted_port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    @property
    def url(self) -> str:
        """Return the inbox's address as `send_report` takes it."""
        return f"smtp://{HOST}:{self.port}"

    def __enter__(self) -> "Inbox":
        self._thread.start()
        start = self._loop.create_server(
            lambda: SMTP(self._handler, loop=self._loop, hostname="inbox"), HOST, self._wanted_port
        )
        try:
            self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result()
        except OSError as error:
            self._stop_loop()
            raise WinbackError(
                f"Port {self._wanted_port} of {HOST} cannot be used for the inbox ({error.strerror}).",
                "stop what holds it, or choose another with --port (0 takes a free one)",
            ) from None
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._stop_loop()

    def _stop_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


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


def main() -> int:
    """Run the inbox until it is told to stop; its first line says that it is ready."""
    parser = argparse.ArgumentParser(prog="python -m winback.demo.inbox", description="Keep every mail.")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--outbox", type=Path, required=True, help="folder for the mails")
    options = parser.parse_args()
    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stop.set())
    try:
        with Inbox(options.outbox, options.port) as inbox:
            print(f"inbox ready at {inbox.url}, mails in {options.outbox.absolute()}", flush=True)
            stop.wait()
    except WinbackError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
