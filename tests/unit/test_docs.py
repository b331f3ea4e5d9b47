"""docs/definitions.md says what the docs blocks say, in both languages."""

import re

from winback.docs import SOURCE, TARGET, definitions_page
from winback.report.glossary import read_definitions


def test_the_definitions_page_is_up_to_date():
    assert TARGET.read_text(encoding="utf-8") == definitions_page(), "run: make docs"


def test_every_word_is_defined_in_both_languages():
    names = re.findall(r"{% docs (\w+) %}", SOURCE.read_text(encoding="utf-8"))
    words = {name for name in names if not name.endswith("_zh")}
    assert words
    assert {name.removesuffix("_zh") for name in names if name.endswith("_zh")} == words


def test_words_about_complaints_can_be_quoted_in_the_glossary_of_an_e_mail():
    words = ("complaint_churn", "silent_dissatisfied", "recovered_complaint", "repeat_complaint")
    for word in (*words, "first_response", "resolution", "complaint_alarm"):
        assert {word, f"{word}_zh"} <= read_definitions().keys()
