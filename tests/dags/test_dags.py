"""The DAG files: they parse, without warnings, and say what they must."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from winback import paths
from winback.airflow.wiring import business_day
from winback.errors import WinbackError

EXPECTED = {"backfill", "load_sales", "load_complaints", "build_warehouse", "weekly_retention"}


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


def test_every_dag_file_parses_without_errors_or_warnings(parsed):
    assert parsed["errors"] == {}
    assert parsed["warnings"] == []
    assert set(parsed["dags"]) == EXPECTED


def test_the_probe_sees_errors_warnings_and_absence(tmp_path):
    """A test that finds nothing must be able to find something."""
    folder = tmp_path / "dags"
    folder.mkdir()
    assert parse(folder, tmp_path)["dags"] == {}
    (folder / "warns.py").write_text(
        "import warnings\nfrom airflow.sdk import DAG\n"
        "warnings.warn('old', DeprecationWarning, stacklevel=1)\n"
        "with DAG('warns'): pass\n"
    )
    (folder / "broken.py").write_text("from airflow.sdk import DAG\nraise ValueError('broken')\n")
    found = parse(folder, tmp_path)
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


def test_the_build_starts_by_itself_when_both_feeds_are_loaded(parsed):
    outlets = {
        outlet for dag in ("load_sales", "load_complaints")
        for task in parsed["dags"][dag]["tasks"].values() for outlet in task["outlets"]
    }  # fmt: skip
    assert outlets == {"winback_orders", "winback_complaints"}
    assert parsed["dags"]["build_warehouse"]["timetable"] == "PartitionedAssetTimetable"


def test_orders_are_loaded_after_their_master_data(parsed):
    tasks = parsed["dags"]["load_sales"]["tasks"]
    assert tasks["load_orders"]["upstream"] == ["load_account_managers", "load_customers", "load_regions"]


def test_a_cron_line_in_the_configuration_schedules_by_business_day(tmp_path):
    config = yaml.safe_load((paths.ROOT / "winback.yml").read_text(encoding="utf-8"))
    config["schedules"] = {"load": "0 2 * * *", "weekly_retention": "0 8 * * 1"}
    file = tmp_path / "winback.yml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    found = parse(paths.DAGS, tmp_path, file)
    assert found["errors"] == {}
    timetables = {dag_id: dag["timetable"] for dag_id, dag in found["dags"].items()}
    assert timetables["load_sales"] == timetables["weekly_retention"] == "CronPartitionTimetable"


def test_a_company_without_complaints_builds_on_orders_alone(tmp_path):
    config = yaml.safe_load((paths.ROOT / "winback.yml").read_text(encoding="utf-8"))
    del config["feeds"]["complaints"]
    file = tmp_path / "winback.yml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    found = parse(paths.DAGS, tmp_path, file)
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
