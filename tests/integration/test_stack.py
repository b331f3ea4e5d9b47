"""Airflow as we run it: it starts, keeps the business day, runs consumers again, leaves nothing behind."""

import shutil
import stat
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil
import pytest

from winback.airflow import stack as module
from winback.airflow.processes import known
from winback.airflow.stack import Stack
from winback.errors import WinbackError
from winback.warehouse.server import EmbeddedServer

DAGS = """
from airflow.sdk import Asset, PartitionedAssetTimetable, PartitionedAtRuntime, dag, task

orders, complaints = Asset("orders"), Asset("complaints")


def load(feed, asset):
    @dag(dag_id=f"load_{feed}", schedule=PartitionedAtRuntime(), catchup=False)
    def load_feed():
        @task(outlets=[asset])
        def commit(dag_run=None):
            print("loading", dag_run.partition_key)

        commit()

    load_feed()


load("orders", orders)
load("complaints", complaints)


@dag(schedule=PartitionedAssetTimetable(assets=orders & complaints), catchup=False)
def build():
    @task
    def build_marts(dag_run=None):
        if dag_run.partition_key == "2017-12-26":
            raise ValueError("no luck today")

    build_marts()


build()
"""


@pytest.fixture(scope="module")
def folder():
    """Return a folder that everybody may traverse, as most checkouts are, so that all data stay inside."""
    made = Path(tempfile.mkdtemp(prefix="winback-test-"))
    made.chmod(0o755)
    yield made
    EmbeddedServer(made / "state").stop()
    shutil.rmtree(made)


def families(stack):
    """Return all living processes of the stack, also those that its commands started."""
    return [process for child in known(stack.state_dir) for process in child.family()]


def test_the_whole_life_of_a_stack(folder):
    dags = folder / "dags"
    dags.mkdir()
    (dags / "scratch.py").write_text(DAGS)
    (dags / "broken.py").write_text("from airflow.sdk import dag\nraise ImportError('no such feed')\n")
    said = []
    inbox = {"inbox": [sys.executable, "-c", "import time; time.sleep(600)"]}
    stack = Stack(folder / "state", dags, ("api-server", "scheduler", "dag-processor"), others=inbox)
    try:
        login = stack.start(said.append)
        assert said == ["Airflow's database is ready", f"Airflow is up: {login.url}"]
        assert stack.running() == ["api-server", "dag-processor", "inbox", "scheduler"]
        for file in ("login.json", "passwords.json"):
            assert stat.S_IMODE((stack.state_dir / "airflow" / file).stat().st_mode) == 0o600
        listening = {
            connection.laddr.ip
            for process in families(stack)
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}
        assert httpx.get(f"{login.url}/api/v2/dags", trust_env=False).status_code == httpx.codes.UNAUTHORIZED

        client = stack.client()
        client.wait_for_dags(["load_orders", "load_complaints", "build"])
        assert list(client.import_errors()) == ["broken.py"]
        check_that_a_consumer_runs_once_per_key_after_both_and_again_after_both_again(client)
        check_that_a_failed_task_is_told_with_its_log(client)
        with pytest.raises(WinbackError, match=r"broken\.py: ImportError: no such feed"):
            client.wait_for_dags(["broken"])
        alive = families(stack)
        assert len(alive) > len(stack.running())  # the scheduler's workers, too
    finally:
        stopped = stack.stop()
    assert stopped == ["scheduler", "api-server", "dag-processor", "inbox"]
    assert stack.running() == []
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in alive)


def check_that_a_consumer_runs_once_per_key_after_both_and_again_after_both_again(client):
    day, builds = "2017-12-25", []
    for _ in range(2):
        assert client.wait(client.trigger("load_orders", day)).state == "success"
        time.sleep(1)
        assert len(client.runs("build", day)) == len(builds)  # the other feed is still missing
        producer = client.wait(client.trigger("load_complaints", day))
        builds.append(client.wait(client.wait_for_consumer("build", producer)))
    assert [run.state for run in builds] == ["success", "success"]
    assert [run.partition_key for run in builds] == [day, day]
    assert builds[0].run_id != builds[1].run_id
    assert {run.run_id for run in client.runs("build")} == {run.run_id for run in builds}


def check_that_a_failed_task_is_told_with_its_log(client):
    states = []
    run = client.wait(client.trigger("build", "2017-12-26"), progress=states.append)
    assert run.state == "failed"
    assert states[-1] == {"build_marts": "failed"}
    assert "no luck today" in client.failures(run)["build_marts"]


def test_what_cannot_start_is_told_with_its_log_and_leaves_nothing(folder, monkeypatch):
    monkeypatch.setattr(module, "AIRFLOW", (sys.executable, "-c", "print('no luck'); raise SystemExit(1)"))
    (folder / "state" / "airflow" / "migrated").unlink(missing_ok=True)
    stack = Stack(folder / "state")
    with pytest.raises(WinbackError, match=r"database could not be prepared.*db-migrate\.log:\n    no luck"):
        stack.start()
    assert stack.running() == []
