"""docs/definitions.md says what the docs blocks say, in both languages."""

import re

from winback.docs import SOURCE, TARGET, definitions_page


def test_the_definitions_page_is_up_to_date():
    assert TARGET.read_text(encoding="utf-8") == definitions_page(), "run: make docs"


def test_every_word_is_defined_in_both_languages():
    names = re.findall(r"{% docs (\w+) %}", SOURCE.read_text(encoding="utf-8"))
    words = {name for name in names if not name.endswith("_zh")}
    assert words
    assert {name.removesuffix("_zh") for name in names if name.endswith("_zh")} == words
