"""The how-tos do what they say: every command is run, every piece of configuration is read."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from winback import paths
from winback.config import load_settings
from winback.feeds import FEEDS

HOW_TOS = paths.ROOT / "docs" / "how-to"


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of one language on a page."""
    text = (HOW_TOS / page).read_text(encoding="utf-8")
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    assert found, f"{page}: no {language} to run"
    return found


@pytest.fixture
def desk(tmp_path_factory, test_data):
    """Make a folder as a reader of the first page has it; whatever was started there is removed again."""
    folder = tmp_path_factory.mktemp("how_to")
    for name, files in {
        "exports": ["online_retail.csv.xz"],
        "bills": ["restaurant/meal_orders.csv", "restaurant/meal_order_lines_gb18030.csv.xz"],
    }.items():
        (folder / name).mkdir()
        for file in files:
            shutil.copy(test_data / file, folder / name)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WINBACK_")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"

    def follow(page: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(blocks(page, "sh"))],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:]
        return done.stdout

    yield follow
    for state in (".winback", ".restaurant"):
        subprocess.run(
            ["winback", "warehouse", "remove", "--yes"],
            cwd=folder,
            env=environment | {"WINBACK_STATE": str(folder / state)},
            check=True,
        )


def mails_named_in(output: str) -> list[Path]:
    """Return the mails of every preview that an output names."""
    return [
        mail
        for page in re.findall(r"mails to look at: (\S+)", output)
        for mail in sorted(Path(page).parent.glob("*.eml"))
    ]


@pytest.mark.slow
def test_own_files_end_as_marts_and_mails_and_a_second_system_joins_them(desk):
    said = desk("own-files.md")
    assert "the orders sum up to 9,747,747.93" in said
    assert "rows_inserted 25900" in said
    assert "rows_inserted 945" in said
    assert "rows_inserted 10037" in said
    assert "as expected: the statuses are not classed yet" in said
    assert len(mails_named_in(said)) == 3

    said = desk("add-a-source.md")
    assert re.search(r"feed complaints.*rows_inserted 2, .*rows_quarantined 1", said)
    assert re.search(r"opened_at_is_readable.*昨天晚上", said)
    assert "published as of 2016-08-31" in said
    assert len(mails_named_in(said)) == 1

    said = desk("add-a-check.md")
    assert re.search(r"rows_inserted 1, .*rows_quarantined 1", said)
    assert "category_is_one_of_ours" in said

    said = desk("add-a-rule.md")
    assert "silent: days_since_last_order >= 10 -> at_risk, call  (" in said
    assert "from 2016-08-15: silent: days_since_last_order >= 10" in said
    assert "restaurant (policy restaurant), 2 rules on 2016-08-31" not in said
    assert re.search(r"complaint_open +\| watch +\| +0 \| +1 \| .*complaint", said)
    assert re.search(r"silent +\| at_risk +\| +10 \| +\d+ \| last order ", said)
    assert "no such policy 'resturant'; did you mean restaurant?" in said
    assert "as expected: there is no such policy" in said


@pytest.mark.parametrize("number", range(3))
def test_the_pieces_of_configuration_are_valid(number, tmp_path):
    piece = yaml.safe_load(blocks("add-a-source.md", "yaml")[number])
    source = next(iter(piece["systems"]))
    feeds = {"orders": {"sources": [{"source": source, "table": "x", "columns": {}}]}, **piece["feeds"]}
    if "orders" not in piece["feeds"]:
        like = piece["feeds"]["complaints"]["sources"][0]
        feeds["orders"]["sources"] = [
            {**like, "cursor": None, "columns": {name: name for name in FEEDS["orders"].required}}
        ]
    file = tmp_path / "winback.yml"
    company = {"name_en": "Test", "name_zh": "测试"}
    file.write_text(
        yaml.safe_dump({"company": company, "systems": piece["systems"], "feeds": feeds}), "utf-8"
    )
    assert load_settings(file).systems.keys() == {source}
