"""A company whose customers follow known chances, for a quarter: whom it calls, and what came of it."""

import csv
import io
import random
import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest
import yaml

from tests.company import Company
from tests.integration.test_campaigns import LONG_AGO, RETURN, own_campaigns
from tests.unit.tasks.filled_in import fill_in
from winback.build import build_warehouse
from winback.campaign.approval import forms_to_answer, record_answer
from winback.config import Settings, load_settings
from winback.export.run import run_export
from winback.load import load_feed
from winback.report.issue import send_issue
from winback.tasks.create import create_tasks
from winback.tasks.returned import read_returned
from winback.tasks.signature import VARIABLE

__all__ = ["own_campaigns"]  # a fixture
pytestmark = [pytest.mark.usefixtures("quick_checks"), pytest.mark.slow]

SUNDAY = date(2026, 3, 1)
WEEKS = 13
WINDOW_DAYS = 56
LEAVES_IN_WEEK, RERUN_WEEKS = 3, (0, 5, 9, 12)
# By week: who is left alone comes back rarely, who was called often.
ALONE, CALLED = 0.02, 0.4
LAST_ORDER = "2025-08-30 10:00"
OPTED_OUT = {f"C{number:03}" for number in range(0, 100, 20)}
MANAGERS = ("HEAD", "M1", "LATE", "LEAVER")
FEEDS = ("regions", "account_managers", "customers", "orders", "complaints", "contacts")
LISTS = ("call_list", "campaign", "tasks")
NUMBER, TASK = re.compile(r"[CD]\d{3}"), re.compile(r"T\d{6}-")


@dataclass
class Quarter:
    """The company, what it is configured to do, and what only the simulation knows."""

    company: Company
    settings: Settings
    folder: Path
    dice: random.Random = field(default_factory=lambda: random.Random(20260301))
    back: dict[str, date] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)  # in this week
    ever_called: set[str] = field(default_factory=set)
    late: dict[str, bytes] = field(default_factory=dict)  # workbooks filled in, by file

    def live(self, monday: date) -> None:
        """Let a week pass: some come back, more of them if they were called the week before."""
        for number in (f"C{number:03}" for number in range(100)):
            chance = CALLED if number in self.called else ALONE
            if number not in self.back and self.dice.random() < chance:
                self.back[number] = monday + timedelta(days=2)
                moment = f"{self.back[number]} 10:00"
                self.company.sell((f"B{number}", moment, 500, number, moment))
        self.called.clear()

    def load_and_build(self, day: date) -> None:
        for feed in FEEDS:
            load_feed(self.settings, feed, day)
        assert build_warehouse(self.settings, day).outcome == "published"

    def leaves(self, manager: str, day: date) -> None:
        with psycopg.connect(self.company.erp_url) as connection:
            connection.execute("update managers set left_on = %s where no = %s", [day, manager])

    def lists(self, day: date) -> dict[str, set[str]]:
        """Let the lists leave, and return who is on each."""
        for name in LISTS:
            run_export(self.settings, name, day)
        return {
            name: {row["customer_id"] for row in csv.DictReader(io.StringIO(file.read_text("utf-8-sig")))}
            for name in LISTS
            if (file := self.folder / "lists" / f"{name}_{day}.csv").exists()
        }


@pytest.fixture
def quarter(company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Quarter:
    monkeypatch.setenv(VARIABLE, "a secret of the tests")
    with psycopg.connect(company.erp_url) as connection:
        connection.execute("create table managers (no text, email text, boss text, left_on date)")
        connection.execute("create table people (no text, manager text, silent boolean)")
        cursor = connection.cursor()
        cursor.executemany(
            "insert into managers values (%s, %s, %s, null)",
            [(no, f"{no.lower()}@example.com", None if no == "HEAD" else "HEAD") for no in MANAGERS],
        )
        numbers = [f"{kind}{number:03}" for kind, size in (("C", 100), ("D", 20)) for number in range(size)]
        cursor.executemany(
            "insert into people values (%s, %s, %s)",
            [(no, MANAGERS[1 + int(no[1:]) % 3], no in OPTED_OUT) for no in numbers],
        )
        connection.execute("create table regions (no text)")
    # lost in the week before, so that mails say to call them; of twenty others half came back by themselves
    for number in range(100):
        company.sell((f"L{number:03}", LAST_ORDER, 1_000 + 10 * number, f"C{number:03}", LAST_ORDER))
    for number in range(20):
        company.sell((f"E{number:03}", "2025-03-01 10:00", 100, f"D{number:03}", LONG_AGO))
        if number < 10:
            company.sell((f"R{number:03}", RETURN, 100, f"D{number:03}", RETURN))

    file = tmp_path / "winback.yml"
    config = yaml.safe_load(file.read_text("utf-8"))
    tables = {
        "regions": ("regions", {"region_id": "no"}),
        "account_managers": (
            "managers",
            {"account_manager_id": "no", "email": "email", "reports_to": "boss", "left_on": "left_on"},
        ),
        "customers": (
            "people",
            {"customer_id": "no", "account_manager_id": "manager", "do_not_contact": "silent"},
        ),
    }
    for feed, (table, columns) in tables.items():
        config["feeds"][feed] = {"sources": [{"source": "erp", "table": table, "columns": columns}]}
    config["tasks"] = {"returned": str(tmp_path / "returned")}
    config["mail"] = {"sender": "Winback <winback@example.com>"}
    boss = {"address": "board@example.com", "name": "Board", "language": "en", "scope": "everything"}
    config["reports"] = {"weekly_retention": {"recipients": [boss], "account_managers": "zh"}}
    config["exports"] = {
        name: {"list": name, "to": {"csv": str(tmp_path / "lists")}, "columns": ["customer_id"]}
        for name in LISTS
    }
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    monkeypatch.setenv("WINBACK_CONFIG", str(file))
    (tmp_path / "returned").mkdir()
    (tmp_path / "lists").mkdir()
    return Quarter(company, load_settings(file), tmp_path)


def mails_to(outbox: Path, seen: set[Path]) -> dict[str, Any]:
    """Return the mails that have come since, by recipient."""
    new = set(outbox.glob("*.eml")) - seen
    seen |= new
    mails = [message_from_bytes(file.read_bytes(), policy=default) for file in new]
    return {str(mail["To"].addresses[0].addr_spec): mail for mail in mails}


def workbook_of(mail: EmailMessage) -> bytes | None:
    for part in mail.iter_attachments():
        if (part.get_filename() or "").endswith(".xlsx"):
            return bytes(part.get_payload(decode=True))
    return None


def sheets_of(mail: EmailMessage) -> list[list[tuple[Any, ...]]]:
    content = workbook_of(mail)
    if content is None:
        return []
    return [list(page.iter_rows(values_only=True)) for page in openpyxl.load_workbook(io.BytesIO(content))]


def numbers_in(rows: list[tuple[Any, ...]]) -> set[str]:
    return {str(cell) for row in rows for cell in row if NUMBER.fullmatch(str(cell))}


def named_in(mail: EmailMessage) -> set[str]:
    """Return every customer whom a mail names, in its text or its workbook."""
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    return set(NUMBER.findall(text)).union(*map(numbers_in, sheets_of(mail)))


def answer(quarter: Quarter, mails: dict[str, Any], day: date) -> None:
    """Call whom the workbooks' tasks name: M1 and the head at once, LATE after a week, LEAVER never."""
    answers, quarter.late = quarter.late, {}
    for address, mail in mails.items():
        owner = address.split("@")[0].upper()
        tasks = [row for row in (sheets_of(mail) or [[]])[0] if TASK.match(str(row[0]))]
        if not tasks or owner in ("LEAVER", "BOARD"):
            continue
        on = day + timedelta(days=8 if owner == "LATE" else 1)
        row = {"contacted_on": str(on), "outcome": "愿意下单"}
        filled_in = fill_in(workbook_of(mail) or b"", "zh", *[row] * len(tasks))
        (quarter.late if owner == "LATE" else answers)[f"{owner}_{day}"] = filled_in
        quarter.called |= numbers_in(tasks) if owner != "LATE" else set()
        quarter.ever_called |= numbers_in(tasks)
    for name, content in answers.items():
        (quarter.folder / "returned" / f"{name}.xlsx").write_bytes(content)


def run_again(quarter: Quarter, day: date, seen: set[Path], query: Any) -> None:
    """Do the whole day again: nothing changes, and nothing leaves."""
    tables = "ops.winback_tasks", "ops.winback_task_owners", "ops.campaign_decisions", "ops.exports"
    before = {table: query(f"select * from {table} order by 1, 2, 3") for table in tables}
    left = quarter.lists(day)
    quarter.load_and_build(day)
    assert forms_to_answer(quarter.settings) == []
    assert create_tasks(quarter.settings, day)["created"] == 0
    send_issue(quarter.settings, "weekly_retention", day)
    assert mails_to(quarter.folder / "outbox", seen) == {}
    assert quarter.lists(day) == left
    assert {table: query(f"select * from {table} order by 1, 2, 3") for table in tables} == before


def approved(quarter: Quarter, query: Any) -> dict[str, str]:
    """Approve the campaign's list, and return the arm of each of its customers."""
    (form,) = forms_to_answer(quarter.settings)
    record_answer(form["decision_id"], is_approved=True, by="ada", reason=None)
    members = query("select customer_key, arm from ops.campaign_members")
    return {key.removeprefix("erp:"): arm for key, arm in members}


def test_a_quarter_leaves_the_control_group_alone_and_counts_by_assignment(
    quarter: Quarter, own_campaigns: Any, inbox: Path, query: Any
) -> None:
    first_day, ends_on = SUNDAY + timedelta(days=1), SUNDAY + timedelta(days=WINDOW_DAYS)
    own_campaigns({"campaign_id": "spring", "starts_on": first_day, "window_days": WINDOW_DAYS})
    settings = quarter.settings
    seen: set[Path] = set()
    arms: dict[str, str] = {}
    for week in range(WEEKS):
        day = SUNDAY + timedelta(weeks=week)
        quarter.live(day - timedelta(days=6))
        if week == LEAVES_IN_WEEK:
            quarter.leaves("LEAVER", day)
        read_returned(settings)
        quarter.load_and_build(day)
        arms = arms or approved(quarter, query)
        create_tasks(settings, day)
        send_issue(settings, "weekly_retention", day)
        mails, left = mails_to(inbox, seen), quarter.lists(day)

        control = {number for number, arm in arms.items() if arm == "control" and day < ends_on}
        in_trial = {number for number, arm in arms.items() if arm != "outside" and day < ends_on}
        named = set().union(*map(named_in, mails.values()))
        assert not named & (OPTED_OUT | control), day
        assert not set().union(*left.values()) & (OPTED_OUT | control), day
        assert not left.get("call_list", set()) & in_trial, day
        assert week or left["call_list"], (
            "nobody to call: the test would not see a list that forgets the trial"
        )
        assert ("leaver@example.com" in mails) == (week < LEAVES_IN_WEEK)
        if week in RERUN_WEEKS:
            run_again(quarter, day, seen, query)
        answer(quarter, mails, day)

    assert len(arms) == 40
    assert not OPTED_OUT & set(arms)
    returned = {
        arm: sum(quarter.back.get(number, date.max) <= ends_on for number in arms if arms[number] == arm)
        for arm in ("treated", "control", "outside")
    }
    sizes = {arm: list(arms.values()).count(arm) for arm in returned}
    assert query(
        "select treated, control, outside, treated_returned, control_returned, outside_returned, is_complete"
        " from marts.campaign_results"
    ) == [(*sizes.values(), *returned.values(), True)]
    assert returned["treated"] / sizes["treated"] > returned["control"] / sizes["control"]
    # who stayed away was called, whoever their manager was by then; who opted out never was
    treated = {number for number, arm in arms.items() if arm == "treated"}
    assert treated - set(quarter.back) <= quarter.ever_called
    contacts = {key.removeprefix("erp:") for (key,) in query("select customer_key from marts.fct_contacts")}
    assert contacts
    assert not contacts & OPTED_OUT
    tasks = query("select customer_key, created_on from ops.winback_tasks")
    early = {key.removeprefix("erp:") for key, created_on in tasks if created_on < ends_on}
    assert not {number for number, arm in arms.items() if arm == "control"} & early
