"""Where things lie: the checkout, the configuration, and the state that a run leaves behind."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "dags"
DBT_PROJECT = ROOT / "dbt_project"
REPORTS = ROOT / "reports"


def state_dir() -> Path:
    """Return the folder for server data, logs, landed files and the demo's inbox (`.winback/`)."""
    return Path(os.environ.get("WINBACK_STATE", ROOT / ".winback")).absolute()


def config_file() -> Path:
    """Return the path of `winback.yml`; `WINBACK_CONFIG` names another one."""
    return Path(os.environ.get("WINBACK_CONFIG", ROOT / "winback.yml")).absolute()
