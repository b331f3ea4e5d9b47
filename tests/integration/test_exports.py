"""Lists for other tools: who is never on one, what leaves of the others, and that it leaves once."""

import csv
import io
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from click.testing import CliRunner
from openpyxl import load_workbook

from tests.crm_tool import TOKEN, CrmTool, crm_tool
from tests.report_marts import AS_OF, Customer, Region, Scene, create_marts
from winback import paths
from winback.cli import main
from winback.config import Settings, load_settings
from winback.errors import WinbackError
from winback.export.lists import export_lists
from winback.export.run import run_export

LISTS = sorted(export_lists())
NEVER = ["OPTED_OUT", "OPTED_OUT_SINCE", "MERGED_INTO_OPTED_OUT", "CAPPED", "DELETED_SINCE"]
LEFT_TO_TRIALS = {
    "call_list": ["TREATED", "CONTROL", "CONTROL_SINCE", "TREATED_SINCE", "IN_BOTH_ARMS"],
    "campaign": ["CONTROL", "CONTROL_SINCE", "IN_BOTH_ARMS"],
    "tasks": ["CONTROL", "CONTROL_SINCE", "IN_BOTH_ARMS"],
    "care": [],
}


@dataclass
class Office:
    """A warehouse with marts filled by hand, a folder, and a CRM tool."""

    connection: psycopg.Connection[Any]
    folder: Path
    tool: CrmTool

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        done = self.connection.execute(statement, values or None)  # type: ignore[arg-type]
        return done.fetchall() if done.description else []

    def customer(self, number: str, *, name: str | None = None, do_not_contact: bool = False) -> None:
        """Add somebody who is on every list unless something speaks against it."""
        key = f"erp:{number}"
        self.run(
            "insert into marts.dim_customer (customer_key, customer_id, business_line, region_key,"
            " account_manager_key, stage, value_12m, value_tier, do_not_contact, last_order_on)"
            " values (%s, %s, 'retail', '-1', '-1', 'at_risk', 100.50, 'major', %s, '2017-09-01')",
            key, number, do_not_contact,
        )  # fmt: skip
        self.run(
            "insert into marts.dim_customer_contact (customer_key, name, phone, email)"
            " values (%s, %s, %s, %s)",
            key, name or f"客户{number}", "+86 138 0000 0000", f"{number.lower()}@example.com",
        )  # fmt: skip
        self.run(
            "insert into marts.care_calendar (customer_key, rule_id, product_key, due_on, label_zh, label_en)"
            " values (%s, 'birthday', '-1', %s, '生日', 'Birthday')",
            key, AS_OF + timedelta(days=1),
        )  # fmt: skip
        self.raw(number)

    def candidate(self, number: str, arm: str | None = None, *, is_capped: bool = False) -> None:
        self.run(
            "insert into marts.winback_candidates (customer_key, campaign_id, arm, is_contact_capped,"
            " expected_gain, action_zh, action_en) values (%s, %s, %s, %s, 5, '打电话', 'Call')",
            f"erp:{number}", "spring" if arm else None, arm, is_capped,
        )  # fmt: skip

    def member(self, number: str, arm: str, starts_on: date = AS_OF, campaign: str = "spring") -> None:
        self.run(
            "insert into ops.campaign_members (campaign_id, customer_key, arm, assigned_on, starts_on,"
            " window_ends_on, value_tier, reason_class, time_away, p_treated, p_untreated, margin,"
            " expected_gain) values (%s, %s, %s, %s, %s, %s, 'major', 'natural', 'short', 0.2, 0.1, 100, 10)",
            campaign, f"erp:{number}", arm, AS_OF - timedelta(days=5), starts_on, AS_OF + timedelta(days=85),
        )  # fmt: skip

    def task(self, number: str) -> None:
        self.run(
            "insert into ops.winback_tasks values (%s, %s, null, %s, %s)",
            f"T-{number}", f"erp:{number}", AS_OF, AS_OF + timedelta(days=7),
        )  # fmt: skip
        self.run("insert into ops.winback_task_owners values (%s, '-1', %s)", f"T-{number}", AS_OF)

    def raw(self, number: str, **columns: Any) -> None:
        given = {"source_id": "erp", "customer_id": number, "business_day": AS_OF, "load_batch_id": 1,
                 "loaded_at": AS_OF, **columns}  # fmt: skip
        updates = ", ".join(f"{name} = excluded.{name}" for name in given)
        self.run(
            f"insert into raw.customers ({', '.join(given)}) values ({', '.join(['%s'] * len(given))})"
            f" on conflict (source_id, customer_id) do update set {updates}",
            *given.values(),
        )

    def settings(self, **export: Any) -> Settings:
        config = yaml.safe_load((paths.ROOT / "winback.yml").read_text(encoding="utf-8"))
        config["exports"] = {
            "out": {"to": {"csv": str(self.folder)}, "language": "en", "personal": True} | export
        }
        file = self.folder.parent / "winback.yml"
        file.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), "utf-8")
        return load_settings(file)

    def webhook(self, **more: Any) -> Settings:
        hook = {"connection": "crm", "batch_size": 2, "timeout": "1 second", **more}
        return self.settings(list="care", to={"webhook": hook}, columns=["customer_id", "reason"])

    def customers_on(self, name: str) -> set[str]:
        """Return who is on a list that leaves as CSV."""
        self.run("truncate ops.exports, ops.export_batches")
        run_export(self.settings(list=name, columns=["customer_id"]), "out", AS_OF)
        return {row["customer_id"] for row in self.rows()}

    def rows(self) -> list[dict[str, str]]:
        (file,) = self.folder.glob("*.csv")
        return list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"), newline="")))

    def states(self) -> list[tuple[Any, ...]]:
        return self.run("select state, rows from ops.exports")


@pytest.fixture
def office(warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    (tmp_path / "out").mkdir()
    monkeypatch.setattr("winback.http_service.BACKOFF_SECONDS", 0.01)
    with psycopg.connect(warehouse, autocommit=True) as connection, crm_tool() as tool:
        monkeypatch.setenv("WINBACK_CONN_CRM", tool.url)
        create_marts(connection)
        connection.execute(
            "insert into ops.builds (as_of_date, status, started_at) values (%s, 'published', now())", [AS_OF]
        )
        yield Office(connection, tmp_path / "out", tool)


def fill(office: Office) -> None:
    """Put somebody on every list for whom each rule speaks, and somebody for whom none does."""
    everyone = [*NEVER, *LEFT_TO_TRIALS["call_list"], "OUTSIDE", "FREE", "CALLED"]
    for number in everyone:
        office.customer(number, do_not_contact=number == "OPTED_OUT")
        arms = {"CONTROL": "control", "OUTSIDE": "outside", "FREE": None, "CALLED": None,
                "CONTROL_SINCE": None, "TREATED_SINCE": None}  # fmt: skip
        office.candidate(number, arms.get(number, "treated"), is_capped=number == "CAPPED")
        if number not in ("FREE", "CALLED"):
            office.member(number, "control" if "CONTROL" in number else arms.get(number) or "treated")
    office.raw("OPTED_OUT_SINCE", do_not_contact=True)
    office.raw("OLD_NUMBER", do_not_contact=True)
    office.raw("MERGED_INTO_OPTED_OUT", merged_into="OLD_NUMBER")
    office.raw("DELETED_SINCE", deleted_on=AS_OF)
    office.member("ITS_OLD_NUMBER", "control")
    office.raw("ITS_OLD_NUMBER", merged_into="IN_BOTH_ARMS")


@pytest.mark.parametrize("name", LISTS)
def test_nobody_is_on_a_list_who_may_not_be(office: Office, name: str) -> None:
    fill(office)
    if name == "tasks":
        for (key,) in office.run("select customer_key from marts.dim_customer"):
            office.task(key.removeprefix("erp:"))
    else:
        office.task("CALLED")
    if name == "call_list":  # of those in no campaign
        office.run("update marts.winback_candidates set arm = null, campaign_id = null"
                   " where customer_key = any(%s)", [f"erp:{number}" for number in NEVER])  # fmt: skip
        office.run("delete from ops.campaign_members where customer_key = any(%s)",
                   [f"erp:{number}" for number in NEVER])  # fmt: skip
    found = office.customers_on(name)
    assert found.isdisjoint(NEVER)
    assert found.isdisjoint(LEFT_TO_TRIALS[name])
    everyone = {number for (number,) in office.run("select customer_id from marts.dim_customer")}
    rest = everyone - {*NEVER} - {*LEFT_TO_TRIALS[name]}
    if name == "call_list":
        rest -= {"CALLED"}
    if name == "campaign":
        rest -= {"CALLED", "FREE"}
    assert found == rest


def test_a_campaign_that_starts_later_or_was_not_approved_is_on_no_list(office: Office) -> None:
    for number in ("NOW", "LATER", "PROPOSED"):
        office.customer(number)
        office.candidate(number)
    office.member("NOW", "treated", AS_OF + timedelta(days=1))
    office.member("LATER", "treated", AS_OF + timedelta(days=2), "summer")
    assert office.customers_on("campaign") == {"NOW"}


def test_an_offer_is_made_to_each_member_once(office: Office) -> None:
    settings = office.settings(list="campaign", columns=["customer_id"])
    for day, number in enumerate(("FIRST", "JOINED_LATER", None)):
        if number:
            office.customer(number)
            office.candidate(number, "treated")
            office.member(number, "treated")
        as_of_date = AS_OF + timedelta(days=day)
        office.run("update ops.builds set as_of_date = %s", as_of_date)
        run_export(settings, "out", as_of_date)
        run_export(settings, "out", as_of_date)
    named = [file.read_text("utf-8-sig").split() for file in sorted(office.folder.glob("*.csv"))]
    assert named == [["customer_id", "FIRST"], ["customer_id", "JOINED_LATER"]]


@pytest.mark.parametrize("name", LISTS)
def test_every_list_has_the_columns_that_it_says(office: Office, name: str) -> None:
    office.customer("TREATED")
    if name != "call_list":
        office.candidate("TREATED")
        office.member("TREATED", "treated")
    if name == "tasks":
        office.task("TREATED")
    columns = list(export_lists()[name].allowed)
    run_export(office.settings(list=name, columns=columns), "out", AS_OF)
    (row,) = office.rows()
    assert list(row) == columns
    assert row["phone"] == "+86 138 0000 0000"
    assert row["value_12m"] == "100.50"


def test_a_list_keeps_to_its_scope(office: Office) -> None:
    scene = Scene(
        (Region(0, None), Region(1, 0), Region(2, 0)),
        tuple(Customer(n, 1 + n % 2, 1, "retail", "at_risk", "major") for n in range(4)),
    )
    scene.fill(office.connection)
    run_export(
        office.settings(list="call_list", columns=["customer_id"], scope={"region": "erp:R001"}),
        "out",
        AS_OF,
    )
    assert {row["customer_id"] for row in office.rows()} == {"ID000X", "ID002X"}


def test_files_hold_hostile_text_as_text_under_the_tools_own_titles(office: Office) -> None:
    names = ['=cmd|" /C calc"!A0', "@SUM(1)", "\t=1+1", "-2+3", "+1-(2)", '李"四",\n五', "𠮷野家"]
    for number, name in enumerate(names):
        office.customer(f"C{number}", name=name)
    wanted = {"name": "姓名", "customer_id": "编号", "value_12m": "金额"}
    run_export(office.settings(list="care", columns=wanted), "out", AS_OF)
    assert (office.folder / f"out_{AS_OF}.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    found = {row["编号"]: row["姓名"] for row in office.rows()}
    assert found == {
        f"C{number}": f"'{name}" if name.lstrip()[0] in "=@+-" else name for number, name in enumerate(names)
    }
    office.run("truncate ops.exports, ops.export_batches")
    target = {"xlsx": str(office.folder)}
    run_export(office.settings(list="care", columns=wanted, to=target), "out", AS_OF)
    page = load_workbook(office.folder / f"out_{AS_OF}.xlsx").active
    title, *cells = list(page.iter_rows())
    assert [cell.value for cell in title] == ["姓名", "编号", "金额"]
    assert {cell.value for cell, *_ in cells} == set(names)
    assert {cell.data_type for cell, *_ in cells} == {"s"}
    assert sorted(path.name for path in office.folder.iterdir()) == [f"out_{AS_OF}.csv", f"out_{AS_OF}.xlsx"]


def test_a_list_leaves_once_for_a_day(office: Office) -> None:
    office.customer("C1")
    settings = office.settings(list="care", columns=["customer_id"])
    assert run_export(settings, "out", AS_OF) == {
        "rows": 1,
        "batches": 1,
        "already_sent": 0,
        "left_behind": 0,
    }
    (file,) = office.folder.iterdir()
    written = file.stat().st_mtime_ns
    office.customer("C2")
    assert run_export(settings, "out", AS_OF)["already_sent"] == 1
    assert file.stat().st_mtime_ns == written
    assert office.states() == [("sent", 1)]


def test_a_day_that_the_marts_do_not_show_leaves_no_list(office: Office) -> None:
    office.customer("C1")
    settings = office.settings(list="care", columns=["customer_id"])
    with pytest.raises(WinbackError, match="not yet 2018-01-01; nothing left"):
        run_export(settings, "out", AS_OF + timedelta(days=1))
    assert run_export(settings, "out", AS_OF - timedelta(days=1))["left_behind"] == 1
    assert office.states() == []
    assert list(office.folder.iterdir()) == []


def test_a_folder_that_is_not_there_is_named_and_the_next_run_writes(office: Office) -> None:
    office.customer("C1")
    settings = office.settings(list="care", columns=["customer_id"], to={"csv": str(office.folder / "in")})
    with pytest.raises(WinbackError, match="cannot be written"):
        run_export(settings, "out", AS_OF)
    (office.folder / "in").mkdir()
    assert run_export(settings, "out", AS_OF)["rows"] == 1


def test_every_batch_is_taken_once_however_the_tool_misbehaves(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for number in range(9):
        office.customer(f"C{number}")
    office.tool.mishaps = [503, 200, "drops", 200, 429, "stalls", 200, "loses", 500]
    assert run_export(office.webhook(), "out", AS_OF)["rows"] == 9
    assert sorted(row["customer_id"] for row in office.tool.rows) == [f"C{number}" for number in range(9)]
    assert len(office.tool.taken) == 5
    assert len(office.tool.keys) > 8
    assert office.tool.authorizations == {f"Bearer {TOKEN}"}
    assert office.states() == [("sent", 9)]
    assert caplog.text
    assert TOKEN not in caplog.text
    assert "客户" not in caplog.text


@pytest.mark.parametrize(
    ("mishap", "state", "asked"), [(401, "refused", 1), (302, "refused", 1), (503, "unknown", 2)]
)
def test_a_tool_that_says_no_is_named_and_the_next_run_goes_on(
    office: Office, mishap: int, state: str, asked: int
) -> None:
    for number in range(4):
        office.customer(f"C{number}")
    office.tool.mishaps = [200, *[mishap] * asked]
    settings = office.webhook(attempts=2)
    with pytest.raises(WinbackError, match=f"the server answered {mishap}.*") as caught:
        run_export(settings, "out", AS_OF)
    assert "客户" not in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert [found for found, _ in office.states()] == [state]
    assert len(office.tool.keys) == 1 + asked
    office.raw("C3", do_not_contact=True)  # between the two runs
    assert run_export(settings, "out", AS_OF)["rows"] == 1
    assert sorted(row["customer_id"] for row in office.tool.rows) == ["C0", "C1", "C2"]
    assert len(set(office.tool.keys)) == 2
    assert [found for found, _ in office.states()] == ["sent"]


def test_a_run_that_is_killed_between_batches_goes_on_with_the_same_keys(office: Office) -> None:
    for number in range(6):
        office.customer(f"C{number}")
    settings = office.webhook(timeout="60 seconds")
    office.tool.stands_still_from = 2
    command = [sys.executable, "-c", "from winback.cli import main; main()"]
    arguments = ["export", "run", "out", "--as-of", str(AS_OF), "--really"]
    config = str(office.folder.parent / "winback.yml")
    sender = subprocess.Popen([*command, *arguments], env=os.environ | {"WINBACK_CONFIG": config})
    deadline = time.monotonic() + 60
    while len(office.tool.keys) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    sender.send_signal(signal.SIGKILL)
    assert sender.wait(30) == -signal.SIGKILL
    assert len(office.tool.taken) == 1
    assert [state for state, _ in office.states()] == ["sending"]
    interrupted = office.tool.keys[1]
    office.tool.stands_still_from = 1000
    office.customer("C9")  # who comes later waits for the next day
    assert run_export(settings, "out", AS_OF)["rows"] == 4
    assert office.tool.keys[2] == interrupted
    assert sorted(row["customer_id"] for row in office.tool.rows) == [f"C{number}" for number in range(6)]


def test_data_leave_by_https_only(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.customer("C1")
    monkeypatch.setenv("WINBACK_CONN_CRM", f"http://:{TOKEN}@crm.example.com/lists")
    with pytest.raises(WinbackError, match="would leave unencrypted"):
        run_export(office.webhook(), "out", AS_OF)
    assert office.states() == [("refused", 1)]


def test_the_command_counts_before_it_sends(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.customer("C1")
    office.settings(list="care", columns=["customer_id"])
    monkeypatch.setenv("WINBACK_CONFIG", str(office.folder.parent / "winback.yml"))

    def said(*arguments: str) -> str:
        return CliRunner().invoke(main, ["export", *arguments], catch_exceptions=False).output

    assert "1 rows; by the ledger: not sent" in said("run", "out")
    assert list(office.folder.iterdir()) == []
    assert "rows 1" in said("run", "out", "--really", "--as-of", str(AS_OF))
    assert "already_sent 1" in said("run", "out", "--really")
    assert "1 rows sent" in said("list")
    assert "choose one of: out" in said("run", "nowhere")


def test_the_how_to_does_what_it_says(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (paths.ROOT / "docs" / "how-to" / "export-lists.md").read_text(encoding="utf-8")
    (piece,) = re.findall(r"^```yaml\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    (commands,) = re.findall(r"^```sh\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    for name, listed in export_lists().items():
        (said,) = re.findall(rf"^\| `{name}` \|.*\| (.*) \|$", page, flags=re.MULTILINE)
        assert tuple(re.findall(r"`(\w+)`", said)) == listed.columns
    home = office.folder.parent
    config = yaml.safe_load((paths.ROOT / "winback.yml").read_text(encoding="utf-8")) | yaml.safe_load(piece)
    (home / "winback.yml").write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), "utf-8")
    monkeypatch.setenv("WINBACK_CONFIG", str(home / "winback.yml"))
    monkeypatch.setattr(paths, "ROOT", home)
    (home / "for_crm").mkdir()
    office.customer("C1")
    said = ""
    for command in commands.splitlines():
        done = CliRunner().invoke(main, command.split()[1:], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        said += done.output
    assert "1 rows; by the ledger: not sent" in said
    assert "1 rows sent" in said
    (file,) = (home / "for_crm").iterdir()
    assert file.name == f"calls_for_crm_{AS_OF}.csv"


def test_twins_take_turns(office: Office) -> None:
    for number in range(6):
        office.customer(f"C{number}")
    settings = office.webhook()
    with ThreadPoolExecutor(2) as pool:
        counts = [pool.submit(run_export, settings, "out", AS_OF) for _ in range(2)]
    assert sorted(found.result()["already_sent"] for found in counts) == [0, 1]
    assert len(office.tool.keys) == len(set(office.tool.keys)) == 3


def test_a_list_that_a_tool_refused_goes_whole_into_a_folder_instead(office: Office) -> None:
    for number in range(4):
        office.customer(f"C{number}")
    office.tool.mishaps = [401]
    with pytest.raises(WinbackError, match="answered 401"):
        run_export(office.webhook(), "out", AS_OF)
    run_export(office.settings(list="care", columns=["customer_id"]), "out", AS_OF)
    assert sorted(file.name for file in office.folder.iterdir()) == [f"out_{AS_OF}.csv", f"out_{AS_OF}_2.csv"]
    written = "".join(file.read_text("utf-8-sig") for file in office.folder.iterdir())
    assert [number for number in range(4) if f"C{number}" not in written] == []
