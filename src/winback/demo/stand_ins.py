"""What stands in, on a newcomer's machine, for a company's own ERP and mail server.

A connection that the environment names already is left alone: so `make up` serves the demo and a real
deployment alike, and no mail leaves a machine by accident.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from winback import paths
from winback.machine import free_port
from winback.warehouse.server import EmbeddedServer


@dataclass(frozen=True)
class StandIns:
    """Environment variables for Airflow's tasks, and commands to run beside it."""

    variables: Mapping[str, str]
    commands: Mapping[str, Sequence[str]]


def outbox() -> Path:
    """Return the folder in which the local inbox keeps every mail."""
    return paths.state_dir() / "outbox"


def stand_ins(server: EmbeddedServer) -> StandIns:
    """Return what is missing in this environment: the demo's ERP, and a local inbox for all mail."""
    variables: dict[str, str] = {}
    commands: dict[str, Sequence[str]] = {}
    if "WINBACK_CONN_DEMO_ERP" not in os.environ:
        variables["WINBACK_CONN_DEMO_ERP"] = server.url("erp")
    if "WINBACK_CONN_SMTP" not in os.environ:
        port = free_port()
        variables["WINBACK_CONN_SMTP"] = f"smtp://127.0.0.1:{port}"
        commands["inbox"] = (
            sys.executable, "-m", "winback.demo.inbox", "--port", str(port), "--outbox", str(outbox()),
        )  # fmt: skip
    return StandIns(variables, commands)
