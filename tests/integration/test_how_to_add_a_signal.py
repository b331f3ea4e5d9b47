"""The how-to about signals does what it says: every edit and every command, in a copy of the project."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.test_how_tos import blocks
from winback import paths

PAGE = "add-a-signal.md"
PROGRAMS = Path(sys.executable).parent


@pytest.fixture
def project(tmp_path_factory):
    """Copy what the page edits and what its commands need."""
    copy = tmp_path_factory.mktemp("how_to")
    for name in ("pyproject.toml", "winback.yml"):
        shutil.copy(paths.ROOT / name, copy)
    for name in ("dbt_project", "reports", "src", "tests"):
        ignored = shutil.ignore_patterns("target", "logs", "__pycache__")
        shutil.copytree(paths.ROOT / name, copy / name, ignore=ignored)
    return copy


def edit(project, block):
    """Make one edit: its lines without `+` stand together, once, in the file that its first line names."""
    header, *lines = block.splitlines()
    file = project / header.removeprefix("--- ")
    text = file.read_text(encoding="utf-8")
    assert {line[:1] for line in lines} == {" ", "+"}, header
    before = "\n".join(line[1:] for line in lines if line[0] == " ")
    after = "\n".join(line[1:] for line in lines)
    assert text.count(before) == 1, f"{header}: not as the page shows it"
    file.write_text(text.replace(before, after), encoding="utf-8")


def run(project, *command, **variables):
    """Run a command in the copy, with the code of the copy."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PATH"] = f"{PROGRAMS}{os.pathsep}{environment['PATH']}"
    return subprocess.run(
        command,
        cwd=project,
        env=environment | {"PYTHONPATH": str(project / "src"), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_edits_add_a_signal_with_its_examples_and_its_evidence(project):
    for block in blocks(PAGE, "diff"):
        edit(project, block)
    done = run(project, "bash", "-euo", "pipefail", "-c", "\n".join(blocks(PAGE, "sh")))
    assert done.returncode == 0, done.stdout[-4000:]
    assert "test_an_example[visits: 3 orders in 7 days, the first one 6 days ago] PASSED" in done.stdout
    assert "test_every_shipped_rule_and_every_signal_has_an_example_with_its_evidence PASSED" in done.stdout


def test_the_new_word_is_one_that_rules_may_use(project, tmp_path):
    (row,) = blocks(PAGE, "csv")
    header = (paths.DBT_PROJECT / "seeds" / "churn_rules.csv").read_text("utf-8").splitlines()[0]
    (tmp_path / "churn_rules.csv").write_text(f"{header}\n{row}", encoding="utf-8")
    check = ("winback", "rules", "check")
    said = run(project, *check, WINBACK_COMPANY_RULES=str(tmp_path))
    assert said.returncode == 1
    assert "1 problem." in said.stdout
    assert "no such signal 'orders_last_7d'" in said.stdout
    for block in blocks(PAGE, "diff"):
        edit(project, block)
    said = run(project, *check, WINBACK_COMPANY_RULES=str(tmp_path))
    assert said.returncode == 0, said.stdout
