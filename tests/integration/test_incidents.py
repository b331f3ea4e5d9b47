"""Incidents: noted once, mailed once, closed by what makes up for them; reports that wait or warn."""

import logging
import socket
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.company import DAY, Company, days_after
from tests.integration.test_delivery import Handler
from tests.unit.report.test_render import Page
from winback import build
from winback.build import build_warehouse
from winback.config import Pages, RecipientConfig, ReportConfig, Settings
from winback.demo.inbox import Inbox
from winback.errors import WinbackError
from winback.incidents import close_incidents, is_incident_open, open_incident, open_incidents
from winback.report.deliver import SendSummary
from winback.report.incident import mail_open_incidents, report_failure
from winback.report.issue import is_ready, preview_issue, send_issue
from winback.warehouse.schema import ensure_schema

PROBLEM = "orders from erp, 2026-03-02: stopped, nothing of this batch was loaded."
FIX = "look at the source; if it is right as it is: winback load orders --day 2026-03-02 --accept volume"
ORDERS = ("load", "orders from erp")


@pytest.fixture
def connection(warehouse: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(warehouse, autocommit=True) as opened:
        ensure_schema(opened)
        yield opened


@pytest.fixture
def settings(company: Company) -> Settings:
    """Return a company whose data engineers read Chinese and English, and whose weekly report holds back."""
    return with_reports(company.settings, when_stopped="hold")


def with_reports(settings: Settings, when_stopped: str, reader: str = "lin") -> Settings:
    def person(name: str, language: str) -> RecipientConfig:
        return RecipientConfig(
            address=f"{name}@example.com", name=name, language=language, scope="everything"
        )

    reports = {
        "weekly_retention": ReportConfig(recipients=(person(reader, "zh"),), when_stopped=when_stopped),
        "data_incident": ReportConfig(recipients=(person("wu", "zh"), person("ada", "en"))),
    }
    pages = Pages(url="https://pages.example.com/quality/")
    return settings.model_copy(update={"reports": reports, "pages": pages})


def mails(folder: Path, recipient: str) -> list[EmailMessage]:
    found = [message_from_bytes(file.read_bytes(), policy=default) for file in sorted(folder.glob("*.eml"))]
    return [mail for mail in found if recipient in mail["To"]]


def stop(connection: psycopg.Connection[Any], day: date = DAY, batch_id: int | None = None) -> int:
    return open_incident(connection, *ORDERS, day, PROBLEM, FIX, batch_id=batch_id)


def text_of(mail: EmailMessage) -> str:
    return str(mail.get_body(("plain",)).get_content()).replace("\r\n", "\n").replace("\u00a0", " ")


def html_of(mail: EmailMessage) -> str:
    return str(mail.get_body(("html",)).get_content())


def test_an_incident_of_a_place_and_day_is_open_once(connection: psycopg.Connection[Any]) -> None:
    first = stop(connection)
    assert open_incident(connection, *ORDERS, DAY, "worse", "run", batch_id=7) == first
    assert connection.execute("select problem, what_to_do, batch_id from ops.incidents").fetchall() == [
        ("worse", "run", 7)
    ]
    others = [
        stop(connection, days_after(1)),
        open_incident(connection, "load", "orders from shop", DAY, PROBLEM, FIX),
        open_incident(connection, "build", "orders from erp", DAY, PROBLEM, FIX),
    ]
    assert len({first, *others}) == 4
    close_incidents(connection, *ORDERS, DAY)
    assert stop(connection) not in (first, *others)


def test_what_succeeds_closes_its_place_up_to_its_day(connection: psycopg.Connection[Any]) -> None:
    for day in (DAY, days_after(1), days_after(2)):
        stop(connection, day)
    open_incident(connection, "load", "orders from shop", DAY, PROBLEM, FIX)
    open_incident(connection, "build", "warehouse", DAY, PROBLEM, FIX)
    close_incidents(connection, *ORDERS, days_after(1))
    assert [(found.stage, found.subject, found.business_day) for found in open_incidents(connection)] == [
        ("load", "orders from shop", DAY),
        ("build", "warehouse", DAY),
        (*ORDERS, days_after(2)),
    ]


def test_a_part_of_a_place_counts_for_the_place(connection: psycopg.Connection[Any]) -> None:
    stop(connection)
    assert is_incident_open(connection, *ORDERS, DAY)
    assert is_incident_open(connection, "load", "orders", DAY)
    assert not is_incident_open(connection, "load", "orders", days_after(1))
    assert not is_incident_open(connection, "load", "order", DAY)
    assert not is_incident_open(connection, "build", "orders", DAY)
    close_incidents(connection, *ORDERS, DAY)
    assert not is_incident_open(connection, "load", "orders", DAY)


def test_an_incident_is_mailed_once_and_a_new_one_anew(
    connection: psycopg.Connection[Any], settings: Settings, inbox: Path
) -> None:
    stop(connection)
    assert mail_open_incidents(settings) == asdict(SendSummary(sent=2, already_sent=0))
    stop(connection)
    assert mail_open_incidents(settings) == asdict(SendSummary(sent=0, already_sent=2))
    close_incidents(connection, *ORDERS, DAY)
    assert mail_open_incidents(settings) == asdict(SendSummary(sent=0, already_sent=0))
    stop(connection)
    assert mail_open_incidents(settings)["sent"] == 2
    assert len(mails(inbox, "ada@example.com")) == len(mails(inbox, "wu@example.com")) == 2


def found(connection: psycopg.Connection[Any], **changes: Any) -> None:
    """Note what a check found in batch 7."""
    usual = {
        "batch_id": 7,
        "feed": "orders",
        "source_id": "erp",
        "business_day": DAY,
        "expectation": "amount_is_filled",
        "severity": "reject",
        "level": "row",
        "rows_failed": 3,
        "rows_total": 12,
        "outcome": "failed",
    }
    values = {**usual, **changes}
    names = ", ".join(values)
    marks = ", ".join(f"%({name})s" for name in values)
    connection.execute(f"insert into ops.check_results ({names}) values ({marks})", values)


def odd(connection: psycopg.Connection[Any], name: str, severity: str, *numbers: float | None) -> None:
    """Note that batch 7 is odd as a whole: observed, usual, minimum, maximum."""
    measured = dict(zip(("observed", "usual", "minimum", "maximum"), numbers, strict=True))
    found(
        connection,
        expectation=name,
        severity=severity,
        level="batch",
        rows_failed=1,
        rows_total=1,
        **measured,
    )


def test_the_mail_of_a_stopped_batch_says_numbers_what_waits_and_the_command(
    connection: psycopg.Connection[Any], settings: Settings, inbox: Path
) -> None:
    found(connection)
    found(connection, expectation="currency_is_the_business_currency", severity="stop", rows_failed=5)
    found(connection, expectation="status_is_known", severity="stop", rows_failed=0, outcome="passed")
    odd(connection, "volume", "stop", 12, 410, 205, 615)
    odd(connection, "null_share_customer_id", "warn", 0.5, 0.02, None, 0.12)
    odd(connection, "typical_amount", "warn", 1234.567, 98.5, 49.25, 197)
    odd(connection, "mix_of_channel", "warn", 0.3, None, None, 0.25)
    odd(connection, "freshness", "warn", 5, None, None, 3)
    connection.execute(
        "insert into ops.expectations values"
        " ('orders', 'volume', 'batch', 'stop', 'data engineering', 'Half a day looks like a loss.',"
        " '只到一半的数据看起来像是业绩下滑。')"
    )
    connection.execute(
        "insert into ops.builds (as_of_date, status) values (%s, 'published')", [days_after(-1)]
    )
    stop(connection, batch_id=7)
    mail_open_incidents(settings)

    (english,), (chinese,) = mails(inbox, "ada@example.com"), mails(inbox, "wu@example.com")
    assert english["Subject"] == "Load stopped by a check: Orders (erp), Mar 2, 2026"
    assert chinese["Subject"] == "数据被检查拦下：订单 (erp)，2026年3月2日"
    text = text_of(english)
    shown = Page(html_of(english)).text.replace("\u00a0", " ") + html_of(english)
    for said in (
        "12 rows came in and none was loaded.",
        "Marts and reports show what is known up to Mar 1, 2026.",
        "Weekly retention report waits until its days are published.",
        FIX,
        PROBLEM,
        "Half a day looks like a loss.",
        "volume: 12 rows · usual: 410 rows · at least: 205 rows · at most: 615 rows",
        "currency_is_the_business_currency: 5 of 12 rows",
        "null_share_customer_id [warns only]: 50.00% · usual: 2.00% · at most: 12.00%",
        "typical_amount [warns only]: 1,234.57 · usual: 98.5 · at least: 49.25 · at most: 197",
        "mix_of_channel [warns only]: 0.3 · at most: 0.25",
        "freshness [warns only]: 5 working days old · at most: 3 working days old",
        "Data quality on Mar 2, 2026: https://pages.example.com/quality/2026-03-02.en.html",
    ):
        assert said in text
        assert all(part in shown for part in said.split(": ")[-1].split(" · "))
    assert text.count("waits until") == 1  # not this mail itself
    assert "status_is_known" not in text  # passed
    assert "amount_is_filled" not in text  # rejects rows, and stops nothing
    text = text_of(chinese)
    for said in (
        "收到 12 行，全部没有加载。",
        "数据集市和报表的数据到 2026年3月1日 为止。",
        "客户流失周报暂缓发出",
        FIX,
        "只到一半的数据看起来像是业绩下滑。",
        "volume：12 行 · 平时：410 行 · 至少：205 行 · 至多：615 行",
        "https://pages.example.com/quality/2026-03-02.zh.html",
    ):
        assert said in text
    for mail in (english, chinese):
        assert "src=" not in html_of(mail)
        assert "None" not in html_of(mail) + text_of(mail)
        assert "<mj" not in html_of(mail)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (("load", "complaints"), ("Load failed: Complaints, Mar 2, 2026", "No marts are published yet.")),
        (
            ("load", "backfill of orders"),
            ("Load failed: backfill of orders, Mar 2, 2026", "published yet.\n"),
        ),
        (("build", "warehouse"), ("Build failed: Mar 2, 2026", "Weekly retention report goes out on time")),
        (
            ("report", "weekly_retention"),
            ("Not sent to everyone: Weekly retention report, Mar 2, 2026", "tried again by the next run"),
        ),
    ],
)
def test_each_stage_has_its_own_words(
    connection: psycopg.Connection[Any], settings: Settings, inbox: Path, place: Any, words: tuple[str, str]
) -> None:
    title, held_back = words
    open_incident(connection, *place, DAY, "one\n  two", "run it again")
    mail_open_incidents(with_reports(settings, when_stopped="warn"))
    (mail,) = mails(inbox, "ada@example.com")
    assert mail["Subject"] == title
    assert held_back in text_of(mail)
    assert "one\ntwo" in text_of(mail)
    assert "Checks that failed" not in text_of(mail)
    (chinese,) = mails(inbox, "wu@example.com")
    assert "2026年3月2日" in chinese["Subject"]


def test_a_report_that_has_its_days_is_not_said_to_wait(
    connection: psycopg.Connection[Any], settings: Settings, inbox: Path
) -> None:
    connection.execute("insert into ops.builds (as_of_date, status) values (%s, 'published')", [DAY])
    stop(connection)
    mail_open_incidents(settings)
    (mail,) = mails(inbox, "ada@example.com")
    assert "waits" not in text_of(mail)


def test_without_recipients_one_line_says_so(
    connection: psycopg.Connection[Any], company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    stop(connection)
    with caplog.at_level(logging.WARNING):
        assert mail_open_incidents(company.settings)["sent"] == 0
    assert [record.getMessage() for record in caplog.records] == [
        "Nobody is told of incidents: reports.data_incident in winback.yml names no recipients."
    ]


def fail(settings: Settings, task: str, error: BaseException | None, dag_id: str = "load_sales") -> None:
    report_failure(settings, dag_id, task, DAY, error)


def test_a_failed_task_opens_an_incident_and_mails_it_once(
    connection: psycopg.Connection[Any], settings: Settings, inbox: Path, query: Callable[..., Any]
) -> None:
    for _ in range(2):
        fail(settings, "load_customers", WinbackError("2 of 7 files are unreadable.", "winback doctor"))
    assert query("select stage, subject, business_day, problem, what_to_do from ops.incidents") == [
        ("load", "customers", DAY, "2 of 7 files are unreadable.", "winback doctor")
    ]
    assert len(mails(inbox, "ada@example.com")) == 1


def test_a_failed_task_whose_load_has_told_already_opens_nothing_more(
    connection: psycopg.Connection[Any], settings: Settings, inbox: Path
) -> None:
    number = stop(connection)
    fail(settings, "load_orders", WinbackError(PROBLEM, FIX))
    assert [incident.incident_id for incident in open_incidents(connection)] == [number]
    (mail,) = mails(inbox, "ada@example.com")
    assert FIX in text_of(mail)


def test_an_error_that_may_quote_a_row_leaves_its_kind_only(
    connection: psycopg.Connection[Any], settings: Settings, inbox: Path, query: Callable[..., Any]
) -> None:
    fail(settings, "load_orders", ValueError("no number: '13812345678'"))
    fail(settings, "wait_for_complaints", None, "load_complaints")
    fail(settings, "load_history orders", KeyError("13812345678"), "backfill")
    assert query("select subject, problem from ops.incidents order by incident_id") == [
        ("orders", "load_sales, task load_orders, failed with ValueError."),
        (
            "complaints",
            "load_complaints, task wait_for_complaints, ended without a word: its process was killed.",
        ),
        ("backfill of orders", "backfill, task load_history orders, failed with KeyError."),
    ]
    assert len(mails(inbox, "ada@example.com")) == 3
    assert not any("13812345678" in text_of(mail) for mail in mails(inbox, "ada@example.com"))


def test_a_broken_mail_server_hides_nothing_and_the_mail_follows(
    connection: psycopg.Connection[Any],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("WINBACK_CONN_SMTP", f"smtp://127.0.0.1:{taken.getsockname()[1]}")
        fail(settings, "load_orders", WinbackError(PROBLEM, FIX))
    assert "Nobody was told of this failure by mail. The mail server 127.0.0.1" in caplog.text
    kind = Handler()
    with Inbox(Path(), handler=kind) as inbox:
        monkeypatch.setenv("WINBACK_CONN_SMTP", inbox.url)
        fail(settings, "load_customers", WinbackError("gone", "look"))
    assert len(kind.accepted) == 4  # both incidents, to both


def test_a_warehouse_that_is_gone_is_logged(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WINBACK_WAREHOUSE_URL", "postgresql://nobody@127.0.0.1:1/none")
    fail(settings, "load_orders", WinbackError(PROBLEM, FIX))
    assert "Nobody was told of this failure by mail. the warehouse at 127.0.0.1:1" in caplog.text


def test_a_failed_build_opens_an_incident_that_the_next_one_closes(
    connection: psycopg.Connection[Any], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WinbackError, match="nothing to build"):
        build_warehouse(settings, DAY)
    (incident,) = open_incidents(connection)
    assert (incident.stage, incident.subject, incident.business_day) == ("build", "warehouse", DAY)

    connection.execute(
        "insert into ops.feed_days select source_id, feed, %s, false"
        " from (values ('erp', 'orders'), ('desk', 'complaints')) as loaded (source_id, feed)",
        [DAY],
    )

    def fails(*_: Any, **__: Any) -> None:
        raise KeyError("13812345678")

    monkeypatch.setattr(build, "run_dbt", fails)
    with pytest.raises(KeyError):
        build_warehouse(settings, DAY)
    assert connection.execute("select incident_id, problem from ops.incidents").fetchall() == [
        (incident.incident_id, "The build (warehouse) failed with KeyError.")
    ]
    monkeypatch.setattr(build, "run_dbt", lambda *_, **__: None)
    monkeypatch.setattr(build, "mart_names", lambda: ())
    monkeypatch.setattr(build, "score_all", lambda *_: None)
    build_warehouse(settings, days_after(1))
    assert open_incidents(connection) == ()


@pytest.fixture
def published(connection: psycopg.Connection[Any], settings: Settings) -> date:
    """Publish marts up to the Friday of a week whose Saturday was stopped."""
    friday = days_after(4)
    connection.execute(
        "insert into raw.orders (source_id, order_id, ordered_at, amount, customer_source_id, customer_id,"
        " business_day, load_batch_id, loaded_at)"
        " select 'erp', 'A' || day::date, day + interval '10 hours', 5, 'erp', 'C1', day, 1, now()"
        " from generate_series(%s::timestamp, %s, interval '1 day') as days (day)",
        [days_after(-10), friday],
    )
    reach(connection, friday)
    build_warehouse(settings, friday)
    stop(connection, days_after(5))
    return friday


def reach(connection: psycopg.Connection[Any], day: date) -> None:
    """Note that all feeds that a build waits for are loaded up to a day."""
    connection.execute(
        "insert into ops.feed_days select source_id, feed, %s, false"
        " from (values ('erp', 'orders'), ('desk', 'complaints')) as loaded (source_id, feed)",
        [day],
    )


@pytest.mark.usefixtures("published")
def test_a_report_on_a_stopped_week_goes_out_with_a_warning_or_holds_back_until_it_is_whole(
    connection: psycopg.Connection[Any], settings: Settings, inbox: Path, tmp_path: Path
) -> None:
    """Both ways share the builds, of Friday and of Sunday, and have a reader each."""
    name, sunday, holds = "weekly_retention", days_after(6), settings
    warns = with_reports(settings, when_stopped="warn", reader="chen")

    assert is_ready(warns, name, sunday)
    assert preview_issue(warns, name, sunday, tmp_path / "preview") == 1
    assert send_issue(warns, name, sunday)["sent"] == 1
    (mail,) = mails(inbox, "chen@example.com")
    warning = (
        "数据只到 2026年3月6日，没有覆盖一整周，以下数字还不完整。"
        "来自 erp 的订单数据未能加载：2026年3月7日 起的没有计入。"
    )
    assert warning in text_of(mail)
    assert warning in html_of(mail).replace("\u00a0", " ")

    assert not is_ready(holds, name, sunday)
    with pytest.raises(WinbackError, match="the marts show 2026-03-06, the week ends 2026-03-08"):
        send_issue(holds, name, sunday)
    assert mails(inbox, "lin@example.com") == []
    assert [incident.subject for incident in open_incidents(connection)] == [
        "orders from erp",
        "weekly_retention",
    ]

    close_incidents(connection, *ORDERS, days_after(6))
    assert not is_ready(warns, name, sunday)  # merely late now
    reach(connection, days_after(6))
    build_warehouse(settings, days_after(6))
    assert is_ready(holds, name, sunday)
    assert send_issue(holds, name, sunday)["sent"] == 1
    (mail,) = mails(inbox, "lin@example.com")
    assert "未能加载" not in text_of(mail)
    assert open_incidents(connection) == ()
    assert send_issue(warns, name, sunday)["already_sent"] == 1


def test_a_page_that_cannot_be_written_keeps_no_mail_back(
    connection: psycopg.Connection[Any],
    settings: Settings,
    inbox: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    pages = settings.pages.model_copy(update={"folder": tmp_path / "taken"})
    fail(settings.model_copy(update={"pages": pages}), "load_orders", WinbackError(PROBLEM, FIX))
    assert len(mails(inbox, "ada@example.com")) == 1
    assert f"The page about data quality on {DAY} was not written: FileExistsError." in caplog.text
