"""Values are shown by their shape alone."""

import string
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winback.report.masking import shape


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("13800000001", "99999999999"),
        ("王 秀英", "某 某某"),
        ("㐀𠀀﨑", "某某某"),
        ("Li.Wei+1@example.com", "xx.xxx+9@xxxxxxx.xxx"),
        ("￥1,234.50", "￥9,999.99"),
        ("ＡＢ１２", "xx99"),
        ("〇Ⅳ½٣", "9999"),
        ("é́ ñ の 김 😀", "xx x x x x"),
        ("a\tb\nc\x00", "x x xx"),
        ("—《》（）“”", "—《》（）“”"),
        ("x" * 41, "x" * 40),
        (Decimal("-1.5"), "-9.9"),
        (True, "xxxx"),
    ],
)
def test_letters_hanzi_and_digits_become_signs_of_themselves(value: Any, shown: str) -> None:
    assert shape(value) == shown


@given(st.text())
def test_nothing_but_signs_spaces_and_punctuation_is_left(text: str) -> None:
    shown = shape(text)
    assert len(shown) == min(len(text), 40)
    assert not set(shown) & (set(string.ascii_letters + string.digits) - set("x9"))
    assert not [sign for sign in shown if sign.isalnum() and sign not in "x9某"]


@given(st.text(alphabet=string.ascii_letters), st.text(alphabet=string.ascii_letters))
def test_two_values_of_one_shape_cannot_be_told_apart(one: str, other: str) -> None:
    assert (shape(one) == shape(other)) == (min(len(one), 40) == min(len(other), 40))
