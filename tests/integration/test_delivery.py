"""Real mails to a real server, a real ledger, and everything that goes wrong between them."""

import asyncio
import logging
import os
import re
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.policy import default
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.unit.report import samples
from winback import paths
from winback.demo.inbox import Inbox
from winback.errors import WinbackError
from winback.report.archive import Archive
from winback.report.deliver import Mail, Post, SendSummary, send_report
from winback.report.outbox import Outbox
from winback.warehouse.schema import ensure_schema

NAMES = ["lin", "wang", "zhao"]


def mail(name: str, text: str = "下周一见") -> EmailMessage:
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"] = "Winback <winback@example.com>"
    message["To"] = f"{name}@example.com"
    message["Subject"] = "客户流失周报"
    message["Date"] = datetime(2018, 1, 1, 13, tzinfo=UTC)
    message["Message-ID"] = f"<weekly.{name}@example.com>"
    message.set_content(text)
    return message


class Handler:
    """A mail server that notes what it was given; subclasses misbehave."""

    def __init__(self) -> None:
        self.accepted: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.accepted += envelope.rcpt_tos
        return "250 OK"


@pytest.fixture
def connect(warehouse: str) -> Iterator[Callable[[], psycopg.Connection[Any]]]:
    """Return a function that opens a connection to a warehouse with an empty ledger."""
    opened = []

    def open_connection() -> psycopg.Connection[Any]:
        opened.append(psycopg.connect(warehouse, autocommit=True))
        return opened[-1]

    with psycopg.connect(warehouse, autocommit=True) as connection:
        ensure_schema(connection)
    yield open_connection
    for connection in opened:
        connection.close()


@pytest.fixture
def ledger(connect: Callable[[], psycopg.Connection[Any]]) -> psycopg.Connection[Any]:
    return connect()


def archive() -> Archive:
    return Archive(paths.state_dir() / "archive")


def mails(names: list[str], make: Callable[[str], EmailMessage | None] = mail) -> list[Mail]:
    return [
        Mail(f"{name}@example.com", f"<weekly.{name}@example.com>", partial(make, name)) for name in names
    ]


def send(
    connection: psycopg.Connection[Any], url: str, names: list[str] | None = None, **post: Any
) -> SendSummary:
    return send_report(connection, Post(url, archive(), **post), "weekly", "2017-W52", mails(names or NAMES))


def states(connection: psycopg.Connection[Any]) -> dict[str, tuple[str, int]]:
    rows = connection.execute("select recipient, state, attempts from ops.deliveries").fetchall()
    return {recipient.split("@")[0]: (state, attempts) for recipient, state, attempts in rows}


def test_mails_arrive_once_however_often_they_are_sent(
    ledger: psycopg.Connection[Any], tmp_path: Path
) -> None:
    with Inbox(tmp_path) as inbox:
        assert send(ledger, inbox.url) == SendSummary(sent=3)
        assert send(ledger, inbox.url) == SendSummary(already_sent=3)
        assert send(ledger, inbox.url, ["LIN", "new"]) == SendSummary(sent=1, already_sent=1)
    assert len(list(tmp_path.glob("*.eml"))) == 4
    assert states(ledger) == dict.fromkeys([*NAMES, "new"], ("sent", 1))


def test_what_was_sent_needs_no_server_to_say_so(ledger: psycopg.Connection[Any], tmp_path: Path) -> None:
    with Inbox(tmp_path) as inbox:
        send(ledger, inbox.url)
    assert send(ledger, inbox.url) == SendSummary(already_sent=3)


def test_another_week_is_another_mail(ledger: psycopg.Connection[Any], tmp_path: Path) -> None:
    with Inbox(tmp_path) as inbox:
        send(ledger, inbox.url)
        again = send_report(ledger, Post(inbox.url, archive()), "weekly", "2018-W01", mails(["lin"]))
    assert again == SendSummary(sent=1)


def test_one_refused_recipient_leaves_the_others_and_is_tried_again(ledger: psycopg.Connection[Any]) -> None:
    class Picky(Handler):
        async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, _: Any) -> str:
            if address.startswith("wang"):
                return "550 no such user"
            envelope.rcpt_tos.append(address)
            return "250 OK"

    picky, kind = Picky(), Handler()
    with Inbox(Path(), handler=picky) as inbox:
        assert send(ledger, inbox.url) == SendSummary(sent=2, refused=1)
    assert picky.accepted == ["lin@example.com", "zhao@example.com"]
    assert states(ledger)["wang"] == ("refused", 1)
    error = ledger.execute("select error from ops.deliveries where state = 'refused'").fetchone()
    assert error == ("550 no such user",)
    with Inbox(Path(), handler=kind) as inbox:
        assert send(ledger, inbox.url) == SendSummary(sent=1, already_sent=2)
    assert kind.accepted == ["wang@example.com"]
    assert states(ledger)["wang"] == ("sent", 2)


def test_a_text_that_is_refused_after_it_was_sent_is_refused(ledger: psycopg.Connection[Any]) -> None:
    class Full(Handler):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            return "452 mailbox full"

    with Inbox(Path(), handler=Full()) as inbox:
        assert send(ledger, inbox.url) == SendSummary(refused=3)


def test_a_line_lost_after_the_final_dot_is_unknown_and_never_sent_again(
    ledger: psycopg.Connection[Any],
) -> None:
    class Drops(Handler):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            answer = await super().handle_DATA(server, session, envelope)
            if envelope.rcpt_tos == ["wang@example.com"]:
                server.transport.abort()
            return answer

    drops, kind = Drops(), Handler()
    with Inbox(Path(), handler=drops) as inbox:
        assert send(ledger, inbox.url) == SendSummary(sent=2, unknown=1)
    assert sorted(drops.accepted) == ["lin@example.com", "wang@example.com", "zhao@example.com"]
    with Inbox(Path(), handler=kind) as inbox:
        assert send(ledger, inbox.url) == SendSummary(already_sent=2, unknown=1)
    assert kind.accepted == []
    assert states(ledger)["wang"] == ("unknown", 1)


def test_a_line_lost_before_the_text_leaves_the_mail_pending(ledger: psycopg.Connection[Any]) -> None:
    class HangsUp(Handler):
        async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, _: Any) -> str:
            server.transport.abort()
            return "250 OK"

    kind = Handler()
    with (
        Inbox(Path(), handler=HangsUp()) as inbox,
        pytest.raises(WinbackError, match="has not left and stays pending"),
    ):
        send(ledger, inbox.url)
    assert states(ledger) == {"lin": ("pending", 1), "wang": ("pending", 0), "zhao": ("pending", 0)}
    with Inbox(Path(), handler=kind) as inbox:
        assert send(ledger, inbox.url) == SendSummary(sent=3)
    assert states(ledger)["lin"] == ("sent", 2)


def test_a_server_that_closes_idle_lines_is_called_again(ledger: psycopg.Connection[Any]) -> None:
    class Impatient(Handler):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            asyncio.get_running_loop().call_later(0.05, server.transport.abort)
            return await super().handle_DATA(server, session, envelope)

    impatient = Impatient()

    def slow_mail(name: str) -> EmailMessage:
        threading.Event().wait(0.2)
        return mail(name)

    with Inbox(Path(), handler=impatient) as inbox:
        post = Post(inbox.url, archive())
        summary = send_report(ledger, post, "weekly", "2017-W52", mails(NAMES, slow_mail))
    assert summary == SendSummary(sent=3)
    assert len(impatient.accepted) == 3


def test_two_senders_at_once_send_each_mail_once(connect: Callable[[], psycopg.Connection[Any]]) -> None:
    class Slow(Handler):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            await asyncio.sleep(0.2)
            return await super().handle_DATA(server, session, envelope)

    slow = Slow()
    with Inbox(Path(), handler=slow) as inbox, ThreadPoolExecutor(3) as pool:
        summaries = list(pool.map(lambda _: send(connect(), inbox.url), range(3)))
    assert sorted(slow.accepted) == ["lin@example.com", "wang@example.com", "zhao@example.com"]
    assert sum(summary.sent for summary in summaries) == 3
    assert sum(summary.already_sent for summary in summaries) == 6


def test_a_sender_that_is_killed_leaves_an_unknown_outcome(
    ledger: psycopg.Connection[Any], warehouse: str
) -> None:
    arrived = threading.Event()

    class Stalls(Handler):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            self.accepted += envelope.rcpt_tos
            arrived.set()
            await asyncio.sleep(30)
            return "250 OK"

    program = (
        "import sys, psycopg; from tests.integration.test_delivery import send;"
        "send(psycopg.connect(sys.argv[1], autocommit=True), sys.argv[2])"
    )
    stalls, kind = Stalls(), Handler()
    with Inbox(Path(), handler=stalls) as inbox:
        sender = subprocess.Popen([sys.executable, "-c", program, warehouse, inbox.url])
        assert arrived.wait(30)
        sender.kill()
        sender.wait()
    assert states(ledger) == {"lin": ("sending", 1), "wang": ("pending", 0), "zhao": ("pending", 0)}
    with Inbox(Path(), handler=kind) as inbox:
        assert send(ledger, inbox.url) == SendSummary(sent=2, unknown=1)
    assert stalls.accepted == ["lin@example.com"]
    assert kind.accepted == ["wang@example.com", "zhao@example.com"]
    assert states(ledger)["lin"] == ("unknown", 1)


def test_an_unreachable_server_is_named_and_nothing_is_lost(ledger: psycopg.Connection[Any]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(WinbackError, match=rf"mail server 127\.0\.0\.1:{port} cannot be used: .*refused"):
            send(ledger, f"smtp://127.0.0.1:{port}")
    kind = Handler()
    with Inbox(Path(), handler=kind) as inbox:
        assert send(ledger, inbox.url) == SendSummary(sent=3)


@pytest.mark.parametrize("url", ["mail.example.com:25", "http://mail.example.com", "smtp://"])
def test_a_url_of_another_kind_is_refused_without_repeating_it(
    ledger: psycopg.Connection[Any], url: str
) -> None:
    with pytest.raises(WinbackError, match=r"smtp\+starttls://user:password@host:587"):
        send(ledger, url)


def test_a_mail_cannot_be_sent_twice_to_one_recipient_in_one_go(ledger: psycopg.Connection[Any]) -> None:
    with Inbox(Path(), handler=Handler()) as inbox, pytest.raises(ValueError, match="same recipient"):
        send(ledger, inbox.url, ["lin", "Lin"])


def test_a_connection_whose_statements_are_not_committed_at_once_is_refused(warehouse: str) -> None:
    with psycopg.connect(warehouse) as connection, pytest.raises(ValueError, match="in autocommit"):
        send(connection, "smtp://127.0.0.1:1")
    with (
        psycopg.connect(warehouse, autocommit=True) as connection,
        connection.transaction(),
        pytest.raises(ValueError, match="not inside a transaction"),
    ):
        send(connection, "smtp://127.0.0.1:1")


def test_addresses_stay_out_of_the_log(
    ledger: psycopg.Connection[Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "winback")
    caplog.set_level(logging.DEBUG, "psycopg")
    with Inbox(tmp_path) as inbox:
        send(ledger, inbox.url)
    # The inbox of this test says whom it serves; what counts is what a sender's process would log.
    said = [record.getMessage() for record in caplog.records if record.name != "mail.log"]
    assert "example.com" not in "\n".join(said)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Return a server's TLS context whose certificate this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, file = serialization.Encoding.PEM, tmp_path / "server.pem"
    secret = key.private_bytes(
        pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    file.write_bytes(secret + signed.public_bytes(pem))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # the whole line is TLS
@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_mail_travels_encrypted_and_with_a_password(
    ledger: psycopg.Connection[Any], certificate: ssl.SSLContext, scheme: str
) -> None:
    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        is_right = (data.login, data.password) == (b"robot@example.com", b"p/w:d")
        return AuthResult(success=is_right, handled=is_right)

    tls: dict[str, Any] = (
        {"ssl_context": certificate, "auth_require_tls": False}  # aiosmtpd does not see TLS from outside
        if scheme == "smtps"
        else {"tls_context": certificate, "require_starttls": True}
    )
    handler = Handler()
    controller = Controller(handler, "localhost", free_port(), authenticator=check, auth_required=True, **tls)
    controller.start()
    try:
        place = f"localhost:{controller.port}"
        with pytest.raises(WinbackError, match="refuses the user name or password") as refusal:
            send(ledger, f"{scheme}://robot%40example.com:wrong@{place}")
        assert "wrong" not in str(refusal.value)
        assert send(ledger, f"{scheme}://robot%40example.com:p%2Fw%3Ad@{place}") == SendSummary(sent=3)
    finally:
        controller.stop()
    assert len(handler.accepted) == 3


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_report_comes_out_of_the_inbox_as_it_went_in(
    ledger: psycopg.Connection[Any], tmp_path: Path
) -> None:
    sent = samples.message("zh")
    with Inbox(tmp_path) as inbox:
        lin = Mail("lin@example.com", str(sent["Message-ID"]), lambda: sent)
        send_report(ledger, Post(inbox.url, archive()), "weekly_retention", "2017-W52", [lin])
    (file,) = tmp_path.glob("*.eml")
    assert file.name.startswith("2018-01-01_lin-example.com_")
    kept = message_from_bytes(file.read_bytes(), policy=default)
    assert [part.get_content_type() for part in kept.walk()] == [
        part.get_content_type() for part in sent.walk()
    ]
    for header in ("From", "To", "Subject", "Message-ID", "Date"):
        assert kept[header] == sent[header]
    html = file.with_suffix(".html").read_text("utf-8")
    assert len(re.findall(r'src="data:image/png;base64,[^"]{1000,}"', html)) == 2
    assert "cid:" not in html
    assert "lin@example.com" in html
    assert "目前有\u00a0340\u00a0位客户有流失风险" in file.with_suffix(".txt").read_text("utf-8")
    assert f'href="{file.stem}.html"' in (tmp_path / "index.html").read_text("utf-8")


def test_the_inbox_never_hides_a_duplicate(tmp_path: Path) -> None:
    with Inbox(tmp_path) as inbox, smtplib.SMTP("127.0.0.1", inbox.port) as smtp:
        smtp.send_message(mail("lin"))
        smtp.send_message(mail("lin", "<script>alert(1)</script>"))
    names = sorted(file.name for file in tmp_path.glob("*.eml"))
    assert len(names) == 2
    assert names[1] == names[0].replace(".eml", "_2.eml")
    index = (tmp_path / "index.html").read_text("utf-8")
    assert index.count("came again") == 1
    assert "<script" not in (tmp_path / names[1]).with_suffix(".html").read_text("utf-8")
    assert Outbox(tmp_path).folder == tmp_path  # a second start lists what is there
    assert index == (tmp_path / "index.html").read_text("utf-8")


def test_the_inbox_runs_as_a_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "winback.demo.inbox", "--outbox", str(tmp_path / "outbox")]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        ready = process.stdout.readline()
        port = int(re.findall(r"inbox ready at smtp://127\.0\.0\.1:(\d+)", ready)[0])
        with smtplib.SMTP("127.0.0.1", port) as smtp:
            smtp.send_message(mail("lin"))
        second = subprocess.run([*command, "--port", str(port)], capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert f"Port {port} of 127.0.0.1 cannot be used" in second.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert len(list((tmp_path / "outbox").glob("*.eml"))) == 1
