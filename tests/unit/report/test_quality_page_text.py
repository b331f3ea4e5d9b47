"""The page about data quality on hand-made evidence: what it says, in whose words, and that it is safe."""

import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from tests.unit.report import quality_samples as samples
from winback.check.rules import RowRule, Severity
from winback.check.suites import rules_for, suite_for
from winback.config import Settings
from winback.feeds import FEEDS
from winback.report.quality_page import FOLDER, columns_of, page_name, read_page_file


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def headline(found: Any, language: str = "en") -> str:
    match = re.search(r'<p class="headline">(.*?)</p>', samples.page(found, language))
    assert match
    return match[1]


def test_the_sentence_on_top_says_how_things_stand(language: str) -> None:
    said = {
        "en": "4 of 24 checks failed. 1 of them only warns. 12 rows wait in quarantine. 1 problem is open.",
        "zh": "24 项检查中有 4 项未通过。其中 1 项仅作提醒。隔离区有 12 行待处理。有 1 起异常尚未解决。",
    }
    assert headline(samples.everything(), language) == said[language]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "The one check passed. No row waits in quarantine. Nothing was stopped."),
        ({"checks": (samples.passed(), samples.passed())}, "All 2 checks passed. No row waits"),
        ({"checks": (samples.passed(), samples.passed(outcome="cold_start"))}, "The one check passed."),
        ({"checks": ()}, "Nothing was loaded for this day, so nothing was checked."),
        ({"checks": (samples.check(severity="warn"),)}, "1 of 1 check failed. It only warns."),
        ({"checks": (samples.check(severity="warn"),) * 2}, "2 of 2 checks failed. They only warn."),
        ({"checks": (samples.check(),)}, "1 of 1 check failed. No row"),
        ({"feeds": (samples.feed(rows_waiting=1),)}, "1 row waits in quarantine."),
        ({"incidents": (samples.incident(closed_at=samples.SETTLED_AT),)}, "Nothing was stopped."),
        ({"incidents": (samples.incident(),) * 2}, "2 problems are open."),
    ],
)
def test_the_sentence_on_top_fits_what_was_found(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in headline(samples.evidence(**changes))


def test_a_page_is_one_file_that_runs_and_loads_nothing(language: str) -> None:
    page = Page(samples.page(samples.everything(), language, date(2026, 2, 28)))
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name in ("src", "srcset") or name.startswith("on")]
    assert [value for _, name, value in page.attributes if name == "href"] == [
        f"2026-03-02.{'zh' if language == 'en' else 'en'}.html",
        f"2026-02-28.{language}.html",
        "index.html",
    ]
    assert "url(" not in samples.page(samples.everything(), language)
    assert ("meta", "content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


def test_a_stop_is_told_with_its_numbers_and_the_command_that_helps(language: str) -> None:
    page = Page(samples.page(samples.everything(), language)).text
    assert "usual for a Monday 410 (median of 12), at least 205" in page
    assert "winback load orders --day 2026-03-02 --accept volume" in page
    assert {
        "en": "12 rows · usual: 410 rows · at least: 205 rows",
        "zh": "12 行 · 平时：410 行 · 至少：205 行",
    }[language] in page


def test_a_failed_check_is_told_with_its_sentence_owner_numbers_and_trend(language: str) -> None:
    text = samples.page(samples.evidence(checks=(samples.check(),)), language)
    page = Page(text).text
    for words in {
        "en": (
            "An amount that is no number is lost.",
            "owner: finance",
            "250 of 1,000 rows",
            "sets rows aside",
        ),
        "zh": ("无法识别的金额会丢失。", "负责：财务", "1,000 行中的 250 行", "搁置该行"),
    }[language]:
        assert words in page
    assert text.count("<rect") == 30
    assert text.count('class="last"') == 1
    described = re.search(r'<svg role="img" aria-labelledby="(.*?)"', text)
    assert described
    assert f'id="{described[1]}">' in text
    assert {
        "en": "last 30 business days: 0.00% to 25.00%",
        "zh": "最近 30 个营业日：0.00% 至 25.00%",
    }[language] in page


def test_a_single_day_is_no_trend() -> None:
    assert "<svg" not in samples.page(samples.evidence(checks=(samples.volume(),)))


def test_what_a_person_let_in_and_what_cannot_be_judged_yet_is_marked() -> None:
    accepted = samples.page(samples.evidence(checks=(samples.volume(outcome="accepted"),)))
    assert "a person let it in" in accepted
    cold = samples.volume(outcome="cold_start", rows_failed=0, usual=None, minimum=None)
    text = samples.page(samples.evidence(checks=(cold,)))
    assert text.index("<details>") < text.index("not judged yet: too little to compare with")


def test_checks_that_passed_are_folded_by_feed() -> None:
    text = samples.page(samples.everything())
    folded = text[text.index("<details>") :]
    assert folded.count("<details>") == 2
    assert "Orders · 20 checks" in folded
    assert "column_19_is_filled" in folded
    assert "column_19_is_filled" not in text[: text.index("<details>")]


def test_rows_that_wait_come_with_the_command_that_shows_them(language: str) -> None:
    page = Page(samples.page(samples.everything(), language)).text
    assert "winback quarantine show orders 12" in page
    assert "9,999某" in page
    missing = {
        "en": "(Customers); once it is loaded they come in",
        "zh": "（客户档案）还没有到达，到达后会自动补录",
    }
    assert page.count(missing[language]) == 1


def test_texts_from_the_deployment_are_shown_and_not_run(language: str) -> None:
    hostile = "<script>alert(1)</script>&\"'"
    changes = {"protects_en": hostile, "protects_zh": hostile, "owner": hostile}
    found = samples.evidence(
        feeds=(samples.feed(source_id=hostile),),
        checks=(samples.check(expectation=hostile, **changes), samples.passed(source_id=hostile, **changes)),
        incidents=(samples.incident(problem=hostile, what_to_do=hostile, source_id=hostile),),
        waiting=(samples.reason(reason=hostile, columns=(hostile,)),),
    )
    page = Page(samples.page(found, language))
    assert "script" not in page.tags
    assert page.text.count(hostile) == 12


def test_the_catalogue_translates_every_phrase_and_nothing_else() -> None:
    found: set[Any] = set(read_page_file().phrases())
    for template in FOLDER.glob("*.j2"):
        with template.open("rb") as file:
            found |= {phrase for _, phrase, _, _ in extract("jinja2.ext:babel_extract", file)}
    with (FOLDER / "translations" / "zh_CN.po").open("rb") as file:
        catalogue = read_po(file)
    assert {m.id if isinstance(m.id, str) else tuple(m.id) for m in catalogue} - {""} == found
    for message in catalogue:
        english = message.id if isinstance(message.id, str) else message.id[-1]
        chinese = message.string if isinstance(message.string, str) else message.string[0]
        assert chinese or not english
        assert set(re.findall(r"%\(\w+\)s", chinese)) == set(re.findall(r"%\(\w+\)s", english)), english


def test_every_feed_severity_and_owner_of_the_suites_has_a_name() -> None:
    words = read_page_file().words
    assert set(words["feeds"]) == set(FEEDS)
    assert set(words["severities"]) == set(Severity)
    owners = {rule.owner for feed in FEEDS for rule in suite_for(feed).row_rules()}
    assert owners
    assert set(words["owners"]) >= owners


def test_a_rules_columns_are_those_that_it_speaks_of() -> None:
    words = {"severity": Severity.REJECT, "owner": "", "protects_en": "", "protects_zh": ""}
    rule = RowRule("a", "landed.amount < 0 and landed.found is null and other.status = ''", **words)  # type: ignore[arg-type]
    assert columns_of(rule, "orders") == ("amount",)
    finding = RowRule(
        "a", "'a' = any(landed.found)", finds="select landed.customer_id, landed.status", **words
    )  # type: ignore[arg-type]
    assert columns_of(finding, "orders") == ("customer_id", "status")


def test_almost_every_shipped_rule_that_rejects_shows_a_column(all_feeds: Settings) -> None:
    without = {
        rule.name
        for feed in all_feeds.feeds
        for rule in rules_for(all_feeds, feed)
        if rule.severity is Severity.REJECT and not columns_of(rule, feed)
    }
    assert without == set()


@pytest.fixture
def all_feeds() -> Settings:
    source = {"source": "erp", "table": "t"}
    feeds = {
        name: {"sources": [{**source, "columns": {column: column for column in feed.required}}]}
        for name, feed in FEEDS.items()
    }
    return Settings.model_validate(
        {
            "company": {"name_en": "Test", "name_zh": "测试"},
            "systems": {"erp": {"connector": "postgres", "connection": "erp", "time_zone": "Asia/Shanghai"}},
            "feeds": feeds,
        }
    )


def test_a_page_is_named_by_day_and_language(tmp_path: Path) -> None:
    assert page_name(samples.DAY, "zh") == "2026-03-02.zh.html"
