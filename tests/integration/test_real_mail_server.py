"""Debian's Exim takes the mails over SMTP and delivers them into a maildir, from which they are read back."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import tenacity

from tests.integration.test_delivery import archive, connect, free_port, ledger, mails, send, states
from tests.unit.report import samples
from winback.report.deliver import Mail, Post, SendSummary, send_report

__all__ = ["connect", "ledger"]  # fixtures

EXIM = shutil.which("exim4", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = [
    pytest.mark.skipif(EXIM is None, reason="Exim is not installed (exim4-daemon-light)"),
    pytest.mark.skipif(os.getuid() != 0, reason="Exim with a configuration of its own needs root"),
]

CONFIGURATION = """
primary_hostname = mail.example.com
spool_directory = {home}/spool
log_file_path = {home}/log/%s
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
host_lookup =
tls_advertise_hosts =
message_size_limit = 1M
acl_smtp_rcpt = check_recipient

begin acl
check_recipient:
    deny local_parts = gone
         message = no such user here
    accept domains = example.com
    deny message = relaying is not allowed

begin routers
everyone:
    driver = accept
    transport = maildir

begin transports
maildir:
    driver = appendfile
    user = {user}
    maildir_format
    directory = {home}/mail
    envelope_to_add
"""


@dataclass(frozen=True)
class Exim:
    """A running Exim; whoever mail is for, it lies in one maildir."""

    port: int
    home: Path

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def delivered(self, count: int) -> dict[str, EmailMessage]:
        """Return the mails that it has delivered, by recipient, once there are so many."""
        files = _patiently(lambda: self._files(count))
        found = [message_from_bytes(file.read_bytes(), policy=default) for file in files]
        assert len(found) == count
        return {str(mail["Envelope-to"]).strip(): mail for mail in found}

    def raw(self, mail: EmailMessage) -> bytes:
        """Return a delivered mail as it lies there."""
        (found,) = (
            raw for file in self._files(1) if str(mail["Message-ID"]).encode() in (raw := file.read_bytes())
        )
        return found

    def _files(self, count: int) -> list[Path]:
        files = list((self.home / "mail" / "new").glob("*"))
        assert len(files) >= count, [file.read_text() for file in (self.home / "log").glob("*")]
        return files


@pytest.fixture
def exim() -> Iterator[Exim]:
    # Exim delivers as an ordinary user, who cannot reach pytest's own private folders.
    home = Path(tempfile.mkdtemp(prefix="exim"))
    user = pwd.getpwnam("Debian-exim")
    for folder in (home, *(home / name for name in ("spool", "log", "mail"))):
        folder.mkdir(exist_ok=True)
        os.chown(folder, user.pw_uid, user.pw_gid)
    port = free_port()
    file = home / "exim.conf"
    file.write_text(CONFIGURATION.format(home=home, port=port, user=user.pw_name))
    assert EXIM is not None
    process = subprocess.Popen(
        [EXIM, "-C", str(file), "-bdf", "-q1m"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        _patiently(lambda: socket.create_connection(("127.0.0.1", port), 1).close())
        yield Exim(port, home)
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(home, ignore_errors=True)


def _patiently(look: Any) -> Any:
    retry = tenacity.Retrying(
        stop=tenacity.stop_after_delay(20), wait=tenacity.wait_fixed(0.05), reraise=True
    )
    return retry(look)


def message_in(language: Any) -> EmailMessage:
    address = f"{language}@example.com"
    return samples.message(language, recipient=samples.recipient(language=language, address=address))


def test_what_was_sent_comes_out_of_the_mailbox(ledger: psycopg.Connection[Any], exim: Exim) -> None:
    sent = {f"{tag}@example.com": message_in(tag) for tag in ("zh", "en")}
    out = [
        Mail(address, str(made["Message-ID"]), partial(sent.get, address)) for address, made in sent.items()
    ]
    summary = send_report(ledger, Post(exim.url, archive()), "weekly", "2017-W52", out)
    assert summary == SendSummary(sent=2)
    for address, mail in exim.delivered(2).items():
        for header in ("From", "To", "Subject", "Message-ID", "Date", "Auto-Submitted"):
            assert mail[header] == sent[address][header]
        for kind in ("plain", "html"):
            there, here = mail.get_body((kind,)), sent[address].get_body((kind,))
            assert there.get_content().splitlines() == here.get_content().splitlines()
        page = mail.get_body(("html",)).get_content()
        pictures = {str(part["Content-ID"]).strip("<>") for part in mail.walk() if part["Content-ID"]}
        assert pictures
        assert {found.split('"')[0] for found in page.split('src="cid:')[1:]} == pictures
        kept = archive().path("weekly", "2017-W52", address, 1).read_bytes()
        assert exim.raw(mail).endswith(kept.replace(b"\r\n", b"\n"))  # its own headers stand before


def test_whom_the_server_does_not_know_is_refused_and_the_others_get_theirs(
    ledger: psycopg.Connection[Any], exim: Exim
) -> None:
    assert send(ledger, exim.url, ["lin", "gone", "wang"]) == SendSummary(sent=2, refused=1)
    assert set(exim.delivered(2)) == {"lin@example.com", "wang@example.com"}
    error = ledger.execute("select error from ops.deliveries where state = 'refused'").fetchone()
    assert error == ("550 no such user here",)
    assert send(ledger, exim.url, ["lin", "gone", "wang"]) == SendSummary(already_sent=2, refused=1)
    assert states(ledger)["gone"] == ("refused", 2)


def test_a_mail_that_is_too_large_for_the_server_is_refused_with_its_reason(
    ledger: psycopg.Connection[Any], exim: Exim
) -> None:
    def large(name: str) -> EmailMessage:
        message = samples.message("zh")
        message.replace_header("To", f"{name}@example.com")
        message.add_attachment(b"x" * 1_500_000, "application", "octet-stream", filename="list.xlsx")
        return message

    post = Post(exim.url, archive())
    assert send_report(ledger, post, "weekly", "large", mails(["lin"], large)) == SendSummary(refused=1)
    (error,) = ledger.execute("select error from ops.deliveries where period = 'large'").fetchone()
    assert error == "552 Message size exceeds maximum permitted"
    fits = Post(exim.url, archive(), max_bytes=900_000)
    assert send_report(ledger, fits, "weekly", "large", mails(["lin"], large)) == SendSummary(sent=1)
    mail = exim.delivered(1)["lin@example.com"]
    assert "附件太大" in mail.get_body(("plain",)).get_content()
