"""One runner for all reports: when an issue goes out, to whom, who hears nothing, and what a dry run does."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from click.testing import CliRunner

from tests.integration.test_delivery import Handler
from winback import paths
from winback.cli import main
from winback.config import Settings, load_settings
from winback.demo.inbox import Inbox
from winback.errors import WinbackError
from winback.report.definition import load_report
from winback.report.deliver import SendSummary
from winback.report.issue import is_ready, preview_issue, send_issue

NAME, SUNDAY = "call_list", date(2017, 12, 31)
NORTH = {"address": "north@example.com", "name": "北", "language": "zh", "scope": {"region": "erp:N"}}
HEAD = {"address": "head@example.com", "name": "Head", "language": "en", "scope": "everything"}

MARTS = """
create schema marts;
create table marts.dim_region (region_key text, name text, region_path text[]);
create table marts.dim_account_manager (
    account_manager_key text, name text, email text, left_on date, reports_to_key text
);
create table marts.dim_customer (
    customer_key text, business_line text, region_key text, account_manager_key text, stage text
);
insert into marts.dim_region values ('erp:N', '北区', '{erp:N}'), ('erp:S', '南区', '{erp:S}');
insert into marts.dim_account_manager values
    ('erp:1', '林经理', 'lin@example.com', null), ('erp:3', '赵经理', 'zhao@example.org', null);
insert into marts.dim_customer values
    ('c:a', 'retail', 'erp:N', 'erp:1', 'active'), ('c:b', 'retail', 'erp:S', 'erp:3', 'at_risk');
"""
# A whole report: this is what adding one takes.
FOLDER = {
    "report.yml": "title: Call list\nperiod: week\n",
    "sql/customers.sql": "select customer_key from marts.dim_customer"
    " join scoped_customers using (customer_key) where stage = 'at_risk'",
    "sentences.txt.j2": "{% block subject %}{{ _('Call list') }} {{ period.name }}{% endblock %}"
    "{% block headline %}{{ customers | length }}{% endblock %}",
    "template.txt.j2": "{{ _('Call list') }}: {% for row in customers %}{{ row.customer_key }}{% endfor %}"
    "{% for row in missing %} nothing from {{ row.from_day }} on{% endfor %}\n",
    "template.mjml.j2": "<mjml><mj-body><mj-section><mj-column><mj-text>{{ sentences.headline }}</mj-text>"
    "</mj-column></mj-section></mj-body></mjml>",
    "translations/zh_CN.po": 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8"\n\n'
    'msgid "Call list"\nmsgstr "待联系客户"\n',
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Add a report, and return its folder."""
    folder = tmp_path / "reports" / NAME
    for name, text in FOLDER.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder.parent / "data_incident").symlink_to(paths.REPORTS / "data_incident")
    monkeypatch.setattr("winback.report.issue.load_report", lambda name: load_report(name, folder.parent))
    return folder


@pytest.fixture
def marts(warehouse: str) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection to a warehouse whose marts two customers are in."""
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute(MARTS)
        yield connection


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marts: Any) -> Callable[..., Settings]:
    """Return a function that writes the configuration of a company, with what a report's section says."""
    publish(marts, SUNDAY)

    def write(mail: dict[str, Any] | None = None, **report: Any) -> Settings:
        config = yaml.safe_load((paths.ROOT / "winback.yml").read_text("utf-8"))
        config["mail"] = {"sender": "Winback <winback@example.com>", **(mail or {})}
        config["reports"] = {NAME: {"recipients": [NORTH, HEAD], **report}}
        file = tmp_path / "winback.yml"
        file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
        monkeypatch.setenv("WINBACK_CONFIG", str(file))
        return load_settings()

    return write


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Handler]:
    """Return a mail server that notes to whom mail came."""
    handler = Handler()
    with Inbox(Path(), handler=handler) as server:
        monkeypatch.setenv("WINBACK_CONN_SMTP", server.url)
        yield handler


def publish(connection: psycopg.Connection[Any], day: date) -> None:
    connection.execute("delete from ops.builds")
    connection.execute(
        "insert into ops.builds (as_of_date, status, started_at, finished_at)"
        " values (%s, 'published', now(), now())",
        [day],
    )


def run(*arguments: str, fails: bool = False) -> str:
    result = CliRunner().invoke(main, ["report", *arguments])
    assert (result.exit_code != 0) == fails, result.output
    return result.output


def test_send_is_a_dry_run_unless_it_is_told_otherwise(
    configured: Callable[..., Settings], inbox: Handler, marts: Any
) -> None:
    configured()
    said = run("send", NAME, "--as-of", str(SUNDAY))
    assert "Dry run: nothing was sent. 2 mails made:" in said
    assert "Of 2 recipients, by the ledger: 2 new. Send with --really." in said
    assert inbox.accepted == []
    assert marts.execute("select count(*) from ops.deliveries").fetchone() == (0,)
    assert run("send", NAME, "--as-of", str(SUNDAY), "--really") == "2 sent\n"
    assert inbox.accepted == ["north@example.com", "head@example.com"]
    assert run("send", NAME, "--as-of", str(SUNDAY), "--really") == "2 already sent\n"
    assert "by the ledger: 2 sent" in run("send", NAME, "--as-of", str(SUNDAY))


def test_a_preview_shows_one_recipients_mail_in_the_language_asked_for(
    configured: Callable[..., Settings], tmp_path: Path
) -> None:
    configured()
    said = run("preview", NAME, "--as-of", str(SUNDAY), "--recipient", "North@example.com", "--lang", "en")
    assert said.startswith("1 mails to look at: ")
    (page,) = (paths.state_dir() / "preview" / f"{NAME}_{SUNDAY}").glob("*.txt")
    assert page.read_text("utf-8") == "Call list: \n"
    said = run("preview", NAME, "--as-of", str(SUNDAY), "--recipient", "who@example.com", fails=True)
    assert "none of its 2 recipients has the address who@example.com" in said


def test_a_report_that_is_sent_when_something_happens_has_no_issues(
    configured: Callable[..., Settings],
) -> None:
    configured()
    assert "data_incident is sent when something happens" in run(
        "preview", "data_incident", "--as-of", str(SUNDAY), fails=True
    )


def test_who_has_nothing_to_be_told_gets_no_mail(
    configured: Callable[..., Settings], inbox: Handler, folder: Path
) -> None:
    (folder / "report.yml").write_text(FOLDER["report.yml"] + "silent_without: [customers]\n")
    assert send_issue(configured(), NAME, SUNDAY) == asdict(SendSummary(sent=1, silent=1))
    assert inbox.accepted == ["head@example.com"]


def test_a_late_report_waits_for_its_deadline_and_then_says_what_it_lacks(
    configured: Callable[..., Settings], inbox: Handler, marts: Any, tmp_path: Path
) -> None:
    publish(marts, SUNDAY - timedelta(days=1))
    waits, gives_up = configured(), configured(deadline="12:00")
    assert not is_ready(waits, NAME, SUNDAY)
    with pytest.raises(WinbackError, match="the marts show 2017-12-30, the week ends 2017-12-31"):
        send_issue(waits, NAME, SUNDAY)
    assert is_ready(gives_up, NAME, SUNDAY)
    assert preview_issue(gives_up, NAME, SUNDAY, tmp_path / "out", address="head@example.com") == 1
    (text,) = (tmp_path / "out").glob("*.txt")
    assert "nothing from 2017-12-31 on" in text.read_text("utf-8")
    assert send_issue(gives_up, NAME, SUNDAY)["sent"] == 2


def test_an_issue_of_a_day_to_come_waits_for_it(configured: Callable[..., Settings], marts: Any) -> None:
    far = date(2999, 12, 29)
    publish(marts, far)
    assert not is_ready(configured(), NAME, far)


def test_account_managers_at_domains_that_are_not_allowed_are_noted_as_refused(
    configured: Callable[..., Settings], inbox: Handler, marts: Any
) -> None:
    settings = configured(mail={"recipient_domains": ["example.com"]}, account_managers="zh")
    with pytest.raises(WinbackError, match="3 messages sent, 0 sent before, 1 refused") as caught:
        send_issue(settings, NAME, SUNDAY)
    assert "winback deliveries list --report call_list --period 2017-W52" in str(caught.value)
    assert sorted(inbox.accepted) == ["head@example.com", "lin@example.com", "north@example.com"]
    refused = marts.execute("select recipient, error from ops.deliveries where state = 'refused'").fetchall()
    assert refused == [("zhao@example.org", "example.org is not among mail.recipient_domains in winback.yml")]


def test_a_scope_that_does_not_exist_keeps_no_mail_of_others_back(
    configured: Callable[..., Settings], inbox: Handler, marts: Any
) -> None:
    settings = configured(recipients=[NORTH | {"scope": {"region": "erp:NOWHERE"}}, HEAD])
    with pytest.raises(WinbackError, match="1 messages sent, 0 sent before, 1 refused"):
        send_issue(settings, NAME, SUNDAY)
    assert inbox.accepted == ["head@example.com"]
    (error,) = marts.execute("select error from ops.deliveries where state = 'refused'").fetchone()
    assert "the warehouse has none of that key" in error
