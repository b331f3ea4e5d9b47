"""The approval of lists in a running Airflow: approved, rejected with a reason, and unanswered, all noted."""

import shutil
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from winback.airflow.stack import Stack
from winback.warehouse.schema import ensure_schema
from winback.warehouse.server import EmbeddedServer

pytestmark = pytest.mark.slow

DAGS = """
from datetime import timedelta

from airflow.sdk import PartitionedAtRuntime, dag, task

from winback.airflow.approval import CampaignApproval


@dag(schedule=PartitionedAtRuntime(), catchup=False)
def approvals():
    @task
    def propose():
        body = "Customer {{ no_such_thing.at_all }} 上海"
        return [{"decision_id": number, "subject": "批准？", "body": body} for number in (1, 2, 3)]

    ask = CampaignApproval.partial(task_id="ask", language="zh", response_timeout=timedelta(seconds=45))
    ask.expand_kwargs(propose())


approvals()
"""
PROPOSAL = """
insert into ops.campaign_decisions (campaign_id, list_digest, customers, expected_gain, cost)
values (%(campaign)s, 'd', 1, 5, 10);
"""
MEMBER = """
insert into ops.campaign_proposals (decision_id, campaign_id, customer_key, arm, value_tier, reason_class,
    time_away, p_treated, p_untreated, margin, expected_gain, assigned_on, starts_on, window_ends_on)
select decision_id, campaign_id, 'erp:C1', 'treated', 'major', 'unknown', 't', 0.2, 0.1, 100, 5,
    '2026-03-02', '2026-03-09', '2026-05-31'
from ops.campaign_decisions
"""

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


def waiting(client, run):
    """Return the forms that wait, by place, once all three do."""
    path = f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/hitlDetails"
    for _ in range(120):
        found = {
            form["task_instance"]["map_index"]: form for form in client._ask("GET", path)["hitl_details"]
        }
        if len(found) == 3:
            time.sleep(PERSON_SECONDS)
            return found
        time.sleep(0.5)
    raise AssertionError(f"{len(found)} forms after a minute")


def test_every_answer_is_noted_and_so_is_none(folder):
    (folder / "dags").mkdir()
    (folder / "dags" / "approvals.py").write_text(DAGS, encoding="utf-8")
    server = EmbeddedServer(folder / "state")
    server.start()
    with psycopg.connect(server.url("warehouse"), autocommit=True) as connection:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("WINBACK_WAREHOUSE_URL", server.url("warehouse"))
            ensure_schema(connection)
        for campaign in ("yes", "no", "silence"):
            connection.execute(PROPOSAL, {"campaign": campaign})
        connection.execute(MEMBER)
        stack = Stack(folder / "state", folder / "dags", ("api-server", "scheduler", "dag-processor"))
        try:
            stack.start(lambda _: None)
            client = stack.client()
            client.wait_for_dags(["approvals"])
            run = client.trigger("approvals", "2026-03-02")
            forms = waiting(client, run)
            # a customer's number is text, not a template
            assert forms[0]["body"] == "Customer {{ no_such_thing.at_all }} 上海"
            assert forms[0]["options"] == ["批准", "不批准"]
            for place, option, reason in ((0, "批准", None), (1, "不批准", "太贵")):
                answer = {"chosen_options": [option], "params_input": {"reason": reason}}
                client._ask(
                    "PATCH",
                    f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/ask/{place}/hitlDetails",
                    json=answer,
                )
            assert client.wait(run, 180).state == "success"
        finally:
            stack.stop()
        assert connection.execute(
            "select campaign_id, state, decided_by is not null, reason from ops.campaign_decisions order by 1"
        ).fetchall() == [
            ("no", "rejected", True, "太贵"),
            ("silence", "expired", False, "nobody answered in time"),
            ("yes", "approved", True, None),
        ]
        members = connection.execute("select campaign_id, customer_key, arm from ops.campaign_members")
        assert members.fetchall() == [("yes", "erp:C1", "treated")]
