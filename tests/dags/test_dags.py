"""The DAG files: they parse, without warnings, and say what they must."""

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
import yaml

from winback import paths
from winback.airflow.wiring import business_day, failed_day
from winback.demo.inbox import Inbox
from winback.errors import WinbackError
from winback.feeds import FEEDS
from winback.report.incident import place_of
from winback.warehouse.schema import ensure_schema

EXPECTED = {
    "backfill", "load_sales", "load_complaints", "build_warehouse",
    "weekly_retention", "key_customer_alert", "monthly_tier_review", "quarterly_campaign_review",
    "winback_campaigns", "exports", "task_reply",
}  # fmt: skip


def parse(folder: Path, home: Path, config: Path | None = None) -> dict:
    """Let Airflow parse a folder of DAG files."""
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "WINBACK_CONFIG": str(config or paths.ROOT / "winback.yml"),
    }
    probe = Path(__file__).with_name("probe.py")
    done = subprocess.run(
        [sys.executable, probe, folder], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    return parse(paths.DAGS, tmp_path_factory.mktemp("airflow"))


@pytest.fixture(scope="module")
def parsed_without_complaints_by_cron(tmp_path_factory):
    """Parse the DAGs of a company that has no complaints and schedules by cron."""
    folder = tmp_path_factory.mktemp("airflow")
    config = yaml.safe_load((paths.ROOT / "winback.yml").read_text(encoding="utf-8"))
    del config["feeds"]["complaints"]
    config["schedules"] = {"load": "0 2 * * *"}
    del config["reports"]["weekly_retention"]["schedule"]
    (folder / "winback.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return parse(paths.DAGS, folder, folder / "winback.yml")


def test_every_dag_file_parses_without_errors_or_warnings(parsed):
    assert parsed["errors"] == {}
    assert parsed["warnings"] == []
    assert set(parsed["dags"]) == EXPECTED


def test_the_probe_sees_errors_warnings_and_absence(tmp_path):
    """A test that finds nothing must be able to find something."""
    folder = tmp_path / "dags"
    folder.mkdir()
    (folder / "warns.py").write_text(
        "import warnings\nfrom airflow.sdk import DAG\n"
        "warnings.warn('old', DeprecationWarning, stacklevel=1)\n"
        "with DAG('warns'): pass\n"
    )
    (folder / "broken.py").write_text("from airflow.sdk import DAG\nraise ValueError('broken')\n")
    found = parse(folder, tmp_path)
    assert set(found["dags"]) == {"warns"}
    assert next(iter(found["errors"])).endswith("broken.py")
    (warning,) = found["warnings"]
    assert "DeprecationWarning: old" in warning


@pytest.mark.parametrize("dag_id", sorted(EXPECTED))
def test_a_dag_is_documented_tagged_and_safe_to_repeat(parsed, dag_id):
    dag = parsed["dags"][dag_id]
    for word in ("**Steps**", "**Running it again**"):
        assert word in dag["doc"]
    assert dag["tags"] == ["winback"]
    assert dag["catchup"] is False
    assert dag["max_active_runs"] == 1
    assert dag["tasks"]
    for task in dag["tasks"].values():
        assert task["retries"] > 0
        assert task["backoff"]
        assert task["on_failure"] == ["tell_of_failure"]


def test_the_build_starts_by_itself_when_both_feeds_are_loaded(parsed):
    outlets = {
        outlet for dag in ("load_sales", "load_complaints")
        for task in parsed["dags"][dag]["tasks"].values() for outlet in task["outlets"]
    }  # fmt: skip
    assert outlets == {"winback_orders", "winback_complaints", "winback_returned_tasks"}
    assert parsed["dags"]["build_warehouse"]["timetable"] == "PartitionedAssetTimetable"


def test_campaigns_are_put_to_a_person_after_each_build(parsed):
    dag = parsed["dags"]["winback_campaigns"]
    assert parsed["dags"]["build_warehouse"]["tasks"]["build"]["outlets"] == ["winback_marts"]
    assert dag["timetable"] == "PartitionedAssetTimetable"
    assert {name: task["upstream"] for name, task in dag["tasks"].items()} == {
        "propose": [], "ask": ["propose"],
    }  # fmt: skip


def test_exports_run_after_each_build(parsed):
    dag = parsed["dags"]["exports"]
    assert dag["timetable"] == "PartitionedAssetTimetable"
    assert set(dag["tasks"]) == {"run"}


def test_orders_are_loaded_after_their_master_data(parsed):
    tasks = parsed["dags"]["load_sales"]["tasks"]
    assert {"load_account_managers", "load_customers", "load_regions"} <= {*tasks["load_orders"]["upstream"]}
    before, nearest = set(), {"load_order_lines"}
    while nearest := {task for name in nearest for task in tasks[name]["upstream"]}:
        before |= nearest
    assert {"load_orders", "load_products"} <= before


def test_tasks_are_made_before_their_mail_leaves_and_their_answers_are_read_before_contacts(tmp_path):
    config = yaml.safe_load((paths.ROOT / "winback.yml").read_text(encoding="utf-8")) | {"tasks": {}}
    (tmp_path / "winback.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    dags = parse(paths.DAGS, tmp_path, tmp_path / "winback.yml")["dags"]
    weekly, sales = dags["weekly_retention"]["tasks"], dags["load_sales"]["tasks"]
    assert weekly["send"]["upstream"] == ["create_tasks"]
    assert weekly["create_tasks"]["upstream"] == ["wait_for_marts"]
    before, nearest = set(), {"load_contacts"}
    while nearest := {task for name in nearest for task in sales[name]["upstream"]}:
        before |= nearest
    assert "read_returned_contacts" in before
    assert sales["read_returned_contacts"]["outlets"] == ["winback_returned_tasks"]
    assert dags["task_reply"]["timetable"] == "PartitionedAssetTimetable"
    assert place_of("task_reply", "reply") == ("report", "task_reply")
    assert place_of("load_sales", "read_returned_contacts") == ("load", "contacts")


def test_a_cron_line_in_the_configuration_schedules_by_business_day(parsed_without_complaints_by_cron):
    found = parsed_without_complaints_by_cron
    assert found["errors"] == {}
    timetables = {dag_id: dag["timetable"] for dag_id, dag in found["dags"].items()}
    assert timetables["load_sales"] == timetables["weekly_retention"] == "CronPartitionTimetable"


def test_a_company_without_complaints_builds_on_orders_alone(parsed_without_complaints_by_cron):
    found = parsed_without_complaints_by_cron
    assert found["errors"] == {}
    assert set(found["dags"]) == EXPECTED - {"load_complaints"}


def test_a_mistake_in_the_configuration_shows_in_airflow(tmp_path):
    file = tmp_path / "winback.yml"
    file.write_text("company: {}\n", encoding="utf-8")
    errors = parse(paths.DAGS, tmp_path, file)["errors"]
    assert len(errors) == len(EXPECTED)
    assert all("name_en" in error for error in errors.values())


def test_the_business_day_is_the_partition_key_or_is_stated():
    def run(partition_key=None, conf=None):
        return SimpleNamespace(run_id="manual", partition_key=partition_key, conf=conf)

    assert str(business_day(run("2017-12-25"))) == "2017-12-25"
    assert str(business_day(run(conf={"business_day": "2017-12-26"}))) == "2017-12-26"
    for bad in (run(), run("2017-W52"), run(conf={"business_day": 5})):
        with pytest.raises(WinbackError, match="no business day"):
            business_day(bad)


def test_the_failure_of_every_task_has_a_place(parsed):
    places = {
        (dag_id, task): place_of(dag_id, task)
        for dag_id, dag in parsed["dags"].items()
        for task in dag["tasks"]
        if dag_id != "backfill"
    }
    assert {place for (dag_id, _), place in places.items() if dag_id == "load_sales"} == {
        ("load", feed) for feed in set(FEEDS) - {"complaints", "balances", "exchange_rates"}
    }
    assert set(places.values()) >= {
        ("load", "complaints"), ("build", "warehouse"), ("report", "weekly_retention"),
    }  # fmt: skip
    assert {place_of("load_sales", f"load_{feed}") for feed in FEEDS} == {("load", feed) for feed in FEEDS}
    assert place_of("backfill", "load_history order_lines") == ("load", "backfill of order_lines")


def test_a_failed_run_is_about_its_day_the_end_of_its_range_or_the_day_it_was_due():
    def day(partition_key=None, conf=None):
        due = datetime(2018, 1, 3, 2, tzinfo=UTC)
        run = SimpleNamespace(run_id="manual", partition_key=partition_key, conf=conf, run_after=due)
        return failed_day({"dag_run": run})

    assert day("2017-12-25") == day(conf={"business_day": "2017-12-25"}) == date(2017, 12, 25)
    assert day(conf={"from": "2017-11-01", "to": "2017-11-30"}) == date(2017, 11, 30)
    assert (
        day() == day("2017-W52") == day(conf={"to": "yesterday"}) == day(conf={"to": 5}) == date(2018, 1, 3)
    )


@pytest.mark.slow
def test_a_failing_task_sends_one_mail_a_retry_none_and_the_same_failure_none_again(warehouse, tmp_path):
    with psycopg.connect(warehouse, autocommit=True) as connection:
        ensure_schema(connection)
    config = yaml.safe_load((paths.ROOT / "winback.yml").read_text(encoding="utf-8"))
    ada = {"address": "ada@example.com", "name": "Ada", "language": "en", "scope": "everything"}
    config["reports"]["data_incident"] = {"recipients": [ada]}
    del config["mail"]["recipient_domains"]
    (tmp_path / "winback.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (tmp_path / "dags").mkdir()
    dags = shutil.copy(Path(__file__).with_name("failing.py"), tmp_path / "dags")
    with Inbox(tmp_path / "inbox") as inbox:
        environment = {
            **os.environ,
            "AIRFLOW_HOME": str(tmp_path),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "WINBACK_CONFIG": str(tmp_path / "winback.yml"),
            "WINBACK_CONN_SMTP": inbox.url,
        }
        for command in (["-m", "airflow", "db", "migrate"], [dags]):
            done = subprocess.run(
                [sys.executable, *command], env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
    before_each_try = [int(number) for number in re.findall(r"mails before this try: (\d)", done.stdout)]
    assert before_each_try == [0, 0, 1, 1, 1, 1, 1, 2]
    with psycopg.connect(warehouse) as connection:
        incidents = connection.execute(
            "select stage, subject, business_day::text, problem from ops.incidents order by incident_id"
        ).fetchall()
    assert incidents[0] == ("load", "orders", "2026-03-02", "3 of 12 rows are odd.")
    assert {incident[1:3] for incident in incidents[1:]} == {
        ("backfill of orders", "2026-02-28"), ("backfill of customers", "2026-02-28"),
    }  # fmt: skip
    assert "13812345678" not in str(incidents)
    assert len(list((tmp_path / "inbox").glob("*.eml"))) == len(incidents) == 3
