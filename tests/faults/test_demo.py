"""The demo is killed at some moment and started again: it ends as if nothing had happened."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from winback import paths
from winback.warehouse.server import EmbeddedServer

DEMO = [sys.executable, "-c", "from winback.cli import main; main(['demo'])"]


@pytest.fixture
def checkout(tmp_path):
    """Copy what the demo runs from, so that its state is this test's own."""
    folder = tmp_path / "checkout"
    shutil.copytree(
        paths.ROOT,
        folder,
        ignore=shutil.ignore_patterns(".venv", ".winback", ".git", ".*_cache", "__pycache__"),
    )
    yield folder
    environment = _environment(folder)
    subprocess.run([*DEMO[:2], DEMO[2].replace("demo", "down")], env=environment, cwd=folder, check=False)
    EmbeddedServer(folder / ".winback").remove()


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WINBACK_")}
    return {**kept, "PYTHONPATH": f"{folder / 'src'}:{folder}", "WINBACK_STATE": str(folder / ".winback")}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_a_killed_demo_ends_as_an_undisturbed_one_and_a_third_run_changes_nothing(checkout, seed):
    environment = _environment(checkout)
    first = subprocess.Popen(DEMO, env=environment, cwd=checkout, start_new_session=True)
    time.sleep(random.Random(seed).uniform(20, 90))
    assert first.poll() is None, "the demo ended before it could be killed"
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()

    second = subprocess.run(DEMO, env=environment, cwd=checkout, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    server = EmbeddedServer(checkout / ".winback")
    with psycopg.connect(server.url()) as connection:
        assert connection.execute("select count(*), sum(amount) from raw.orders").fetchone() == (
            155_848,
            Decimal("4596039.58"),
        )
        sent = connection.execute("select state, count(*) from ops.deliveries group by state").fetchall()
        assert sent == [("sent", 19)]
    assert len(list((checkout / ".winback" / "outbox").glob("*.eml"))) == 19

    lists = sorted(file.name for file in (checkout / ".winback" / "demo" / "for_crm").iterdir())
    assert lists[-1] == "calls_for_crm_2017-12-31.csv"

    third = subprocess.run(DEMO, env=environment, cwd=checkout, capture_output=True, text=True, check=False)
    assert third.returncode == 0, third.stderr
    assert re.search(r"Nothing changed: .* 0 mails sent", third.stdout)
