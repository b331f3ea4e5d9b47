"""Secrets: a connection's name in `winback.yml` becomes a URL here, and nowhere else."""

import os

from winback.errors import WinbackError


def connection_url(name: str) -> str:
    """Return the URL behind a connection name.

    The environment variable `WINBACK_CONN_<NAME>` comes first, then, inside Airflow, the connection
    of that name.

    Raises:
        WinbackError: neither exists.
    """
    variable = f"WINBACK_CONN_{name.upper()}"
    if url := os.environ.get(variable):
        return url
    if url := _airflow_connection(name):
        return url
    raise WinbackError(
        f"connection {name!r}: no secret found.",
        f"set the environment variable {variable}=scheme://user:password@host:port/database, "
        f"or add an Airflow connection with the id {name}",
    )


def _airflow_connection(name: str) -> str | None:
    """Ask Airflow, if this process is one of its tasks."""
    if "AIRFLOW_HOME" not in os.environ:
        return None
    from airflow.sdk import Connection  # noqa: PLC0415 -- two seconds that other processes need not spend

    try:
        return str(Connection.get(name).get_uri())
    except Exception:
        return None
