"""Every column of every seed is read: a rule that nothing reads would be a promise that nobody keeps."""

import csv
import re
from pathlib import Path

import pytest

from winback.paths import DBT_PROJECT, ROOT
from winback.rules.seeds import SHIPPED, read_seeds, read_signals

SEEDS = sorted(file.stem for file in SHIPPED.glob("*.csv"))
COMMENTS = re.compile(r"--[^\n]*|{#.*?#}|(?<!\S)#[^\n]*", flags=re.DOTALL)


def code(file: Path) -> str:
    """Return a file's text without its comments."""
    return COMMENTS.sub("", file.read_text("utf-8"))


def readers(seed: str) -> list[str]:
    """Return the code that reads a seed: models, with the macros that they call, and Python."""
    named = re.compile(rf"""ref\(\s*['"]{seed}['"]\s*\)|\brules\.{seed}\b|\bseeds\["{seed}"\]""")
    sql = [*(DBT_PROJECT / "models").rglob("*.sql"), *(DBT_PROJECT / "macros").rglob("*.sql")]
    python = [file for part in ("report", "campaign") for file in (ROOT / "src/winback" / part).rglob("*.py")]
    return [with_macros(text) for text in map(code, [*sql, *python]) if named.search(text)]


def with_macros(text: str) -> str:
    """Return code with the macros that it calls: a model may leave to one what it reads."""
    macros = (code(file) for file in (DBT_PROJECT / "macros").rglob("*.sql"))
    called = [
        macro for macro in macros if any(f"{name}(" in text for name in re.findall(r"macro (\w+)\(", macro))
    ]
    return "\n".join([text, *called])


def is_read(column: str, text: str) -> bool:
    """Tell whether code names a column, and not a function of that name."""
    return re.search(rf"\b{column}\b(?!\s*\()", text) is not None


def test_every_seed_is_described_with_its_columns_in_their_order():
    assert SEEDS
    described = read_seeds()
    assert sorted(described) == SEEDS
    for name in SEEDS:
        with (SHIPPED / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            assert next(csv.reader(file)) == list(described[name].columns)
        assert set(described[name].key) <= set(described[name].columns)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_column_of_a_seed_is_read(seed):
    found = readers(seed)
    assert found, f"nothing reads {seed}"
    unread = [name for name in read_seeds()[seed].columns if not any(is_read(name, text) for text in found)]
    assert unread == []


def test_a_column_in_a_comment_or_of_a_function_is_not_read():
    assert not is_read("source", "select * from {{ source('raw', 'orders') }}")
    assert is_read("source", "select rules.source from rules")
    assert not is_read("threshold", COMMENTS.sub("", "select 1 -- threshold\n{# threshold\nthreshold #}"))


def test_shipped_rules_watch_signals_that_are_computed():
    with (SHIPPED / "churn_rules.csv").open(encoding="utf-8", newline="") as file:
        watched = {row["signal"] for row in csv.DictReader(file)}
    assert watched
    assert watched <= set(read_signals())
