"""What every report folder must keep to."""

import csv
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from winback import paths
from winback.errors import WinbackError
from winback.feeds import FEEDS
from winback.report import render
from winback.report.definition import Report, load_report
from winback.report.glossary import read_definitions
from winback.report.language import read_words
from winback.report.templates import SHARED

MJML_TAGS = {
    *("mjml", "mj-head", "mj-title", "mj-preview", "mj-attributes", "mj-all", "mj-raw", "mj-style"),
    *("mj-body", "mj-wrapper", "mj-section", "mj-column", "mj-text", "mj-table", "mj-image"),
}
TEMPORARY = {"scoped_customers", "figures_as_sent", "own_tasks", "in_trial"}
ABOUT_CUSTOMERS = (
    *("dim_customer", "customer_", "fct_", "churn_reasons", "tier_movements", "upgrade_candidates"),
    *("cross_sell_candidates", "spend_mark_crossings", "complaint_causes", "winback_tasks"),
    "campaign_members",
)
NAMES = sorted(file.parent.name for file in paths.REPORTS.glob("*/report.yml"))


@pytest.fixture(params=[*NAMES, "key_customers"])
def report(request: pytest.FixtureRequest) -> Report:
    """Return each report, and the page that some of them attach."""
    if request.param in NAMES:
        return load_report(request.param)
    page = load_report("key_customer_alert").page
    assert page is not None
    assert page.name == request.param
    return page


def test_there_are_reports() -> None:
    assert {"weekly_retention", "key_customer_alert", "monthly_tier_review", "data_incident"} <= set(NAMES)


def phrases(report: Report) -> set[str | tuple[str, ...]]:
    found: set[str | tuple[str, ...]] = set(report.file.phrases())
    templates = list(report.folder.glob("*.j2"))
    shared = [
        file
        for file in (report.folder.parent / SHARED).glob("*.j2")
        if any(f'"{file.name}"' in template.read_text("utf-8") for template in templates)
    ]
    for template in templates + shared:
        with template.open("rb") as file:
            found |= {phrase for _, phrase, _, _ in extract("jinja2.ext:babel_extract", file)}
    with Path(render.__file__).open("rb") as file:
        found |= {phrase for _, phrase, _, _ in extract("python", file)}
    return found


def test_the_catalogue_translates_every_phrase_and_nothing_else(report: Report) -> None:
    with (report.folder / "translations" / "zh_CN.po").open("rb") as file:
        catalogue = read_po(file)
    translated = {message.id if isinstance(message.id, str) else tuple(message.id) for message in catalogue}
    assert translated - {""} == phrases(report)
    for message in catalogue:
        if message.id:
            assert all(message.string if isinstance(message.string, tuple) else [message.string])


def test_translations_keep_the_placeholders(report: Report) -> None:
    def placeholders(text: str) -> set[str]:
        return set(re.findall(r"%(?:\(\w+\)s|.)", text))

    with (report.folder / "translations" / "zh_CN.po").open("rb") as file:
        for message in read_po(file):
            english = message.id if isinstance(message.id, str) else message.id[-1]
            chinese = message.string if isinstance(message.string, str) else message.string[0]
            assert placeholders(chinese) == placeholders(english)


def test_only_known_mjml_tags_are_used(report: Report) -> None:
    files = [*report.folder.glob("*.mjml.j2"), *(report.folder.parent / SHARED).glob("*.mjml.j2")]
    used = set(re.findall(r"</?(mj[\w-]*)", "".join(file.read_text("utf-8") for file in files)))
    assert used
    assert used <= MJML_TAGS


def test_queries_select_from_marts_only_and_about_incidents_from_ops(report: Report) -> None:
    schema = "ops." if report.name == "data_incident" else "marts."
    assert report.queries or report.name == "task_reply"
    for block, query in report.queries:
        bare = re.sub(r"--.*", "", query).lower()
        bare = bare.replace("distinct from", "")
        named = set(re.findall(r"(\w+) as \(", bare))
        sources = set(re.findall(r"\b(?:from|join)\s+([\w.]+)", bare)) - named - {"lateral"}
        assert sources, block
        assert all(source in TEMPORARY or source.startswith(schema) for source in sources), block
        assert not re.search(r"\b(insert|update|delete|create|drop|now|current_date)\b", bare), block


def test_queries_about_customers_are_scoped(report: Report) -> None:
    about_customers = [
        (block, query)
        for block, query in report.queries
        if re.search(rf"marts\.({'|'.join(ABOUT_CUSTOMERS)})", query)
    ]
    assert about_customers or report.name in ("data_incident", "task_reply")
    for block, query in about_customers:
        assert "join scoped_customers" in query or "from own_tasks" in query, block


def test_every_feed_has_a_name(report: Report) -> None:
    if any("words.feeds" in file.read_text("utf-8") for file in report.folder.glob("*.j2")):
        assert set(report.file.words["feeds"]) >= set(FEEDS)


def test_every_figure_has_a_name() -> None:
    file = load_report("weekly_retention").file
    figures = dict(load_report("weekly_retention").queries)["figures"]
    assert set(file.figures) == set(re.findall(r"\(\s*'(\w+)',", figures))


def test_what_is_filled_in_is_read_back_as_a_reason() -> None:
    """The words to choose from are those of the seed, in both languages."""
    file = load_report("weekly_retention").file
    with (paths.DBT_PROJECT / "seeds" / "churn_reason_codes.csv").open(encoding="utf-8") as seed:
        known = {row["reason_code"] for row in csv.DictReader(seed)}
    for language in ("en", "zh"):
        words = read_words(load_report("weekly_retention").folder, language)
        shown = {words.gettext(word) for word in file.words["reason_codes"].values()}
        assert shown
        assert shown <= known


def test_a_glossary_names_a_word_as_its_definition_does(report: Report) -> None:
    """A definition in Chinese begins with its word, which the mail writes in bold before it, once."""
    words, definitions = read_words(report.folder, "zh"), read_definitions()
    for block, label in report.file.glossary.items():
        assert definitions[f"{block}_zh"].startswith(f"{words.gettext(label)}：")


def test_an_unknown_report_is_refused_with_the_known_ones() -> None:
    with pytest.raises(WinbackError, match=r"(?s)no report 'weekly'.*weekly_retention"):
        load_report("weekly")


def test_a_mistake_in_the_file_names_file_and_key(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "report.yml").write_text("title: Mine\ncolour: red\n")
    with pytest.raises(WinbackError, match=r"(?s)mine/report\.yml.*colour"):
        load_report("mine", tmp_path)


def test_a_query_is_shared_by_name_and_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "shared" / "sql").mkdir(parents=True)
    (tmp_path / "shared" / "sql" / "overdue.sql").write_text("select 1", encoding="utf-8")
    (tmp_path / "own").mkdir()
    file = tmp_path / "own" / "report.yml"
    file.write_text("{title: Own, silent_without: [overdue], shared: [overdue]}", encoding="utf-8")
    assert load_report("own", tmp_path).queries == (("overdue", "select 1"),)
    load_report.cache_clear()
    file.write_text("{title: Own, shared: [overdeu]}", encoding="utf-8")
    with pytest.raises(WinbackError, match=r"shared names overdeu; .* has no such query"):
        load_report("own", tmp_path)
