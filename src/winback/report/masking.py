"""What a value looks like, without what it says: the only form in which a row's values may be shown."""

import re
import unicodedata
from typing import Any

_HANZI = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_SHOWN = 40


def shape(value: Any) -> str:
    """Return a value's shape: x for a letter, 某 for a Hanzi, 9 for a digit; spaces and punctuation stay.

    It is cut to 40 characters. What is none of these, such as a picture or a control character, becomes x.
    """
    return "".join(_shape(character) for character in str(value)[:_SHOWN])


def _shape(character: str) -> str:
    if _HANZI.match(character):
        return "某"
    category = unicodedata.category(character)
    if category.startswith("N"):
        return "9"
    if character.isspace():
        return " "
    # P: punctuation; Sm and Sc: signs of arithmetic and money.
    return character if category.startswith("P") or category in ("Sm", "Sc") else "x"
