"""Senders are killed at random moments, twins send at once, and the mail server misbehaves: nothing goes out
twice, and nobody is lost without a word.

WINBACK_SLOW_SHARE (default 1.0) scales the number of kills.
"""

import asyncio
import os
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from tests.faults.loader import Workers
from tests.faults.sender import REPORT, TIMEOUT
from winback.demo.inbox import Inbox
from winback.report.archive import Archive
from winback.report.ledger import Ledger, read_deliveries

KILLS = max(5, round(100 * float(os.environ.get("WINBACK_SLOW_SHARE", "1.0"))))
KILLS_PER_ISSUE = 5
SEED = 20_260_302
RECIPIENTS = [f"manager{number}@example.com" for number in range(9)]

Key = tuple[str, str]  # period and recipient


@dataclass
class Troubled:
    """A mail server that refuses one of three, stalls, or drops the line; and that knows what it took."""

    random: Random
    is_kind: bool = False
    taken: dict[Key, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    did: Counter[str] = field(default_factory=Counter)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, _: Any) -> str:
        if not self.is_kind and self.random.random() < 1 / 3:
            self.did["refused"] += 1
            return "450 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(self.random.uniform(0, 0.02))  # so that kills meet mails on their way
        trouble = "none" if self.is_kind else self.random.choice(["none"] * 8 + ["stalls", "drops", "loses"])
        self.did[trouble] += 1
        if trouble != "loses":  # all others have taken it, whatever they say
            period = envelope.original_content.partition(b"Subject: ")[2].split()[0].decode()
            self.taken[period, envelope.rcpt_tos[0]].append(envelope.original_content)
        if trouble == "stalls":
            await asyncio.sleep(TIMEOUT.total_seconds() * 3)
        if trouble in ("drops", "loses"):
            server.transport.abort()
        return "250 OK"


@dataclass
class Scene:
    """A ledger, a troubled server, and senders that share both."""

    connection: psycopg.Connection[Any]
    server: Troubled
    workers: Workers
    archive: Archive

    def check(self, period: str) -> list[str]:
        """Assert what must hold of an issue that no more sender works on; return who is unknown."""
        states = Ledger(self.connection, REPORT, period).states()
        assert set(states) == set(RECIPIENTS)
        listed = {found.recipient for found in read_deliveries(self.connection, REPORT, period)}
        for recipient, state in states.items():
            taken = self.server.taken[period, recipient]
            assert len(taken) <= 1, f"{period}: {len(taken)} mails to one recipient"
            assert state in ("sent", "unknown"), f"{period}: a mail is {state} after an undisturbed run"
            assert (recipient in listed) == (state == "unknown"), f"{period}: an unknown mail is not listed"
            assert taken or state == "unknown", f"{period}: a mail that is {state} was never taken"
            if taken:
                kept = [file.read_bytes() for file in (self.archive.folder / REPORT / period).glob("*.eml")]
                assert taken[0] in kept, f"{period}: a mail is not in the archive as it was sent"
        return [recipient for recipient, state in states.items() if state == "unknown"]

    def settle_all(self, period: str) -> None:
        """Ask the recipients, as a person would, and send again what did not arrive."""
        for recipient in self.check(period):
            arrived = bool(self.server.taken[period, recipient])
            Ledger(self.connection, REPORT, period).settle(recipient, "sent" if arrived else "again")
        self.finish(period)
        assert read_deliveries(self.connection, REPORT, period) == []
        assert all(len(self.server.taken[period, recipient]) == 1 for recipient in RECIPIENTS)

    def finish(self, period: str) -> None:
        """Run undisturbed, with a kind server."""
        self.server.is_kind = True
        self.workers.start([period, RECIPIENTS])
        assert self.workers.wait() == ["done"]
        self.server.is_kind = False

    def kill_some(self, period: str, random: Random, undisturbed: float) -> int:
        """Let twins send an issue and kill one or both at a random moment; return how many it met alive."""
        twins = self.workers.start([period, RECIPIENTS], [period, RECIPIENTS])
        time.sleep(random.uniform(0, undisturbed))
        for pid in random.sample(twins, random.choice((1, 2))):
            with suppress(ProcessLookupError):  # it was faster
                os.kill(pid, signal.SIGKILL)
        ends = self.workers.wait()
        wrong = [end for end in ends if end not in ("done", "killed") and "stays pending" not in end]
        assert not wrong, wrong
        return ends.count("killed")


@pytest.fixture
def scene(warehouse: str, tmp_path: Path) -> Iterator[Scene]:
    server, archive = Troubled(Random(SEED)), tmp_path / "archive"
    with (
        Inbox(tmp_path, handler=server) as inbox,
        psycopg.connect(warehouse, autocommit=True) as connection,
    ):
        workers = Workers(
            archive, tmp_path / "workers.log", "tests.faults.sender", WINBACK_CONN_SMTP=inbox.url
        )
        yield Scene(connection, server, workers, Archive(archive))
        workers.stop()


@pytest.mark.slow
def test_a_hundred_kills_send_nothing_twice_and_lose_nobody_silently(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    random = Random(SEED)
    began = time.monotonic()
    scene.finish("undisturbed")
    undisturbed = time.monotonic() - began
    killed, unknown, issues = 0, 0, 0
    while killed < KILLS:
        period, of_issue = f"issue-{issues}", 0
        issues += 1
        while of_issue < KILLS_PER_ISSUE:
            met = scene.kill_some(period, random, undisturbed)
            killed, of_issue = killed + met, of_issue + max(met, 1)
        scene.finish(period)
        unknown += len(scene.check(period))
        scene.settle_all(period)
    if KILLS >= 50:  # fewer do not meet every trouble
        assert unknown
        assert min(scene.server.did[trouble] for trouble in ("refused", "stalls", "drops", "loses")) > 0
    with capsys.disabled():
        print(
            f"\n{killed} kills over {issues} issues to {len(RECIPIENTS)} recipients each: 0 duplicates,"
            f" 0 silent losses, {unknown} unknown and listed; the server: {dict(scene.server.did)}"
        )
