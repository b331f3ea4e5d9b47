"""The reader's language: phrases from the report's catalogue, numbers and dates as the reader writes them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_compact_currency, format_currency, format_decimal, format_percent

from winback.report.scope import Language

LOCALES: dict[Language, str] = {"en": "en", "zh": "zh_CN"}
NOTHING = "–"

# From these amounts on, whole units say less than 万/亿 in Chinese or millions in English.
_COMPACT_FROM = {"en": 1_000_000, "zh": 10_000}
# Columns whose texts may be longer than others.
_LONGER = {"evidence": 240, "protects": 240, "allowed": 600, "problem": 1000, "what_to_do": 1000}
# Control characters, line breaks, and marks that turn or hide text.
_NOT_TEXT = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


@dataclass(frozen=True)
class Words:
    """Translate phrases; what the catalogue lacks stays English."""

    catalogue: Catalog

    def gettext(self, phrase: str) -> str:
        """Return a phrase in the reader's language."""
        message = self.catalogue.get(phrase)
        return str(message.string) if message and message.string else phrase

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Return a phrase in the form that a number asks for."""
        message = self.catalogue.get(singular)
        forms = message.string if message and isinstance(message.string, tuple | list) else ()
        form = int(number != 1)
        return str(forms[min(form, len(forms) - 1)]) if forms and forms[0] else (singular, plural)[form]


@cache
def read_words(folder: Path, language: Language) -> Words:
    """Read a report's translations; English has none, it is what the sources are written in."""
    if language == "en":
        return Words(Catalog(locale="en"))
    with (folder / "translations" / f"{LOCALES[language]}.po").open("rb") as file:
        return Words(read_po(file, locale=LOCALES[language]))


@cache
def _read_locale(name: str) -> Locale:
    return Locale.parse(name)


@dataclass(frozen=True)
class Formats:
    """Write numbers and days the way the reader does; nothing known is written "–"."""

    language: Language
    currency: str

    @property
    def locale(self) -> Locale:
        """Return Babel's locale; by its name it would be looked up among a thousand files for each number."""
        return _read_locale(LOCALES[self.language])

    def count(self, value: int | None) -> str:
        """Write a whole number."""
        return NOTHING if value is None else format_decimal(value, locale=self.locale)

    def number(self, value: float | None) -> str:
        """Write a measured number with at most two digits."""
        return NOTHING if value is None else format_decimal(value, "#,##0.##", self.locale)

    def money(self, value: Decimal | None) -> str:
        """Write an amount in whole units, large ones in 万/亿 or in millions."""
        if value is None:
            return NOTHING
        if abs(value) < _COMPACT_FROM[self.language]:
            return format_currency(value, self.currency, "¤#,##0;-¤#,##0", self.locale, currency_digits=False)
        return format_compact_currency(value, self.currency, locale=self.locale, fraction_digits=2)

    def rate(self, value: Decimal | None) -> str:
        """Write a share as a percentage with two digits: weekly rates are small."""
        return NOTHING if value is None else format_percent(value, "#,##0.00%", self.locale)

    def whole_rate(self, value: Decimal | None) -> str:
        """Write a share as a percentage without digits, where there is little room."""
        return NOTHING if value is None else format_percent(value, "#,##0%", self.locale)

    def short_rate(self, value: Decimal | None) -> str:
        """Write a share as a percentage with a digit at most, as samples of hundreds can tell it."""
        return NOTHING if value is None else format_percent(value, "#,##0.#%", self.locale)

    def short_points(self, value: Decimal | None, *, with_plus: bool = False) -> str:
        """Write the difference of two shares in percentage points with a digit at most."""
        if value is None:
            return NOTHING
        text = format_decimal(abs(value) * 100, "#,##0.#", self.locale)
        sign = "" if text == "0" else "−" if value < 0 else "+" * with_plus
        return sign + text

    def points(self, value: Decimal | None) -> str:
        """Write the difference of two shares in percentage points."""
        return NOTHING if value is None else format_decimal(value * 100, "#,##0.00", self.locale)

    def figure(self, value: Any, unit: str) -> str:
        """Write a figure in its unit."""
        write: dict[str, Callable[[Any], str]] = {"count": self.count, "money": self.money, "rate": self.rate}
        return write[unit](value)

    def change(self, value: Any, unit: str) -> str:
        """Write a difference with its sign."""
        if value is None:
            return NOTHING
        text = self.points(abs(value)) if unit == "rate" else self.figure(abs(value), unit)
        return ("+" if value > 0 else "−" if value < 0 else "±") + text

    def is_flat(self, value: Any, unit: str) -> bool:
        """Tell whether a difference, as it would be written, is none: "+0.00" tells a reader nothing."""
        return self.change(value, unit).lstrip("+−±") == self.change(type(value)(0), unit).lstrip("+−±")

    def day(self, value: date | None) -> str:
        """Write a day with its year."""
        return NOTHING if value is None else format_date(value, "medium", self.locale)

    def moment(self, value: datetime | None) -> str:
        """Write a day with its time, to the minute."""
        return NOTHING if value is None else f"{self.day(value)} {value:%H:%M}"

    def month(self, value: date) -> str:
        """Write a month with its year."""
        return format_skeleton("yMMM", value, locale=self.locale)

    def weekday(self, value: date) -> str:
        """Write a day with its year and weekday."""
        return format_skeleton("yMMMEd", value, locale=self.locale)

    def quarter(self, value: date) -> str:
        """Write a quarter with its year."""
        return format_date(value, "yyyy年第Q季度" if self.language == "zh" else "'Q'Q yyyy", self.locale)

    def short_day(self, value: date) -> str:
        """Write a day without its year, as short as a chart's axis needs it."""
        return format_skeleton("Md" if self.language == "zh" else "MMMd", value, locale=self.locale)

    def days(self, first: date, last: date) -> str:
        """Write a stretch of days."""
        return format_interval(first, last, "yMMMd", locale=self.locale)


def plain(value: Any, at_most: int = 80) -> Any:
    """Return text from the data on one line, without control or turning marks, cut to a length.

    Whole rows and lists come back with each text so treated (what explains something may be longer), all
    else as it is. Every row passes through here on its way into a message.
    """
    if isinstance(value, Mapping):
        return {name: plain(part, _LONGER.get(name, at_most)) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part, at_most) for part in value]
    if not isinstance(value, str):
        return value
    text = " ".join(_NOT_TEXT.sub(" ", value[: at_most * 20]).split())
    return text if len(text) <= at_most else text[: at_most - 1].rstrip() + "…"
