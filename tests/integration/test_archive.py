"""Every mail is kept as it was sent, and what is too large for a mail lies there."""

import re
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg
import pytest

from tests.integration.test_delivery import Handler, archive, connect, ledger, mail, mails, send
from winback.demo.inbox import Inbox
from winback.errors import WinbackError
from winback.report.archive import Archive
from winback.report.deliver import Post, SendSummary, send_report

__all__ = ["connect", "ledger"]  # fixtures

ISSUE = ("weekly", "2017-W52")


class Keeps(Handler):
    """Takes every mail but those to one, and keeps the bytes."""

    def __init__(self, refuses: str = "") -> None:
        super().__init__()
        self.refuses, self.contents = refuses, dict[str, bytes]()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        (recipient,) = envelope.rcpt_tos
        if recipient == self.refuses:
            return "552 too large"
        self.contents[recipient] = envelope.original_content
        return "250 OK"


def files(folder: Archive) -> set[str]:
    return {file.relative_to(folder.folder).as_posix() for file in folder.folder.rglob("*") if file.is_file()}


def test_the_archive_holds_the_very_bytes_that_were_sent(ledger: psycopg.Connection[Any]) -> None:
    keeps = Keeps()
    with Inbox(Path(), handler=keeps) as inbox:
        send(ledger, inbox.url)
    assert len(keeps.contents) == 3
    for recipient, content in keeps.contents.items():
        kept = archive().path(*ISSUE, recipient, 1).read_bytes()
        assert kept == content


def test_a_mail_is_kept_before_it_leaves(ledger: psycopg.Connection[Any]) -> None:
    found = []

    class Looks(Handler):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            found.append(archive().path(*ISSUE, envelope.rcpt_tos[0], 1).exists())
            return "250 OK"

    with Inbox(Path(), handler=Looks()) as inbox:
        send(ledger, inbox.url)
    assert found == [True, True, True]


def test_a_refused_mail_is_not_kept_and_its_second_try_is(ledger: psycopg.Connection[Any]) -> None:
    lin = "lin@example.com"
    with Inbox(Path(), handler=Keeps(refuses=lin)) as inbox:
        assert send(ledger, inbox.url) == SendSummary(sent=2, refused=1)
    assert not [name for name in files(archive()) if "lin@" in name]
    with Inbox(Path(), handler=Keeps()) as inbox:
        send(ledger, inbox.url)
    assert archive().path(*ISSUE, lin, 2).exists()


def test_the_archive_lists_mails_by_week_and_by_recipient(ledger: psycopg.Connection[Any]) -> None:
    with Inbox(Path(), handler=Keeps()) as inbox:
        send(ledger, inbox.url, ["lin", "wang"])
        send_report(ledger, Post(inbox.url, archive()), "weekly", "2018-W01", mails(["lin"]))
    overview = (archive().folder / "index.html").read_text("utf-8")
    assert overview.index("2018-W01/index.html") < overview.index("2017-W52/index.html")
    assert "2 issues to 2 recipients" in overview
    assert overview.count(">weekly 2017-W52</a>") == 2
    assert overview.count(">weekly 2018-W01</a>") == 1
    for page in archive().folder.rglob("*.html"):
        text = page.read_text("utf-8")
        assert "default-src 'none'" in text
        for link in re.findall(r'href="([^"]+)"', text):
            assert (page.parent / unquote(link)).is_file(), link


def with_attachment(size: int) -> Callable[[str], EmailMessage]:
    def make(name: str) -> EmailMessage:
        message = mail(name)
        message["Content-Language"] = "zh-CN"
        message.add_alternative("<html><head></head><body class='a'><p>表</p></body></html>", subtype="html")
        message.add_attachment(b"x" * size, "application", "octet-stream", filename="../客户 名单.xlsx")
        return message

    return make


def sent_with(ledger: psycopg.Connection[Any], size: int, **post: Any) -> EmailMessage:
    keeps = Keeps()
    with Inbox(Path(), handler=keeps) as inbox:
        kept = Archive(archive().folder, post.pop("url", None))
        send_report(ledger, Post(inbox.url, kept, **post), *ISSUE, mails(["lin"], with_attachment(size)))
    (content,) = keeps.contents.values()
    assert archive().path(*ISSUE, "lin@example.com", 1).read_bytes() == content
    return message_from_bytes(content, policy=default)  # type: ignore[return-value]


def test_an_attachment_travels_with_the_mail_while_it_fits(ledger: psycopg.Connection[Any]) -> None:
    message = sent_with(ledger, 1_000, max_bytes=100_000)
    (attached,) = message.iter_attachments()
    assert attached.get_content() == b"x" * 1_000
    assert "附件" not in message.get_body(("plain",)).get_content()


@pytest.mark.parametrize("url", [None, "https://reports.example.com/archive/"])
def test_an_attachment_that_does_not_fit_stays_in_the_archive_and_the_mail_says_where(
    ledger: psycopg.Connection[Any], url: str | None
) -> None:
    message = sent_with(ledger, 200_000, max_bytes=100_000, url=url)
    assert list(message.iter_attachments()) == []
    (file,) = archive().folder.rglob("*.xlsx")
    assert file.read_bytes() == b"x" * 200_000
    place = f"{url}weekly/2017-W52/" if url else str(file.parent)
    for kind in ("plain", "html"):
        text = message.get_body((kind,)).get_content()
        assert "附件太大，未随信附上（本邮件上限 0.1 MB），请到这里查看：" in text
        assert place in text
    assert "<p>表</p></body>" in message.get_body(("html",)).get_content()


def test_nothing_leaves_that_cannot_be_kept(ledger: psycopg.Connection[Any], tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    keeps = Keeps()
    with Inbox(Path(), handler=keeps) as inbox, pytest.raises(WinbackError, match=r"mail\.archive") as caught:
        send_report(ledger, Post(inbox.url, Archive(tmp_path / "taken")), *ISSUE, mails(["lin"]))
    assert "nothing leaves unkept" in str(caught.value)
    assert keeps.contents == {}
    row = ledger.execute("select state, attempts from ops.deliveries").fetchall()
    assert row == [("pending", 0)]


def test_names_in_the_archive_cannot_leave_it(tmp_path: Path) -> None:
    path = Archive(tmp_path).path("weekly", "2017-W52", "../../etc/lin@example.com", 1)
    assert path.parent == tmp_path / "weekly" / "2017-W52"
    other = Archive(tmp_path).path("weekly", "2017-W52", "..-..-etc-lin@example.com", 1)
    assert path != other
