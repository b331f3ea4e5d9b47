"""The how-to on adding a report does what it says: its files are read as they stand on the page."""

import ast
import re

import yaml

from winback import paths
from winback.config import ReportConfig
from winback.report.definition import load_report

PAGE = (paths.ROOT / "docs" / "how-to" / "add-a-report.md").read_text(encoding="utf-8")


def block(language: str, place: int = 0) -> str:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)[place]


def test_the_folder_of_the_page_is_a_report(tmp_path):
    folder = tmp_path / "quiet_customers"
    (folder / "sql").mkdir(parents=True)
    (folder / "report.yml").write_text(block("yaml"), encoding="utf-8")
    (folder / "sql" / "customers.sql").write_text(block("sql"), encoding="utf-8")
    report = load_report("quiet_customers", tmp_path)
    assert report.file.period == "week"
    assert report.file.is_silent({"customers": ()})
    assert not report.file.is_silent({"customers": ({},)})


def test_the_section_of_the_page_is_configuration():
    (section,) = yaml.safe_load(block("yaml", 1))["reports"].values()
    config = ReportConfig.model_validate(section)
    assert (config.deadline, config.on_days_off, len(config.recipients)) == ("12:00", "wait", 1)


def test_the_dag_of_the_page_is_made_as_ours_are():
    shown, ours = (
        [ast.dump(found.func) for found in ast.walk(ast.parse(text)) if isinstance(found, ast.Call)]
        for text in (block("python"), (paths.DAGS / "weekly_retention.py").read_text(encoding="utf-8"))
    )
    assert shown == ours != []
