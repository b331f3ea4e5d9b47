"""Nobody is lost silently: who is to get a mail is noted first, and a person settles what nobody can tell."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from tests.integration.test_delivery import Handler, archive, connect, ledger, mail, mails, send, states
from winback import paths
from winback.cli import main
from winback.demo.inbox import Inbox
from winback.errors import WinbackError
from winback.report.deliver import Post, SendSummary, send_report
from winback.report.ledger import Ledger, read_deliveries

__all__ = ["connect", "ledger"]  # fixtures

LIN, ISSUE = "lin@example.com", ("weekly", "2017-W52")


class Silent(Handler):
    """Takes mails to everyone but one, whose sender never hears what became of it."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        if envelope.rcpt_tos == [LIN]:
            await asyncio.sleep(3600)
        return answer


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, warehouse: str) -> Callable[..., str]:
    """Return a function that runs a command as a person would, and returns what it says."""
    monkeypatch.setenv("WINBACK_CONFIG", str(paths.ROOT / "winback.yml"))

    def invoke(*arguments: str, fails: bool = False) -> str:
        result = CliRunner().invoke(main, list(arguments))
        assert (result.exit_code != 0) == fails, result.output
        return result.output

    return invoke


def test_everyone_is_noted_before_the_first_mail_leaves(ledger: psycopg.Connection[Any]) -> None:
    noted: list[Any] = []

    def look(name: str) -> Any:
        noted.append(states(ledger))
        return mail(name)

    with Inbox(Path(), handler=Handler()) as inbox:
        send_report(ledger, Post(inbox.url, archive()), *ISSUE, mails(["lin", "wang"], look))
    assert noted[0] == {"lin": ("pending", 0), "wang": ("pending", 0)}


def test_who_has_nothing_to_be_told_gets_nothing_and_waits_for_nothing(
    ledger: psycopg.Connection[Any],
) -> None:
    handler = Handler()
    with Inbox(Path(), handler=handler) as inbox:
        quiet = mails(["lin", "wang"], lambda name: None if name == "lin" else mail(name))
        summary = send_report(ledger, Post(inbox.url, archive()), *ISSUE, quiet)
    assert summary == SendSummary(sent=1, silent=1)
    assert handler.accepted == ["wang@example.com"]
    assert read_deliveries(ledger) == []


def test_a_mail_that_cannot_be_made_is_refused_with_the_reason_and_the_others_leave(
    ledger: psycopg.Connection[Any],
) -> None:
    def make(name: str) -> Any:
        if name == "lin":
            raise WinbackError("The warehouse has no such region.", "mend it")
        return mail(name)

    with Inbox(Path(), handler=Handler()) as inbox:
        post = Post(inbox.url, archive())
        assert send_report(ledger, post, *ISSUE, mails(["lin", "wang"], make)) == SendSummary(1, refused=1)
        (waiting,) = read_deliveries(ledger)
        assert (waiting.recipient, waiting.error) == (LIN, "The warehouse has no such region.")
        again = send_report(ledger, post, *ISSUE, mails(["lin", "wang"]))
    assert again == SendSummary(sent=1, already_sent=1)


def test_mail_to_a_domain_that_is_not_allowed_is_refused_and_the_others_leave(
    ledger: psycopg.Connection[Any],
) -> None:
    handler = Handler()
    with Inbox(Path(), handler=handler) as inbox:
        assert send(ledger, inbox.url, domains=("example.org",)) == SendSummary(refused=3)
        assert handler.accepted == []
        (first, *_) = read_deliveries(ledger)
        assert first.error == "example.com is not among mail.recipient_domains in winback.yml"
        assert send(ledger, inbox.url, domains=("example.com",)) == SendSummary(sent=3)


def test_a_server_that_stalls_after_the_text_leaves_one_unknown_mail_that_a_person_settles(
    ledger: psycopg.Connection[Any], run: Callable[..., str]
) -> None:
    silent, kind = Silent(), Handler()
    with Inbox(Path(), handler=silent) as inbox:
        stalled = send(ledger, inbox.url, timeout=timedelta(milliseconds=500))
    assert stalled == SendSummary(sent=2, unknown=1)
    listed = run("deliveries", "list", "--report", "weekly")
    assert "unknown  weekly  2017-W52  lin@example.com" in listed
    assert "winback deliveries settle REPORT PERIOD ADDRESS --as sent" in listed
    with Inbox(Path(), handler=kind) as inbox:
        assert send(ledger, inbox.url) == SendSummary(already_sent=2, unknown=1)
        run("deliveries", "settle", *ISSUE, "Lin@example.com", "--as", "again")
        assert send(ledger, inbox.url) == SendSummary(sent=1, already_sent=2)
    assert kind.accepted == [LIN]
    assert run("deliveries", "list") == "no mails wait\n"
    assert "sent   weekly" in run("deliveries", "list", "--all")


@pytest.mark.parametrize(("verdict", "end"), [("sent", "already_sent"), ("dropped", "dropped")])
def test_what_a_person_says_holds(
    ledger: psycopg.Connection[Any], run: Callable[..., str], verdict: str, end: str
) -> None:
    rows = Ledger(ledger, *ISSUE)
    rows.announce({LIN: "<a@b>"})
    rows.note(LIN, "unknown", "who knows")
    assert f"is {verdict}." in run("deliveries", "settle", *ISSUE, LIN, "--as", verdict)
    assert send(ledger, "smtp://127.0.0.1:1", ["lin"]) == SendSummary(**{end: 1})


def test_what_a_dead_sender_left_is_listed_as_unknown_but_not_what_a_living_one_sends(
    ledger: psycopg.Connection[Any], connect: Callable[[], psycopg.Connection[Any]]
) -> None:
    rows = Ledger(ledger, *ISSUE)
    rows.announce({LIN: "<a@b>", "wang@example.com": "<c@d>"})
    rows.claim(LIN)
    rows.claim("wang@example.com")
    with Ledger(connect(), *ISSUE).only_sender("wang@example.com"):
        found = {mail.recipient: mail.state for mail in read_deliveries(ledger)}
    assert found == {LIN: "unknown", "wang@example.com": "sending"}


def test_what_was_sent_or_is_not_there_cannot_be_settled(
    ledger: psycopg.Connection[Any], run: Callable[..., str]
) -> None:
    with Inbox(Path(), handler=Handler()) as inbox:
        send(ledger, inbox.url, ["lin"])
    said = run("deliveries", "settle", *ISSUE, LIN, "--as", "again", fails=True)
    assert "was sent to lin@example.com; there is nothing to settle" in said
    said = run("deliveries", "settle", *ISSUE, "nobody@example.com", "--as", "again", fails=True)
    assert "holds no mail of weekly 2017-W52 to nobody@example.com" in said


def test_an_upgraded_warehouse_lets_mails_be_dropped(ledger: psycopg.Connection[Any]) -> None:
    rows = Ledger(ledger, *ISSUE)
    rows.announce({LIN: "<a@b>"})
    with pytest.raises(psycopg.errors.CheckViolation):
        rows.note(LIN, "vanished")  # type: ignore[arg-type]
