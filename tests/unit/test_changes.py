"""A digest tells whether the next build may go on from the last one."""

from pathlib import Path

import pytest

from winback.changes import fingerprint_of

RULES = {"policies.csv": "policy,churn_days\nretail,180\n"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {
        "dbt_project.yml": "vars: {weeks_kept: 13}\n",
        "models/marts/one.sql": "select 1\n",
        "macros/two.sql": "{% macro two() %}2{% endmacro %}\n",
        "target/compiled.sql": "select 1\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("changed", ["dbt_project.yml", "models/marts/one.sql", "macros/two.sql"])
def test_a_changed_model_is_another_digest(project: Path, changed: str) -> None:
    before = fingerprint_of(project, RULES, {})
    (project / changed).write_text("changed", encoding="utf-8")
    assert fingerprint_of(project, RULES, {}) != before


def test_rules_and_configuration_count_and_what_dbt_leaves_behind_does_not(project: Path) -> None:
    before = fingerprint_of(project, RULES, {"currency": "CNY"})
    (project / "target" / "compiled.sql").write_text("changed", encoding="utf-8")
    assert fingerprint_of(project, dict(RULES), {"currency": "CNY"}) == before
    assert fingerprint_of(project, {"policies.csv": "policy\n"}, {"currency": "CNY"}) != before
    assert fingerprint_of(project, RULES, {"currency": "EUR"}) != before
