"""A CRM tool for tests: a real HTTP server that takes lists by idempotency key, and every way to fail."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "t0ken-of-the-crm"


@dataclass
class CrmTool:
    """What the tool took, by key, and how it misbehaves: `mishaps` are taken one per request, first first.

    A number is an answer of that status; `stalls` takes the request and answers too late; `drops` takes it
    and hangs up; `loses` hangs up without it. From request number `stands_still_from` on no answer comes.
    """

    port: int = 0
    mishaps: list[Any] = field(default_factory=list)
    stands_still_from: int = 1000
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    authorizations: set[str | None] = field(default_factory=set)
    wait: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://:{TOKEN}@127.0.0.1:{self.port}/lists"

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return all rows that it took, those of a repeated request once."""
        return [row for body in self.taken.values() for row in body["rows"]]


@contextmanager
def crm_tool() -> Iterator[CrmTool]:
    """Run a tool on loopback."""
    tool = CrmTool()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            key = self.headers["Idempotency-Key"]
            tool.keys.append(key)
            tool.authorizations.add(self.headers["Authorization"])
            if len(tool.keys) >= tool.stands_still_from:
                tool.wait.wait(60)
                return
            mishap = tool.mishaps.pop(0) if tool.mishaps else 200
            if mishap in ("stalls", "drops", 200):
                tool.taken.setdefault(key, body)
            if mishap == "stalls":
                tool.wait.wait(1.5)
            if isinstance(mishap, str):
                self.connection.close()
                return
            self.send_response(mishap)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    tool.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield tool
    finally:
        tool.wait.set()
        server.shutdown()
        server.server_close()
