"""Secrets come from the environment; their absence names both ways to set them."""

import pytest

from winback.connections import connection_url
from winback.errors import WinbackError


def test_the_environment_names_the_url(monkeypatch):
    monkeypatch.setenv("WINBACK_CONN_ERP", "postgresql://u:p@h/d")
    assert connection_url("erp") == "postgresql://u:p@h/d"


def test_a_missing_secret_names_the_variable(monkeypatch):
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    with pytest.raises(WinbackError, match=r"WINBACK_CONN_CRM.*Airflow connection"):
        connection_url("crm")
