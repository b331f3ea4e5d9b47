from pathlib import Path

import pytest

from tests.unit.report.samples import REPORT
from winback.errors import WinbackError
from winback.report.glossary import Term, explain, read_definitions

BLOCKS = """# Words

{% docs churn_rate %}
The share of `live` customers **who churned**;
see [the rules](rules.md).
{% enddocs %}

{%- docs churn_rate_zh -%}
流失率：期初在册客户中，
到期末已经流失的比例。
{%- enddocs -%}
"""


@pytest.fixture
def definitions(tmp_path: Path) -> Path:
    file = tmp_path / "definitions.md"
    file.write_text(BLOCKS, encoding="utf-8")
    return file


def test_docs_blocks_become_plain_sentences(definitions: Path) -> None:
    found = read_definitions(definitions)
    assert explain({"churn_rate": "Churn rate"}, found, "en") == [
        Term("Churn rate", "The share of live customers who churned; see the rules.")
    ]
    assert explain({"churn_rate": "流失率"}, found, "zh") == [
        Term("流失率", "期初在册客户中，到期末已经流失的比例。")
    ]


def test_a_word_without_a_definition_is_named(definitions: Path) -> None:
    with pytest.raises(WinbackError, match="no docs block: lost_revenue_zh"):
        explain({"churn_rate": "", "lost_revenue": ""}, read_definitions(definitions), "zh")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WinbackError, match=r"definitions\.md: the definitions cannot be read"):
        read_definitions(tmp_path / "definitions.md")


def test_the_projects_definitions_hold_every_word_of_the_report(language: str) -> None:
    terms = explain(REPORT.file.glossary, read_definitions(), language)
    assert len(terms) > 5
    for term in terms:
        assert len(term.meaning) > 20
        assert not set("{}*`#") & set(term.meaning)
