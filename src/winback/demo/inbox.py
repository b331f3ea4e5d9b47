"""The demo's inbox: a mail server that takes everything, delivers nothing, and keeps each mail to look at.

    python -m winback.demo.inbox --port 2525 --outbox .winback/outbox

A mail that comes twice is kept twice. `index.html` lists them all.
"""

import argparse
import asyncio
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from winback.errors import WinbackError
from winback.report.outbox import Outbox

HOST = "127.0.0.1"


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
