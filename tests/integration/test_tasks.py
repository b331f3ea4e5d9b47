"""Win-back tasks from their making to what came of them, on a real warehouse."""

import mailbox
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from click.testing import CliRunner

from tests.report_marts import create_marts
from tests.some_marts import build_marts
from tests.unit.tasks.filled_in import fill_in
from winback.config import Settings, load_settings
from winback.errors import WinbackError
from winback.load import load_feed
from winback.report.commands import deliveries
from winback.report.definition import load_report
from winback.report.language import Formats, read_words
from winback.report.period import iso_week
from winback.report.query import read_rows
from winback.report.scope import Recipient, Scope, with_account_managers
from winback.report.workbook import write_workbook
from winback.tasks.commands import tasks
from winback.tasks.create import create_tasks, reassign_task
from winback.tasks.returned import read_returned, reply_to_returned
from winback.tasks.signature import VARIABLE, with_numbers

pytestmark = pytest.mark.usefixtures("quick_checks")

SUNDAY = date(2026, 3, 1)


@dataclass
class Office:
    """A warehouse with marts filled by hand, and its configuration."""

    connection: psycopg.Connection[Any]
    settings: Settings

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        done = self.connection.execute(statement, values or None)  # type: ignore[arg-type]
        return done.fetchall() if done.description else []

    def customer(self, number: str, manager: str = "erp:M1", **columns: Any) -> None:
        given = {"customer_key": f"erp:{number}", "customer_id": number, "account_manager_key": manager,
                 "stage": "churned", "value_12m": 100, "value_tier": "major", **columns}  # fmt: skip
        names = ", ".join(given)
        marks = ", ".join(["%s"] * len(given))
        self.run(f"insert into marts.dim_customer ({names}) values ({marks})", *given.values())

    def candidate(self, number: str, campaign: str | None = None, why: str = "worth_it") -> None:
        self.run(
            "insert into marts.winback_candidates"
            " (customer_key, decision_reason, campaign_id, is_contact_capped) values (%s, %s, %s, %s)",
            f"erp:{number}", why, campaign, "CALLED_OFTEN" in number,
        )  # fmt: skip

    def member(
        self,
        number: str,
        arm: str,
        starts_on: date,
        window_ends_on: date | None = None,
        campaign: str = "spring",
    ) -> None:
        self.run(
            "insert into ops.campaign_members (campaign_id, customer_key, arm, assigned_on, starts_on,"
            " window_ends_on, value_tier, reason_class, time_away, p_treated, p_untreated, margin,"
            " expected_gain) values (%s, %s, %s, %s, %s, %s, 'vip', 'natural', 'short', 0.2, 0.1, 100, 10)",
            campaign, f"erp:{number}", arm, SUNDAY - timedelta(days=20), starts_on,
            window_ends_on or SUNDAY + timedelta(days=1),
        )  # fmt: skip

    def manager(self, key: str, reports_to: str | None = None, left_on: date | None = None) -> None:
        self.run(
            "insert into marts.dim_account_manager values (%s, %s, %s, %s, null, %s, %s)",
            f"erp:{key}", key, key, f"{key.lower()}@example.com", reports_to, left_on,
        )  # fmt: skip
        self.run(
            "insert into raw.account_managers (source_id, account_manager_id, business_day, load_batch_id,"
            " loaded_at) values ('erp', %s, '2026-01-01', 1, now())",
            key,
        )

    def publish(self, day: date) -> None:
        self.run("delete from ops.builds")
        self.run(
            "insert into ops.builds (as_of_date, status, started_at) values (%s, 'published', now())", day
        )

    def owners(self) -> dict[str, str]:
        rows = self.run(
            "select customer_key, account_manager_key from ops.winback_tasks"
            " inner join ops.winback_task_present_owners using (task_id)"
        )
        return dict(rows)

    def workbook(self, address: str, language: Any = "zh") -> bytes | None:
        """Return the workbook of somebody's weekly mail."""
        report = load_report("weekly_retention")
        reader = Recipient(address, "", language, Scope("everything"))
        rows = read_rows(self.connection, report, reader, iso_week(SUNDAY), SUNDAY)
        assert rows is not None
        blocks = {**rows.blocks, "tasks": with_numbers(rows.blocks["tasks"])}
        words = read_words(report.folder, language)
        return write_workbook(report.file, blocks, words.gettext, Formats(language, "CNY"))


@pytest.fixture
def office(company: Any, warehouse: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Office]:
    monkeypatch.setenv(VARIABLE, "a secret of the tests")
    file = tmp_path / "winback.yml"
    config = yaml.safe_load(file.read_text("utf-8")) | {"tasks": {"returned": str(tmp_path / "returned")}}
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    with psycopg.connect(warehouse, autocommit=True) as connection:
        create_marts(connection)
        office = Office(connection, load_settings(file))
        office.manager("HEAD")
        office.manager("M1", "erp:HEAD")
        office.manager("M2", "erp:HEAD")
        office.publish(SUNDAY)
        yield office


def test_tasks_are_made_once_a_day_for_whoever_is_there(office: Office) -> None:
    office.manager("GONE", "erp:HEAD", SUNDAY)
    for number, manager in (("C1", "erp:M1"), ("C2", "erp:GONE"), ("C3", "-1")):
        office.customer(number, manager)
        office.candidate(number)
    assert create_tasks(office.settings, SUNDAY) == {"created": 3, "reassigned": 0, "without_owner": 1}
    assert office.owners() == {"erp:C1": "erp:M1", "erp:C2": "erp:HEAD", "erp:C3": "-1"}
    assert set(office.run("select created_on, due_on, campaign_id from ops.winback_tasks")) == {
        (SUNDAY, SUNDAY + timedelta(days=7), None)
    }
    before = office.run("select * from ops.winback_tasks order by 1")
    office.customer("C4")
    office.candidate("C4")
    assert create_tasks(office.settings, SUNDAY)["created"] == 0
    assert create_tasks(office.settings, SUNDAY - timedelta(days=7))["created"] == 0
    assert office.run("select * from ops.winback_tasks order by 1") == before
    office.publish(SUNDAY + timedelta(days=7))
    assert (
        create_tasks(office.settings, SUNDAY + timedelta(days=7))["created"] == 1
    )  # others have theirs still


def test_no_path_leads_to_a_control_member_or_to_whoever_is_to_be_left_alone(office: Office) -> None:
    """Every way to a task, once for somebody who may get one, and once for each who may not."""
    tomorrow, later = SUNDAY + timedelta(days=1), SUNDAY + timedelta(days=2)
    for number, campaign, why in (
        ("TREATED", "spring", "in_campaign"),
        ("VIP", "spring", "in_campaign"),
        ("WEEKLY", None, "worth_it"),
        ("TREATED_SINCE", None, "worth_it"),
        ("CONTROL", "spring", "control_group"),
        ("CONTROL_SINCE", None, "worth_it"),
        ("CONTROL_OF_ONE", None, "worth_it"),
        ("CONTROL_MERGED", "spring", "control_group"),
        ("CONTROL_UNTIL_TODAY", None, "worth_it"),
        ("TREATED_LATER", "winter", "in_campaign"),
        ("NURTURED", None, "capacity_spent"),
        ("OPTED_OUT", "spring", "in_campaign"),
        ("CALLED_OFTEN", "spring", "in_campaign"),
        ("CALLED_OFTEN_WEEKLY", None, "worth_it"),
    ):
        office.customer(number, do_not_contact=number == "OPTED_OUT")
        office.candidate(number, campaign, why)
    for number in ("TREATED", "OPTED_OUT", "CALLED_OFTEN", "TREATED_SINCE"):
        office.member(number, "treated", tomorrow)
    office.member("VIP", "outside", tomorrow)
    for number in ("CONTROL", "CONTROL_SINCE", "CONTROL_OF_ONE"):
        office.member(number, "control", tomorrow)
    office.member("CONTROL_OF_ONE", "treated", tomorrow, campaign="autumn")
    office.member("CONTROL_UNTIL_TODAY", "control", SUNDAY - timedelta(days=19), SUNDAY)
    office.member("TREATED_LATER", "treated", later, campaign="winter")
    create_tasks(office.settings, SUNDAY)
    assert dict(office.run("select customer_key, campaign_id from ops.winback_tasks")) == {
        "erp:TREATED": "spring",
        "erp:VIP": "spring",
        "erp:WEEKLY": None,
        "erp:TREATED_SINCE": "spring",
        "erp:CONTROL_UNTIL_TODAY": None,
    }


def test_a_running_trial_is_left_out_of_the_call_list_in_both_arms(office: Office) -> None:
    """Also who was drawn since the marts were built, and who has merged into a member of it."""
    for number in ("CALLED", "TREATED", "CONTROL", "OUTSIDE", "CONTROL_MERGED", "CONTROL_UNTIL_TODAY"):
        office.customer(number, stage="at_risk")
    for number, arm in (("TREATED", "treated"), ("CONTROL", "control"), ("OUTSIDE", "outside")):
        office.member(number, arm, SUNDAY)
    office.member("CONTROL_UNTIL_TODAY", "control", SUNDAY - timedelta(days=19), SUNDAY)
    office.run(
        "insert into marts.winback_candidates (customer_key, campaign_id, arm)"
        " values ('erp:CONTROL_MERGED', 'spring', 'control')"
    )
    reader = Recipient("board@example.com", "", "en", Scope("everything"))
    rows = read_rows(office.connection, load_report("weekly_retention"), reader, iso_week(SUNDAY), SUNDAY)
    assert rows is not None
    listed = {row["customer_id"] for row in rows.blocks["call_first"]}
    assert listed == {"CALLED", "OUTSIDE", "CONTROL_UNTIL_TODAY"}


def test_the_tasks_of_whoever_leaves_go_to_others_and_nothing_is_forgotten(office: Office) -> None:
    for number, manager in (("STAYS", "erp:M1"), ("MOVES", "erp:M1"), ("LEFT", "erp:M1")):
        office.customer(number, manager)
        office.candidate(number)
    create_tasks(office.settings, SUNDAY)
    office.run("update marts.dim_account_manager set left_on = '2026-03-05' where name = 'M1'")
    office.run("update marts.dim_customer set account_manager_key = 'erp:M2' where customer_id = 'MOVES'")
    week = SUNDAY + timedelta(days=7)
    office.publish(week)
    assert create_tasks(office.settings, week)["reassigned"] == 3
    assert office.owners() == {"erp:STAYS": "erp:HEAD", "erp:MOVES": "erp:M2", "erp:LEFT": "erp:HEAD"}
    assert create_tasks(office.settings, week)["reassigned"] == 0
    (task_id,) = office.run("select task_id from ops.winback_tasks where customer_key = 'erp:MOVES'")[0]
    reassign_task(task_id, "erp:HEAD", week + timedelta(days=1))
    history = "select account_manager_key from ops.winback_task_owners where task_id = %s order by since"
    assert office.run(history, task_id) == [("erp:M1",), ("erp:M2",), ("erp:HEAD",)]
    for owner, day in (("erp:M1", week + timedelta(days=2)), ("erp:M2", week)):
        with pytest.raises(WinbackError):
            reassign_task(task_id, owner, day)


def test_what_is_sent_back_is_a_contact_once_and_does_the_task(office: Office, company: Any) -> None:
    for number in ("C1", "C2"):
        office.customer(number)
        office.candidate(number)
    create_tasks(office.settings, SUNDAY)
    sent = office.workbook("M1@Example.com")
    assert sent is not None
    assert office.settings.tasks is not None
    folder = office.settings.tasks.place
    folder.mkdir()
    first = fill_in(
        sent,
        "zh",
        {"contacted_on": "2026-03-02", "outcome": "未联系上", "note": "李女士不在"},
        {"outcome": "?"},
    )
    (folder / "周报.xlsx").write_bytes(first)
    (folder / "同一份.xlsx").write_bytes(first)
    assert read_returned(office.settings) == {"files": 1, "answers": 1, "refused": 1, "foreign": 0}
    (answered,) = folder.glob("*.txt")
    assert "第 3 行“联系结果”列" in answered.read_text("utf-8")
    assert "李女士" not in answered.read_text("utf-8")

    # The rest by mail, with the first row said otherwise: the later file holds.
    mail = EmailMessage()
    rows = {"outcome": "愿意下单"}, {"contacted_on": "2026-03-03", "outcome": "left for good"}
    content = fill_in(first, "zh", *rows)
    mail.add_attachment(content, "application", "octet-stream", filename="weekly.XLSX")
    (folder / "reply.eml").write_bytes(bytes(mail))
    assert read_returned(office.settings)["answers"] == 2
    assert read_returned(office.settings)["files"] == 0
    for _ in range(2):
        load_feed(office.settings, "contacts", date(2026, 3, 4))
    (counts,) = office.run(
        "select sum(rows_in), sum(rows_inserted), sum(rows_updated), sum(rows_quarantined) from ops.batches"
    )
    assert counts == (3, 2, 1, 0)
    contacts = office.run(
        "select customer_source_id, customer_id, contacted_at::date::text, outcome from raw.contacts"
        " inner join ops.winback_tasks using (task_id) order by 3"
    )
    assert {row[:2] for row in contacts} == {("erp", "C1"), ("erp", "C2")}
    assert [row[3] for row in contacts] == ["will_order", "left"]

    for number in ("C1", "C2"):
        company.sell((number, "2025-01-05 10:00", 5, number, "2025-01-05 10:00"))
    load_feed(office.settings, "orders", date(2026, 3, 4))
    build_marts(office.settings, date(2026, 3, 4), "feedback_discipline")
    assert office.run("select status, done_on, result from marts.winback_tasks order by done_on") == [
        ("done", date(2026, 3, 2), "reached"),
        ("done", date(2026, 3, 3), "refused"),
    ]
    assert office.run("select * from marts.feedback_discipline") == []  # none is due yet


def test_tasks_stand_in_their_owners_mail_only_and_overdue_ones_are_counted_above(office: Office) -> None:
    for number in ("C1", "C2"):
        office.customer(number)
        office.candidate(number)
    create_tasks(office.settings, SUNDAY)
    office.run(
        "insert into marts.winback_tasks"
        " (task_id, customer_key, account_manager_key, created_on, due_on, status)"
        " select task_id, customer_key, 'erp:M1', created_on, created_on, 'overdue' from ops.winback_tasks"
        " where customer_key = 'erp:C1'"
    )
    report = load_report("weekly_retention")

    def blocks(address: str, key: str) -> Any:
        reader = Recipient(address, "", "en", Scope("account_manager", key))
        rows = read_rows(office.connection, report, reader, iso_week(SUNDAY), SUNDAY)
        assert rows is not None
        return rows.blocks

    own = blocks("m1@example.com", "erp:M1")
    assert {row["customer_id"] for row in own["tasks"]} == {"C1", "C2"}
    assert own["call_first"] == ()
    head, other = blocks("head@example.com", "erp:HEAD"), blocks("m2@example.com", "erp:M2")
    assert (head["tasks"], other["tasks"]) == ((), ())
    assert [(row["account_manager"], row["tasks"]) for row in head["overdue_tasks"]] == [("M1", 1)]
    assert [row["account_manager"] for row in own["overdue_tasks"]] == ["M1"]
    assert other["overdue_tasks"] == ()
    assert [(row["result"], row["tasks"]) for row in own["task_results"]] == [("overdue", 1)]

    def addresses(*, has_tasks: bool) -> list[str]:
        found = with_account_managers(office.connection, [], "zh", SUNDAY, has_tasks=has_tasks)
        return [recipient.address for recipient in found]

    assert addresses(has_tasks=False) == ["m1@example.com"]
    assert addresses(has_tasks=True) == ["head@example.com", "m1@example.com"]


def test_contacts_are_loaded_before_anybody_has_answered(office: Office, company: Any) -> None:
    assert read_returned(office.settings)["files"] == 0
    for day in (date(2026, 3, 3), date(2026, 3, 4)):
        load_feed(office.settings, "contacts", day)
    assert office.run("select count(*) from raw.contacts") == [(0,)]


def test_a_mailbox_export_brings_workbooks_too_and_what_is_no_workbook_is_told_apart(office: Office) -> None:
    office.customer("C1")
    office.candidate("C1")
    create_tasks(office.settings, SUNDAY)
    sent = office.workbook("m1@example.com", "en")
    assert sent is not None
    assert office.settings.tasks is not None
    folder = office.settings.tasks.place
    folder.mkdir()
    rows = {"contacted_on": "2026-03-02", "outcome": "thinks it over"}
    box = mailbox.mbox(folder / "replies.mbox")
    for content in (fill_in(sent, "en", rows), b"no workbook"):
        mail = EmailMessage()
        mail.set_content("here")
        mail.add_attachment(content, "application", "octet-stream", filename="weekly.xlsx")
        box.add(mail)
    box.close()
    assert read_returned(office.settings) == {"files": 2, "answers": 1, "refused": 0, "foreign": 1}
    assert len(list(folder.glob("replies.mbox.*.txt"))) == 2


def send_back(office: Office, language: str = "zh", **second: Any) -> Path:
    """Drop M1's workbook with one row that holds and one with a wrong cell; return the folder."""
    for number in ("C1", "C2"):
        office.customer(number)
        office.candidate(number)
    create_tasks(office.settings, SUNDAY)
    sent = office.workbook("m1@example.com", language)
    assert sent is not None
    assert office.settings.tasks is not None
    folder = office.settings.tasks.place
    folder.mkdir()
    held = {"contacted_on": "2026-03-02", "outcome": {"zh": "未联系上", "en": "not reached"}[language]}
    (folder / "周报.xlsx").write_bytes(fill_in(sent, language, held, second or {"outcome": "?"}))
    return folder


def letters(inbox: Path) -> list[tuple[str, str]]:
    """Return to whom mails went, and what they say."""
    found = [message_from_bytes(file.read_bytes(), policy=default) for file in sorted(inbox.glob("*.eml"))]
    return [(mail["To"].addresses[0].addr_spec, mail.get_body(("plain",)).get_content()) for mail in found]


def test_the_owner_hears_of_wrong_cells_once_whoever_the_mail_says_it_is_from(
    office: Office, inbox: Path
) -> None:
    folder = send_back(office)
    mail = EmailMessage()
    mail["From"] = "someone@elsewhere.example"
    workbook = (folder / "周报.xlsx").read_bytes()
    mail.add_attachment(workbook, "application", "octet-stream", filename="again.xlsx")
    (folder / "reply.eml").write_bytes(bytes(mail))
    assert reply_to_returned(office.settings)["sent"] == 0  # nothing was read yet
    assert read_returned(office.settings)["files"] == 1
    assert reply_to_returned(office.settings)["sent"] == 1
    read_returned(office.settings)
    assert reply_to_returned(office.settings)["sent"] == 0
    ((address, text),) = letters(inbox)
    assert address == "m1@example.com"
    assert "工作表“任务”第 3 行“联系结果”列：请从以下选项中选择" in text
    # The same cells in a workbook that differs are a case of their own.
    (folder / "later.xlsx").write_bytes(fill_in(workbook, "zh", {}, {"contacted_on": "2026-03-03"}))
    read_returned(office.settings)
    assert reply_to_returned(office.settings)["sent"] == 1
    assert len(letters(inbox)) == 2


def test_nobody_hears_of_a_workbook_in_which_nothing_is_wrong(office: Office, inbox: Path) -> None:
    send_back(office, contacted_on="2026-03-02", outcome="未联系上")
    assert read_returned(office.settings)["refused"] == 0
    reply_to_returned(office.settings)
    assert letters(inbox) == []
    assert office.run("select * from ops.deliveries") == []


def test_whoever_has_left_or_has_no_address_hears_nothing(office: Office, inbox: Path) -> None:
    folder = send_back(office)
    office.run("update marts.dim_account_manager set left_on = '2026-03-05' where name = 'M1'")
    read_returned(office.settings)
    reply_to_returned(office.settings)
    office.run("update marts.dim_account_manager set left_on = null, email = 'x\ny' where name = 'M1'")
    (folder / "again.xlsx").write_bytes(fill_in((folder / "周报.xlsx").read_bytes(), "zh", {"note": "1"}))
    read_returned(office.settings)
    reply_to_returned(office.settings)
    assert letters(inbox) == []
    assert len(list(folder.glob("*.txt"))) == 2


def test_who_leaves_before_the_reply_goes_out_gets_none(office: Office, inbox: Path) -> None:
    send_back(office)
    read_returned(office.settings)
    office.run("update marts.dim_account_manager set left_on = '2026-03-05' where name = 'M1'")
    assert reply_to_returned(office.settings)["silent"] == 1
    assert letters(inbox) == []


def test_a_reply_waits_for_the_mail_server_and_for_its_workbook(
    office: Office, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = send_back(office, "en")
    read_returned(office.settings)
    with monkeypatch.context() as changed:
        changed.setenv("WINBACK_CONN_SMTP", "smtp://127.0.0.1:9")
        with pytest.raises(WinbackError, match="cannot be used"):
            reply_to_returned(office.settings)
    state = "select state, error from ops.deliveries"
    assert office.run(state)[0][0] == "pending"
    kept = (folder / "周报.xlsx").rename(folder / "moved")
    with pytest.raises(WinbackError, match="1 refused"):
        reply_to_returned(office.settings)
    assert office.run(state) == [("refused", "the workbook is no longer in the folder")]
    kept.rename(folder / "back.xlsx")
    assert (
        CliRunner()
        .invoke(tasks, ["reply"])
        .output.startswith("Dry run: nothing was sent. Replies that wait: 1.")
    )
    assert reply_to_returned(office.settings)["sent"] == 1
    ((_, text),) = letters(inbox)
    assert "Sheet Tasks, row 3, column Outcome: choose one of: will order" in text


def test_a_reply_that_goes_out_later_says_what_was_wrong_when_the_workbook_was_taken(
    office: Office, inbox: Path
) -> None:
    """A day to come is a day gone by when the reply leaves late; its row was not taken all the same."""
    send_back(office, contacted_on="2026-03-05", outcome="未联系上")
    assert office.settings.tasks is not None
    read_returned(office.settings)
    (taken,) = office.settings.tasks.accepted.glob("contacts_2*.csv")
    announced = (
        "insert into ops.deliveries (report, period, recipient, state, message_id)"
        " values ('task_reply', 'workbook-' || %s, 'm1@example.com', 'pending', '<a@b>')",
        taken.stem.rpartition("_")[2],
    )
    office.run(*announced)  # by a run that died before it took the workbook; now nothing is wrong with it
    assert reply_to_returned(office.settings)["silent"] == 1
    day_before = datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp()
    os.utime(taken, (day_before, day_before))
    office.run(*announced)
    assert reply_to_returned(office.settings)["sent"] == 1
    ((_, text),) = letters(inbox)
    assert "日期须在 2026-03-01 至 2026-03-04 之间" in text


def test_a_domain_that_is_not_allowed_is_refused(office: Office, inbox: Path) -> None:
    mail = office.settings.mail.model_copy(update={"recipient_domains": ("elsewhere.example",)})
    settings = office.settings.model_copy(update={"mail": mail})
    send_back(office)
    read_returned(settings)
    with pytest.raises(WinbackError, match="1 refused"):
        reply_to_returned(settings)
    assert letters(inbox) == []


def test_a_reply_whose_sender_died_waits_for_a_person(office: Office, inbox: Path) -> None:
    send_back(office)
    read_returned(office.settings)
    office.run("update ops.deliveries set state = 'sending', attempts = 1")
    with pytest.raises(WinbackError, match="1 of unknown outcome"):
        reply_to_returned(office.settings)
    assert letters(inbox) == []
    ((period, address),) = office.run("select period, recipient from ops.deliveries")
    said = CliRunner().invoke(deliveries, ["settle", "task_reply", period, address, "--as", "again"])
    assert said.exit_code == 0, said.output
    assert reply_to_returned(office.settings)["sent"] == 1


def test_twins_reply_once(office: Office, inbox: Path) -> None:
    send_back(office)
    read_returned(office.settings)
    with ThreadPoolExecutor(4) as twins:
        counts = list(twins.map(lambda _: reply_to_returned(office.settings)["sent"], range(4)))
    assert sorted(counts) == [0, 0, 0, 1]
    assert len(letters(inbox)) == 1


def test_the_command_line_lists_what_is_not_done_and_hands_it_on(office: Office) -> None:
    for number, manager in (("C1", "erp:M1"), ("C2", "erp:M2")):
        office.customer(number, manager)
        office.candidate(number)
    create_tasks(office.settings, SUNDAY)
    run = CliRunner().invoke
    listed = run(tasks, ["list", "--owner", "erp:M1"]).output.splitlines()
    task_id = listed[0].split()[0]
    assert listed[0].split() == [task_id, "2026-03-08", "new", "erp:M1", "erp:C1"]
    assert listed[1] == "tasks that are not done: 1"
    said = run(tasks, ["reassign", task_id, "erp:M2", "--day", "2026-03-02"])
    assert said.exit_code == 0, said.output
    assert run(tasks, ["list", "--owner", "erp:M2"]).output.endswith("tasks that are not done: 2\n")


def test_without_a_secret_no_task_is_made(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.customer("C1")
    office.candidate("C1")
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(WinbackError, match=VARIABLE):
        create_tasks(office.settings, SUNDAY)
    assert office.owners() == {}
    without = office.settings.model_copy(update={"tasks": None})
    assert create_tasks(without, SUNDAY)["created"] == 0
