"""A ticket system for tests: a real HTTP server with the usual ways of paging, and every way to fail."""

import base64
import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "t0ken-of-the-desk"
PASSWORD = "s3cret:pass"


@dataclass
class TicketSystem:
    """What the server knows, and how it misbehaves: `mishaps` are taken one per request, first first."""

    port: int = 0
    page_size: int = 2
    tickets: list[dict[str, Any]] = field(default_factory=list)
    mishaps: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, secret: str = f":{TOKEN}") -> str:
        return f"http://{secret}@{self.address}"


@contextmanager
def ticket_system() -> Iterator[TicketSystem]:
    """Run a server on a free port while the block runs."""
    desk = TicketSystem()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"desk": desk}))
    server.daemon_threads = True
    desk.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield desk
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    desk: TicketSystem
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.desk.requests.append(self.path)
        self.desk.headers.append(dict(self.headers))
        if self.desk.mishaps:
            mishap, *values = self.desk.mishaps.pop(0).split()
            if getattr(self, f"_{mishap}")(*values):
                return None
        if not self._is_known():
            return self._send({"error": "Couldn't authenticate you"}, 401)
        path = urlsplit(self.path)
        given = {name: values[0] for name, values in parse_qs(path.query).items()}
        pages = {
            "/incremental": self._incremental,
            "/cursor": self._by_cursor,
            "/pages": self._by_number,
            "/links": self._by_link,
        }
        if path.path not in pages:
            return self._send({"error": "no such path"}, 404)
        return pages[path.path](given)

    def _is_known(self) -> bool:
        basic = base64.b64encode(f"mei@example.com:{PASSWORD}".encode()).decode()
        authorization = self.headers.get("Authorization")
        return (
            authorization in (f"Bearer {TOKEN}", f"Basic {basic}") or self.headers.get("X-Api-Key") == TOKEN
        )

    # -- ways of paging ---------------------------------------------------------------------------------

    def _part(self, start: int) -> list[dict[str, Any]]:
        return self.desk.tickets[start : start + self.desk.page_size]

    def _incremental(self, given: dict[str, str]) -> None:
        """Answer like Zendesk's cursor-based export: changes since a moment, always with an after_url."""
        if "cursor" not in given and "start_time" not in given:
            return self._send({"error": "start_time is required"}, 400)
        start = int(given.get("cursor", 0))
        tickets = self._part(start)
        following = start + len(tickets)
        return self._send(
            {
                "tickets": tickets,
                "after_url": f"http://{self.desk.address}/incremental?cursor={following}",
                "after_cursor": str(following),
                "end_of_stream": following >= len(self.desk.tickets),
            }
        )

    def _by_cursor(self, given: dict[str, str]) -> None:
        start = int(given.get("page[after]", 0))
        following = start + self.desk.page_size
        has_more = following < len(self.desk.tickets)
        meta = {"after_cursor": str(following) if has_more else None}
        self._send({"data": {"items": self._part(start)}, "meta": meta})

    def _by_number(self, given: dict[str, str]) -> None:
        self._send({"tickets": self._part((int(given["page"]) - 1) * self.desk.page_size)})

    def _by_link(self, given: dict[str, str]) -> None:
        start = int(given.get("from", 0))
        following = start + self.desk.page_size
        more = (
            {"Link": f'</links?from={following}>; rel="next"'} if following < len(self.desk.tickets) else {}
        )
        self._send(self._part(start), headers=more)

    # -- mishaps: each returns whether the request is answered by it ------------------------------------

    def _status(self, status: str, retry_after: str | None = None) -> bool:
        self._send({"error": "…"}, int(status), {"Retry-After": retry_after} if retry_after else {})
        return True

    def _moved(self, target: str) -> bool:
        self._send({}, 302, {"Location": target})
        return True

    def _html(self) -> bool:
        self._send_bytes(b"<html>Sign in</html>", kind="text/html")
        return True

    def _json(self, *words: str) -> bool:
        self._send_bytes(" ".join(words).encode())
        return True

    def _never(self) -> bool:
        time.sleep(3)
        self.close_connection = True
        return True

    def _trickle(self) -> bool:
        """Send one byte after another, each in time, for ever."""
        self._start(200, 1_000_000, "application/json", {})
        try:
            for _ in range(100):
                self.wfile.write(b" ")
                time.sleep(0.1)
        except OSError:
            pass
        self.close_connection = True
        return True

    def _cut(self) -> bool:
        """Promise a body and hang up in the middle of it."""
        self._start(200, 1_000, "application/json", {})
        self.wfile.write(b'{"tickets": [')
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True
        return True

    def _hang_up(self) -> bool:
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True
        return True

    def _ok(self) -> bool:
        return False

    def _change_a_ticket(self) -> bool:
        """Change the first ticket while somebody reads: it is listed once more, at the end."""
        self.desk.tickets.append({**self.desk.tickets[0], "status": "solved"})
        return False

    # -- sending ----------------------------------------------------------------------------------------

    def _send(self, content: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._send_bytes(json.dumps(content).encode(), status, headers=headers)

    def _send_bytes(
        self,
        body: bytes,
        status: int = 200,
        kind: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> None:
        headers = dict(headers or {})
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
        self._start(status, len(body), kind, headers)
        self.wfile.write(body)

    def _start(self, status: int, length: int, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Stay silent."""
