"""Persons who exist nowhere else: seeded wherever data hold text, and looked for wherever no person may be.

Rows are made from the feeds' own columns and the suites' own rules, so that a new one is covered by itself.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path
from urllib.parse import quote

from tests.integration.test_expectations import GOOD, example, key_of
from winback.check.rules import Reference, Severity
from winback.check.suites import suite_for
from winback.feeds import FEEDS, Column, Feed
from winback.report.quality_page import columns_of

Row = dict[str, str]


@dataclass(frozen=True)
class Canary:
    """One person: every way to name them carries their number."""

    number: int

    @property
    def key(self) -> str:
        return f"ZQXKANARI{self.number:02}"

    @property
    def ways(self) -> tuple[str, ...]:
        """Return the person's names, phone and address."""
        return (
            f"Zqxkanari{self.number:02} Müller",
            f"甲乙金丝雀{self.number:02}",
            f"139-0017-00{self.number:02}",
            f"zqxkanari{self.number:02}@example.com",
        )

    def text_for(self, column: Column) -> str:
        """Return what a column says of this person: a number where it is an id, else each way in turn."""
        if column.name.endswith("_id"):
            return self.key
        way = self.ways[(self.number + len(column.name)) % len(self.ways)]
        return json.dumps({"备注": way}, ensure_ascii=False) if column.type == "jsonb" else way


CANARIES = tuple(map(Canary, range(100)))

# Who has not ordered for long, and has somebody to look after them, is named in the managers' reports.
LEAVING: dict[str, Row] = {
    "orders": {"ordered_at": "2023-11-20 09:00"},
    "customers": {"closed_on": "", "closed_reason": ""},
    "account_managers": {"left_on": ""},
}

# What every way to name a canary holds, however a file, a page or a log may write it.
_HANZI = "金丝雀"
_SPELLINGS = {
    "letters": rb"(?i:zqxkanari)\d\d",
    "a phone number": rb"139[- ]?0017[- ]?00\d\d",
    **{code: re.escape(_HANZI.encode(code)) for code in ("utf-8", "gb18030", "utf-16-le", "utf-16-be")},
    "JSON": b"".join(rb"\\+u(?i:%x)" % ord(letter) for letter in _HANZI),
    "a URL": rb"(?i:" + re.escape(quote(_HANZI).encode()) + rb")",
    "HTML": b"".join(rb"&#0*%d;" % ord(letter) for letter in _HANZI),
    "HTML in hexadecimal": b"".join(rb"&#[xX]0*(?i:%x);" % ord(letter) for letter in _HANZI),
    "bytes": b"".join(rb"\\+x%x" % byte for byte in _HANZI.encode()),
    "mojibake": re.escape(_HANZI.encode().decode("latin-1").encode()),
}
_ANY = re.compile(b"|".join(_SPELLINGS.values()))
_AROUND = 80


def found_in(content: bytes) -> list[str]:
    """Return every place where a canary is named, with what stands around it."""
    return [
        content[max(0, hit.start() - _AROUND) : hit.end() + _AROUND].decode("utf-8", "replace")
        for hit in _ANY.finditer(content)
    ]


def found_below(place: Path) -> dict[str, list[str]]:
    """Return what names a canary, in a file or in all files below a folder, names of files included."""
    files = [file for file in (place.rglob("*") if place.is_dir() else [place]) if file.is_file()]
    found = {str(file): found_in(str(file).encode()) + found_in(file.read_bytes()) for file in files}
    return {name: hits for name, hits in found.items() if hits}


def rows_of(feed: Feed, *, is_typed: bool) -> Iterator[Row]:
    """Yield rows of a feed that name canaries: good ones, and some that break each rule that stops no batch.

    First every person in all text columns at once, then each of them in one column alone, then rows that
    break each rule. A typed source, such as a database's table, cannot hold a name in a column of numbers.
    """
    rules = suite_for(feed.name).row_rules()
    apart = columns_that_stop(feed)
    own = {rule.column for rule in suite_for(feed.name).rules if _refers_to_own_feed(rule, feed)}
    good = {feed.key[0]: "", **GOOD[feed.name], **dict.fromkeys(own, ""), **LEAVING.get(feed.name, {})}
    numbers = count()
    texts = [
        column for column in feed.columns if column.type in ("text", "jsonb") and column.name not in apart
    ]
    for canary in CANARIES:
        yield good | {column.name: canary.text_for(column) for column in texts}
    for column in texts if is_typed else [column for column in feed.columns if column.name not in apart]:
        for canary in CANARIES:
            yield good | {feed.key[0]: key_of(next(numbers)), column.name: canary.text_for(column)}
    for rule, canary in zip(rules, cycle(CANARIES), strict=False):
        if rule.severity is Severity.STOP or (is_typed and rule.name.endswith("_is_readable")):
            continue
        for row in example(feed.name, rule, key_of(next(numbers))):
            named = [
                column
                for column in texts
                if column.name not in feed.key and row[column.name] == good[column.name]
            ]
            unknown = {name: canary.key + "X" for name, value in row.items() if value == "unknown"}
            yield row | {column.name: canary.text_for(column) for column in named} | unknown
    if feed.name == "orders":  # a walk-in's lines break a rule of theirs
        yield good | {"order_id": "walk-in", "customer_id": ""}


def rows_that_stop(feed: Feed) -> Iterator[Row]:
    """Yield a row for each canary that names them in every column for which a batch is stopped."""
    apart = columns_that_stop(feed)
    for number, canary in enumerate(CANARIES):
        named = {name: canary.text_for(feed.column(name)) for name in apart}
        if named:
            yield {feed.key[0]: f"STOP{number}", **GOOD[feed.name], **named}


def columns_that_stop(feed: Feed) -> set[str]:
    """Return the columns of which a rule stops the batch."""
    rules = suite_for(feed.name).row_rules()
    return {name for rule in rules if rule.severity is Severity.STOP for name in columns_of(rule, feed.name)}


def rules_to_break(*, is_typed: bool) -> set[tuple[str, str]]:
    """Return feed and name of every rule that the rows of these feeds should have broken."""
    return {
        (name, rule.name)
        for name in FEEDS
        for rule in suite_for(name).row_rules()
        if not (is_typed and rule.name.endswith("_is_readable"))
    }


def _refers_to_own_feed(rule: object, feed: Feed) -> bool:
    return isinstance(rule, Reference) and rule.feed == feed.name
