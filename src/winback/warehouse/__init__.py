"""The warehouse: where it is, and a connection to it."""

import os
from typing import Any

import psycopg

from winback.errors import WinbackError


def is_embedded() -> bool:
    """Tell whether the warehouse is the embedded server, on this machine alone."""
    return not os.environ.get("WINBACK_WAREHOUSE_URL")


def url() -> str:
    """Return the warehouse's URL: `WINBACK_WAREHOUSE_URL`, else the running embedded server.

    Raises:
        WinbackError: no URL is set and the embedded server does not run.
    """
    if named := os.environ.get("WINBACK_WAREHOUSE_URL"):
        return named
    from winback.warehouse.server import EmbeddedServer  # noqa: PLC0415 -- only where it is the warehouse

    return EmbeddedServer().url("warehouse")


def connect(**options: Any) -> psycopg.Connection[Any]:
    """Open a connection to the warehouse; `options` go to psycopg.

    Raises:
        WinbackError: the server cannot be reached or refuses the login.
    """
    return connect_to(url(), "the warehouse", "WINBACK_WAREHOUSE_URL", **options)


def connect_to(address: str, what: str, setting: str, **options: Any) -> psycopg.Connection[Any]:
    """Open a connection to any PostgreSQL, turning failures into errors that name the way out."""
    try:
        return psycopg.connect(address, connect_timeout=10, **options)
    except psycopg.OperationalError as error:
        place = psycopg.conninfo.conninfo_to_dict(address)
        where = f"{place.get('host', '(default host)')}:{place.get('port', 5432)}/{place.get('dbname', '')}"
        reason = str(error).strip().splitlines()[-1].rsplit("failed: ", 1)[-1]
        raise WinbackError(
            f"{what} at {where} cannot be reached as user {place.get('user', '(default)')}: {reason}",
            f"check that the server runs, then host, port, user and password in {setting}",
        ) from None
