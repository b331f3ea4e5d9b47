"""Lists in a running Airflow: one approved, one rejected, one forgotten, in a Chinese browser; all noted."""

import json
import shutil
import tempfile
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import expect, sync_playwright

from winback.airflow.stack import Stack
from winback.campaign.approval import write_form
from winback.campaign.decisions import Decision
from winback.campaign.plan import Plan
from winback.campaign.trial import Candidate, Member
from winback.config import Settings
from winback.feeds import FEEDS
from winback.warehouse.schema import ensure_schema
from winback.warehouse.server import EmbeddedServer

pytestmark = pytest.mark.slow

DAGS = """
import json
from datetime import timedelta
from pathlib import Path

from airflow.sdk import PartitionedAtRuntime, dag, task

from winback.airflow.approval import CampaignApproval


@dag(schedule=PartitionedAtRuntime(), catchup=False)
def approvals():
    @task
    def propose():
        return json.loads(Path(__file__).with_name("forms.json").read_text(encoding="utf-8"))

    ask = CampaignApproval.partial(task_id="ask", language="zh", response_timeout=timedelta(seconds=75))
    ask.expand_kwargs(propose())


approvals()
"""
PROPOSAL = """
insert into ops.campaign_decisions (campaign_id, list_digest, customers, expected_gain, cost)
values (%s, 'd', 3, 2600, 120)
returning decision_id
"""
MEMBER = """
insert into ops.campaign_proposals (decision_id, campaign_id, customer_key, arm, value_tier, reason_class,
    time_away, p_treated, p_untreated, margin, expected_gain, assigned_on, starts_on, window_ends_on)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '2026-03-02', '2026-03-09', '2026-05-31')
"""
MEMBERS = [
    ("erp:{{ no_such_thing.at_all }} 上海", "outside", "vip", "lured_away", 9000),
    ("erp:C**2**", "treated", "major", "disappointed", 5000),
    ("erp:C3", "control", "ordinary", "unknown", 2000),
]
SETTINGS = {
    "company": {"name_en": "Old Town", "name_zh": "老城"},
    "business": {
        "time_zone": "Asia/Shanghai",
        "default_business_line": "retail",
        "lines": {"retail": "retail"},
    },
    "campaigns": {"language": "zh"},
    "systems": {"erp": {"connector": "postgres", "connection": "erp", "time_zone": "UTC"}},
    "feeds": {
        "orders": {
            "sources": [
                {
                    "source": "erp",
                    "table": "orders",
                    "columns": {name: name for name in FEEDS["orders"].required},
                }
            ]
        }
    },
}

# No person answers sooner: the process that asked must have ended, or Airflow takes its end for the answer's.
PERSON_SECONDS = 10


@pytest.fixture
def folder():
    """Return a folder that everybody may traverse, as most checkouts are."""
    made = Path(tempfile.mkdtemp(prefix="winback-test-"))
    made.chmod(0o755)
    yield made
    EmbeddedServer(made / "state").stop()
    shutil.rmtree(made)


@pytest.fixture
def page():
    """Return a page of a browser whose user reads Chinese."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser.new_context(locale="zh-CN").new_page()
        browser.close()


def candidate(row):
    key, _, value_tier, reason_class, margin = row
    chances = Decimal("0.3"), Decimal("0.1")
    gain = (chances[0] - chances[1]) * margin - 40
    return Candidate(key, None, value_tier, reason_class, "t", *chances, Decimal(margin), gain)


def put_up(connection, campaign_id):
    """Note a list as proposed, and return its form."""
    decision_id = connection.execute(PROPOSAL, [campaign_id]).fetchone()[0]
    members = [Member(candidate(row), row[1]) for row in MEMBERS]
    for member in members:
        one = member.candidate
        connection.execute(
            MEMBER,
            [decision_id, campaign_id, one.customer_key, member.arm, one.value_tier, one.reason_class,
             one.time_away, one.p_treated, one.p_untreated, one.margin, one.expected_gain],
        )  # fmt: skip
    plan = Plan(
        campaign_id, "retail", {"en": campaign_id, "zh": campaign_id}, {"en": "10 % off", "zh": "九折"},
        date(2026, 3, 9), (), (), (), (), 3, Decimal(40), Decimal("0.1"), 90,
    )  # fmt: skip
    decision = Decision(decision_id, campaign_id, "d", "proposed", 3, Decimal(2600), Decimal(120), None)
    form = write_form(Settings.model_validate(SETTINGS), plan, decision, members)
    return {"decision_id": decision_id, "subject": form.subject, "body": form.body}


def wait_for_forms(client, run):
    """Wait until all three lists are before a person, and until that person has looked up."""
    path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/hitlDetails"
    for _ in range(120):
        if len(client._ask("GET", path)["hitl_details"]) == 3:
            time.sleep(PERSON_SECONDS)
            return
        time.sleep(0.5)
    raise AssertionError("fewer than three forms after a minute")


def log_in(page, login):
    page.goto(login.url)
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill(login.password)
    page.locator("button[type=submit]").click()
    expect(page.get_by_test_id("nav-home-link")).to_have_accessible_name("首页", timeout=60_000)


def open_form(page, login, campaign_id):
    """Find a list among what waits for a person, as a person does."""
    page.goto(f"{login.url}/required_actions")
    page.get_by_role("link", name=f"“{campaign_id}”").click(timeout=60_000)
    expect(page.get_by_role("button", name="不批准", exact=True)).to_be_visible(timeout=30_000)


def answer(page, option):
    """Press a button, and wait until the server has taken the answer."""
    with page.expect_response(lambda response: response.request.method == "PATCH") as taken:
        page.get_by_role("button", name=option, exact=True).click()
    assert taken.value.ok


def test_every_answer_is_noted_and_so_is_none(folder, page):
    (folder / "dags").mkdir()
    (folder / "dags" / "approvals.py").write_text(DAGS, encoding="utf-8")
    server = EmbeddedServer(folder / "state")
    server.start()
    with psycopg.connect(server.url("warehouse"), autocommit=True) as connection:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("WINBACK_WAREHOUSE_URL", server.url("warehouse"))
            ensure_schema(connection)
        forms = [put_up(connection, campaign_id) for campaign_id in ("春季回访", "五一回访", "端午回访")]
        (folder / "dags" / "forms.json").write_text(json.dumps(forms), encoding="utf-8")
        stack = Stack(folder / "state", folder / "dags", ("api-server", "scheduler", "dag-processor"))
        try:
            stack.start(lambda _: None)
            client = stack.client()
            client.wait_for_dags(["approvals"])
            log_in(page, stack.login)
            run = client.trigger("approvals", "2026-03-02")
            wait_for_forms(client, run)

            open_form(page, stack.login, "春季回访")
            for shown in (
                "挽回活动“春季回访”：共 3 位客户，是否批准？", "¥2,600", "¥120", "erp:C3", "对照组",
                # a customer's number is text: neither a template nor Markdown
                "erp:{{ no_such_thing.at_all }} 上海", "erp:C**2**",
            ):  # fmt: skip
                expect(page.get_by_text(shown, exact=True).first).to_be_visible()
            answer(page, "批准")

            open_form(page, stack.login, "五一回访")
            expect(page.get_by_text("如不批准，请说明原因")).to_be_visible()
            page.locator("input[name=element_reason]").fill("太贵")
            answer(page, "不批准")

            assert client.wait(run, 180).state == "success"
        finally:
            stack.stop()
        assert connection.execute(
            "select campaign_id, state, decided_by is not null, reason from ops.campaign_decisions order by 1"
        ).fetchall() == [
            ("五一回访", "rejected", True, "太贵"),
            ("春季回访", "approved", True, None),
            ("端午回访", "expired", False, "nobody answered in time"),
        ]
        members = connection.execute("select campaign_id, customer_key, arm from ops.campaign_members")
        assert set(members) == {("春季回访", key, arm) for key, arm, *_ in MEMBERS}
