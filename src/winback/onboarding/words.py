"""What `winback init` recognises: headers, feed names, null words and date formats, read from `words.yml`."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

import yaml

from winback.feeds import FEEDS


class Sureness(StrEnum):
    """How sure it is that a source column means a canonical one; the surest first."""

    CERTAIN = "certain"
    LIKELY = "likely"
    UNSURE = "unsure"


_WEIGHT = {Sureness.CERTAIN: 1.0, Sureness.LIKELY: 0.8, Sureness.UNSURE: 0.4}
_RANK = {sureness: rank for rank, sureness in enumerate(Sureness)}
# What the file's or table's name adds to a feed's score: enough to settle a tie, too little to make a feed.
_NAME_BONUS = 0.2


@dataclass(frozen=True)
class HeaderMatch:
    """A source column that is taken for a canonical one, and the others that could be it."""

    header: str
    sureness: Sureness
    others: tuple[str, ...] = ()


def normalised(header: str) -> str:
    """Return a header without case, spaces, signs, full-width forms and bracketed units."""
    plain = unicodedata.normalize("NFKC", header).lower()
    without_units = re.sub(r"[(\[【].*?[)\]】]", "", plain)
    return "".join(filter(str.isalnum, without_units)) or "".join(filter(str.isalnum, plain))


def match_headers(feed: str, headers: Iterable[str]) -> dict[str, HeaderMatch]:
    """Return, per canonical column of a feed, the header that means it; the surest pairs are made first."""
    headers = list(headers)
    pairs = []
    for canonical, meanings in _meanings()[feed].items():
        for header in headers:
            if found := meanings.get(normalised(header)):
                sureness, place = found
                pairs.append((_RANK[sureness], place, canonical, header, sureness))
    chosen: dict[str, tuple[str, Sureness]] = {}
    for _, _, canonical, header, sureness in sorted(pairs, key=lambda pair: pair[:2]):
        if canonical not in chosen and header not in {taken for taken, _ in chosen.values()}:
            chosen[canonical] = (header, sureness)
    taken = {header for header, _ in chosen.values()}
    return {
        canonical: HeaderMatch(
            header,
            sureness,
            tuple(pair[3] for pair in sorted(pairs) if pair[2] == canonical and pair[3] not in taken),
        )
        for canonical, (header, sureness) in chosen.items()
    }


def feed_scores(name: str, headers: Iterable[str]) -> dict[str, float]:
    """Return, best first, how well headers fit each feed: the share of its required and typical columns.

    An amount also counts as found where quantity and unit price stand, since order lines can be added up.
    """
    headers = list(headers)
    scores = {}
    for feed in FEEDS:
        found = {column: _WEIGHT[match.sureness] for column, match in match_headers(feed, headers).items()}
        if feed == "orders" and "amount" not in found:
            found["amount"] = _WEIGHT[Sureness.LIKELY] * has_line_columns(headers)
        wanted = {*FEEDS[feed].required, *vocabulary()["feeds"][feed]["typical"]}
        share = sum(found.get(column, 0.0) for column in wanted) / len(wanted)
        scores[feed] = share + (_NAME_BONUS if share and _names(feed, name) else 0.0)
    return dict(sorted(scores.items(), key=lambda item: -item[1]))


def has_line_columns(headers: Iterable[str]) -> bool:
    """Tell whether headers speak of order lines whose amounts can be computed: quantity and unit price."""
    return {"quantity", "unit_price"} <= set(match_headers("order_lines", headers))


def speaks_of_lines(headers: Iterable[str]) -> bool:
    """Tell whether headers name a product, a quantity or a unit price, as the lines of an order do."""
    return bool({"product_id", "quantity", "unit_price"} & set(match_headers("order_lines", headers)))


def null_words() -> tuple[str, ...]:
    """Return the words that may stand for no value."""
    return tuple(vocabulary()["null_words"])


def date_formats(*, with_time: bool) -> tuple[str, ...]:
    """Return the strptime formats to try: days alone first, then, if asked for, days with a time."""
    words = vocabulary()
    times = words["time_formats"] if with_time else [""]
    return tuple(day + time for time in times for day in words["day_formats"])


def status_meaning(feed: str, status: str) -> str | None:
    """Return the classed status that an unclassed one plainly stands for."""
    word = status.strip().lower()
    meanings = vocabulary()["status_meanings"].get(feed, {})
    return next((meant for part, meant in meanings.items() if part in word), None)


def _names(feed: str, name: str) -> bool:
    """Tell whether a file's or table's name contains a word for the feed; an English one must stand alone."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFKC", name))
    parts = set(re.findall(r"[a-z]+", spaced.lower()))
    for word in vocabulary()["feeds"][feed]["names"]:
        if word.isascii() and set(word.split()) <= parts:
            return True
        if not word.isascii() and word in name:
            return True
    return False


@cache
def vocabulary() -> dict[str, Any]:
    """Return the content of `words.yml`."""
    text = resources.files("winback.onboarding").joinpath("words.yml").read_text("utf-8")
    words: dict[str, Any] = yaml.safe_load(text)
    return words


@cache
def _meanings() -> dict[str, dict[str, dict[str, tuple[Sureness, int]]]]:
    """Return feed → canonical column → normalised header → how sure, and its place among the synonyms."""
    return {
        feed: {canonical: _by_header(canonical, grades) for canonical, grades in part["columns"].items()}
        for feed, part in vocabulary()["feeds"].items()
    }


def _by_header(canonical: str, grades: dict[str, list[str]]) -> dict[str, tuple[Sureness, int]]:
    """Index the synonyms of one column; its canonical name means itself, and the surer grade counts."""
    found: dict[str, tuple[Sureness, int]] = {normalised(canonical): (Sureness.CERTAIN, 0)}
    for sureness in Sureness:
        for place, header in enumerate(grades.get(sureness, []), start=1):
            found.setdefault(normalised(header), (sureness, place))
    return found
