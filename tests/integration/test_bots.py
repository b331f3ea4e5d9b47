"""Robots of group chats post a report's headline once; a local web server stands in for their services."""

import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.integration.test_delivery import Handler, free_port
from tests.integration.test_issue import NAME, SUNDAY, configured, folder, inbox, marts
from winback.config import Settings
from winback.errors import WinbackError
from winback.report.bots import Robot
from winback.report.issue import send_issue
from winback.report.ledger import Ledger
from winback.report.mail_server import NotSent, Refused, Unknown

__all__ = ["configured", "folder", "inbox", "marts"]  # fixtures

TAKEN = {"dingtalk": '{"errcode":0,"errmsg":"ok"}', "wecom": '{"errcode":0}', "feishu": '{"StatusCode":0}'}
SERVICES = sorted(TAKEN)


@dataclass
class Service:
    """A web server that answers as it is told, and notes what it was asked."""

    port: int = 0
    answer: tuple[int, str] = (200, TAKEN["dingtalk"])
    asked: list[tuple[dict[str, list[str]], dict[str, Any]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/robot/send?access_token=t0ken"


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.asked.append((parse_qs(urlsplit(self.path).query), body))
            status, text = found.answer
            if status == 0:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    found.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", SERVICES)
def test_a_robot_posts_the_text_as_its_service_wants_it(service: Service, name: Any) -> None:
    service.answer = (200, TAKEN[name])
    Robot(name, service.url).post("北区：流失 1 位")
    ((query, body),) = service.asked
    assert query == {"access_token": ["t0ken"]}
    assert body == (
        {"msg_type": "text", "content": {"text": "北区：流失 1 位"}}
        if name == "feishu"
        else {"msgtype": "text", "text": {"content": "北区：流失 1 位"}}
    )


def signed(key: str, message: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()).decode()


def test_a_robot_with_a_secret_signs_and_never_sends_the_secret(service: Service) -> None:
    Robot("dingtalk", f"{service.url}#SECret").post("x")
    service.answer = (200, TAKEN["feishu"])
    Robot("feishu", f"{service.url}#SECret").post("x")
    (query, first), (_, second) = service.asked
    (stamp,), (sign,) = query["timestamp"], query["sign"]
    assert sign == signed("SECret", f"{stamp}\nSECret")
    assert second["sign"] == signed(f"{second['timestamp']}\nSECret", "")
    assert "SECret" not in json.dumps([query, first, second])


@pytest.mark.parametrize(
    ("answer", "end", "said"),
    [
        ((200, '{"errcode":310000,"errmsg":"keywords not in content"}'), Refused, "310000 keywords"),
        ((200, '{"code":19021,"msg":"sign match fail"}'), Refused, "19021 sign match fail"),
        ((403, "no"), Refused, "403"),
        ((502, "no"), Unknown, "502"),
        ((200, "<html>"), Unknown, "words of its own"),
        ((200, "[]"), Unknown, "words of its own"),
        ((0, ""), Unknown, "broke off"),
    ],
)
def test_what_a_service_answers_says_how_it_ended(
    service: Service, answer: tuple[int, str], end: type[Exception], said: str
) -> None:
    service.answer = answer
    with pytest.raises(end, match=said) as caught:
        Robot("dingtalk", service.url).post("x")
    assert "t0ken" not in str(caught.value)


def test_a_service_that_is_not_there_got_nothing() -> None:
    with pytest.raises(NotSent):
        Robot("wecom", f"http://127.0.0.1:{free_port()}/send").post("x")


@pytest.fixture
def with_bot(
    configured: Callable[..., Settings], service: Service, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Return a company with a group whose robot posts the call list."""
    monkeypatch.setenv("WINBACK_CONN_GROUP", service.url)
    group = {"service": "dingtalk", "connection": "group", "reports": [NAME], "scope": {"region": "erp:S"}}
    return Settings.model_validate(configured().model_dump() | {"bots": {"sales": group}})


def test_a_group_is_told_the_headline_of_its_scope_once(
    with_bot: Settings, service: Service, inbox: Handler
) -> None:
    assert send_issue(with_bot, NAME, SUNDAY)["sent"] == 3
    assert send_issue(with_bot, NAME, SUNDAY)["already_sent"] == 3
    ((_, body),) = service.asked
    assert body["text"]["content"] == "待联系客户 2017-W52\n1"


def test_a_group_whose_robot_is_refused_is_told_by_the_next_run(
    with_bot: Settings, service: Service, inbox: Handler, marts: Any
) -> None:
    service.answer = (200, '{"errcode":310000,"errmsg":"sign not match"}')
    with pytest.raises(WinbackError, match="2 messages sent, 0 sent before, 1 refused"):
        send_issue(with_bot, NAME, SUNDAY)
    row = marts.execute("select recipient, error from ops.deliveries where state = 'refused'").fetchall()
    assert row == [("bot:sales", "310000 sign not match")]
    service.answer = (200, TAKEN["dingtalk"])
    assert send_issue(with_bot, NAME, SUNDAY)["sent"] == 1
    assert len(inbox.accepted) == 2


def test_a_post_whose_outcome_is_not_known_waits_for_a_person(
    with_bot: Settings, service: Service, inbox: Handler, marts: Any
) -> None:
    service.answer = (0, "")
    for _ in range(2):
        with pytest.raises(WinbackError, match="1 of unknown outcome"):
            send_issue(with_bot, NAME, SUNDAY)
    assert len(service.asked) == 1
    service.answer = (200, TAKEN["dingtalk"])
    Ledger(marts, NAME, "2017-W52").settle("bot:sales", "again")
    assert send_issue(with_bot, NAME, SUNDAY)["sent"] == 1
