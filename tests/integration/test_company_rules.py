"""A company's own rules reach the warehouse; wrong ones stop a build before dbt starts."""

import json
import os
import shutil

import pytest
from click.testing import CliRunner
from dbt.cli.main import dbtRunner

from tests.company import DAY
from tests.some_marts import build_marts
from winback import cli
from winback.build import build_warehouse
from winback.errors import WinbackError
from winback.load import load_feed
from winback.paths import DBT_PROJECT
from winback.project import dbt_environment, dbt_vars, run_dbt
from winback.rules.load import load_rules

pytestmark = pytest.mark.usefixtures("quick_checks")

HEADER = (
    "policy,rule_id,valid_from,signal,comparator,threshold,outcome,action,enabled,label_zh,label_en,source\n"
)
OURS = "retail,silent,1900-01-01,days_since_last_order,>=,{},at_risk,call,true,久未购买,No order,review\n"


@pytest.fixture
def own_rules(tmp_path, monkeypatch):
    """Return a function that writes the company's churn rules."""
    folder = tmp_path / "own_rules"
    folder.mkdir()
    monkeypatch.setenv("WINBACK_COMPANY_RULES", str(folder))

    def write(*rows):
        file = folder / "churn_rules.csv"
        file.write_text(HEADER + "".join(rows), encoding="utf-8-sig")
        return file

    return write


def test_the_companys_rows_are_in_the_warehouse_and_changes_of_them_too(company, own_rules, query):
    threshold = (
        "select threshold, label_zh, source from rules.churn_rules"
        " where policy = 'retail' and rule_id = 'silent'"
    )
    for days in (45, 46):
        own_rules(OURS.format(days))
        run_dbt(company.settings, DAY, "seed")
        assert query(threshold) == [(days, "久未购买", "review")]
    own_rules()
    run_dbt(company.settings, DAY, "seed")
    assert query(threshold) == [(90, "久未购买", "default")]
    assert query(
        "select churn_days, monthly_minimum, balance_minimum from rules.policies where policy = 'retail_bank'"
    ) == [(None, None, 1000)]
    ((table, column),) = query(
        "select obj_description(seed, 'pg_class'), col_description(seed, 1)"
        " from (values ('rules.churn_rules'::regclass::oid)) as seeds (seed)"
    )
    assert table.startswith("When a customer is watched")
    assert column == "The policy that the rule belongs to."


def test_a_company_rule_flags_whom_the_shipped_one_does_not(company, own_rules, query):
    """Forty-four days of silence, forty-five and forty-six; the shipped rule waits for ninety."""
    for number, day in enumerate(("2026-01-17", "2026-01-16", "2026-01-15")):
        company.sell((f"A{number}", f"{day} 10:00", 5, f"C{44 + number}", f"{day} 10:00"))
    for feed in ("orders", "complaints"):
        load_feed(company.settings, feed, DAY)
    own_rules(OURS.format(45))
    build_marts(company.settings, DAY, "dim_customer")
    assert query(
        "select customer_id, stage from marts.dim_customer where customer_key <> '-1' order by 1"
    ) == [("C44", "new"), ("C45", "at_risk"), ("C46", "at_risk")]


def test_a_wrong_row_stops_the_build_before_dbt_starts(company, own_rules, query, monkeypatch):
    company.sell(("A1", "2026-01-16 10:00", 5, "C1", "2026-01-16 10:00"))
    for feed in ("orders", "complaints"):
        load_feed(company.settings, feed, DAY)
    file = own_rules(OURS.format(45), OURS.format("soon"))
    monkeypatch.setattr(dbtRunner, "invoke", lambda *_: pytest.fail("dbt was started"))
    with pytest.raises(WinbackError, match=rf"{file}:3: threshold 'soon' is no number"):
        build_warehouse(company.settings, DAY)
    assert query("select status from ops.builds") == [("failed",)]
    assert query("select 1 from pg_namespace where nspname = 'rules'") == []


def test_the_command_says_what_is_in_force_or_refuses(own_rules, monkeypatch):
    monkeypatch.delenv("WINBACK_CONFIG", raising=False)
    file = own_rules(OURS.format(45))
    said = CliRunner().invoke(cli.main, ["rules", "check", "--day", "2026-03-02"])
    assert said.exit_code == 0
    assert f"  silent: days_since_last_order >= 45 -> at_risk, call  ({file}:2)\n" in said.output
    own_rules(OURS.format(45), OURS.format(45))
    said = CliRunner().invoke(cli.main, ["rules", "check"])
    assert said.exit_code == 1
    assert f"{file}:3: the same policy, rule_id, valid_from as line 2" in said.output


def test_dbt_by_hand_reads_each_seed_once_also_beside_files_of_the_company(company, tmp_path, monkeypatch):
    monkeypatch.delenv("WINBACK_SEEDS", raising=False)
    for name, value in dbt_environment(os.environ["WINBACK_WAREHOUSE_URL"]).items():
        monkeypatch.setenv(name, value)
    project = shutil.copytree(
        DBT_PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("target", "logs")
    )
    (project / "seeds" / "company" / "churn_rules.csv").write_text(HEADER + OURS.format(45), "utf-8")
    rules = load_rules(company.settings.business.lines)
    outcome = dbtRunner().invoke(
        [
            *("--quiet", "--log-path", str(tmp_path / "logs"), "ls", "--resource-type", "seed"),
            *("--project-dir", str(project), "--profiles-dir", str(project)),
            *(
                "--target-path",
                str(tmp_path / "target"),
                "--vars",
                json.dumps(dbt_vars(company.settings, rules, DAY)),
            ),
        ]
    )
    assert outcome.success, outcome.exception
    seeds = {"holidays", "lunar_days"} | {file.stem for file in (DBT_PROJECT / "seeds").glob("*.csv")}
    assert sorted(name.split(".")[-1] for name in outcome.result) == sorted(seeds)
