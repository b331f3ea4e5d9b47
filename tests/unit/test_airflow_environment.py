import sys
from pathlib import Path

import pytest

from winback.airflow.environment import LOCAL_SETTINGS, Login, environment, login

LOGIN = Login(port=23456, password="pw", jwt_secret="jwt", api_secret="api", fernet_key="fernet")


def variables(**inherited):
    return environment(
        LOGIN,
        home=Path("/state/airflow"),
        dags=Path("/dags"),
        metadata_url="postgresql://airflow:secret@127.0.0.1:5432/airflow",
        cores=2,
        inherited=inherited,
    )


def test_everything_is_on_this_machine_and_at_the_kept_port():
    chosen = variables()
    assert chosen["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert chosen["AIRFLOW__API__PORT"] == "23456"
    assert chosen["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:23456/execution/"
    assert chosen["AIRFLOW__CORE__DAGS_FOLDER"] == "/dags"
    assert chosen["AIRFLOW_HOME"] == "/state/airflow"


def test_both_engines_of_the_metadata_database_use_psycopg_3():
    chosen, rest = variables(), "://airflow:secret@127.0.0.1:5432/airflow"
    assert chosen["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == f"postgresql+psycopg{rest}"
    assert chosen["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"] == f"postgresql+psycopg_async{rest}"


def test_variables_of_the_users_own_win():
    assert variables(AIRFLOW__CORE__PARALLELISM="32")["AIRFLOW__CORE__PARALLELISM"] == "32"
    assert variables()["AIRFLOW__CORE__PARALLELISM"] == "4"


def test_nothing_is_told_to_anybody():
    assert variables(DO_NOT_TRACK="0")["DO_NOT_TRACK"] == "1"
    assert variables()["GX_ANALYTICS_ENABLED"] == "false"


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_a_proxy_is_not_asked_for_this_machine(name):
    assert variables(**{name: "intranet"})["no_proxy"] == "127.0.0.1,localhost,intranet"
    assert variables()["NO_PROXY"] == "127.0.0.1,localhost"


def test_bytecode_is_cached_whatever_the_shell_says():
    assert "PYTHONDONTWRITEBYTECODE" not in variables(PYTHONDONTWRITEBYTECODE="1")


def test_our_hook_comes_first_on_the_python_path():
    assert variables(PYTHONPATH="/elsewhere")["PYTHONPATH"] == f"{LOCAL_SETTINGS}:/elsewhere"
    assert (LOCAL_SETTINGS / "airflow_local_settings.py").exists()
    assert str(LOCAL_SETTINGS) not in sys.path  # only Airflow's own processes use it


def test_the_login_is_generated_once_and_for_nobody_else(tmp_path):
    first = login(tmp_path)
    assert login(tmp_path) == first
    assert login(tmp_path / "other") != first
    for file in (tmp_path / "airflow").iterdir():
        assert file.stat().st_mode & 0o077 == 0
