"""Dirty files lose nothing: what cannot be loaded waits and, once mended, comes in as if it had been clean.

Written from the contract, not from the loader. Every row that is delivered is kept in plain Python, as loaded
or as rejected. After each step the warehouse must hold, of each key, the newest version among the rows that
were good or have been mended, and the quarantine all others; in the end, what a clean load gives.
WINBACK_SLOW_SHARE (default 1.0) scales the number of files in the slow test.
"""

import math
import os
import re
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given

from tests.company import DAY, Company, days_after
from tests.integration.test_nasty_files import GOOD, LOADED, REFUSED, with_feed
from tests.property.dirty_files import (
    FILES,
    DirtyFile,
    History,
    as_csv,
    histories,
    is_newer,
    newest,
    read_table,
    write_table,
)
from tests.property.dirty_rows import MARK, SHEETS, STATUS_WORDS, Row, in_warehouse
from tests.property.test_load_oracle import Place, examples, place, quick  # noqa: F401 -- fixtures
from tests.sources import change_source, give_source
from winback import warehouse
from winback.config_checks import AddedRule, FeedChecks
from winback.errors import WinbackError
from winback.feeds import FEEDS, REFERENCE_SOURCES
from winback.load import load_feed
from winback.load.commit import BatchCounts
from winback.load.replay import replay, replay_file
from winback.quarantine.export import export_rows
from winback.quarantine.settle import discard

GROUPS = [("orders", "order_lines"), ("complaints",)]
FAST = 50
SLOW = max(FAST, round(500 * float(os.environ.get("WINBACK_SLOW_SHARE", "1.0"))))

Delivery = tuple[int, int, int]  # day of the file, batch, place in the file
Version = tuple[Delivery, Row]
Copy = tuple[str, tuple[str, ...], int]  # a file's name, a row's text, and which of its rows with this text
WAITS_FOR_ORDER = "order_id_refers_to_orders"


class World:
    """A folder that dirty files are delivered to, the warehouse, and what the warehouse must hold."""

    def __init__(self, company: Company, query: Any, feeds: tuple[str, ...], encoding: str | None) -> None:
        self.company, self.query, self.feeds = company, query, feeds
        self.scratch = Path(tempfile.mkdtemp(dir=company.folder.parent))
        for feed in feeds:
            give_source(company, feed, **SHEETS[feed].source(encoding))
        self.day = 0
        self.folder: dict[str, DirtyFile] = {}
        self.dirty_files = self.last_batch = self.exports = 0
        self.contents: set[bytes] = set()
        self.loaded: dict[str, dict[Any, list[Version]]] = {feed: defaultdict(list) for feed in feeds}
        self.rejected: dict[str, dict[Copy, list[Version]]] = {feed: defaultdict(list) for feed in feeds}
        self.copies: dict[str, dict[int, Copy]] = {feed: {} for feed in feeds}
        self.forgiven: set[str] = set()  # the rule that words break which the mapping has learnt since
        self.discarded: dict[str, set[int]] = {feed: set() for feed in feeds}
        # Rows that a person has mended, as far as they can be; they come in as soon as their order is there.
        self.mended: dict[str, set[int]] = {feed: set() for feed in feeds}

    # What is done

    def deliver(self, file: DirtyFile) -> None:
        """Deliver a file and load it, as the loader of that day does."""
        content = file.content()
        is_new = content not in self.contents
        self.contents.add(content)
        self.dirty_files += is_new
        (self.company.folder / file.name).write_bytes(content)
        self.folder[file.name] = file
        self.day = max(self.day, file.day)
        result = load_feed(self.company.settings, file.feed, days_after(self.day))
        batches = self._note_batches(file.feed)
        assert not is_new or file.name in batches
        assert result.counts.rows_in == sum(len(self.folder[name].rows) for name in batches)
        self._note_states()

    def mend(self, feed: str, mending: Any) -> Path | None:
        """Export what waits, mend some or all of it and replay it; return the mended file, if any."""
        which, how, suffix, random = mending
        if not (waiting := self._numbers(feed, "open")):
            return None
        file = self._export(feed, suffix, len(waiting))
        table = read_table(file)
        assert sorted(int(line["quarantine_id"]) for line in table) == sorted(waiting)
        for line in table:
            self._check_exported(feed, line)
        random.shuffle(table)
        chosen = table if which == "every row" else table[: math.ceil(len(table) / 2)]
        for line in chosen:
            self._mend_line(feed, line, how)
        if which != "half the rows, the others left as they are":
            table = chosen
        mended = {int(line["quarantine_id"]) for line in chosen}
        self.mended[feed] |= mended
        write_table(file, table)
        done = replay_file(self.company.settings, feed, "desk", file)
        check_fates(done.counts, len(table))
        wait_on = {
            int(line["quarantine_id"])
            for line in table
            if int(line["quarantine_id"]) not in mended
            or not self._has_order(feed, self._row(feed, int(line["quarantine_id"])))
        }
        assert (set(done.refused), done.not_open) == (wait_on, 0)
        assert all(done.refused.values())
        self._note_states()
        return file

    def replay_again(self, feed: str, file: Path | None) -> None:
        """Replay a file once more, which must not write a version of any row."""
        before = self._written()
        if file is not None:
            rows = len(read_table(file))
            done = replay_file(self.company.settings, feed, "desk", file)
            assert done.counts.rows_in == done.counts.rows_quarantined == rows - done.not_open
        assert load_feed(self.company.settings, feed, days_after(self.day)).batches == 0
        assert self._written() == before

    def learn(self, feed: str) -> None:
        """Let the mapping learn the company's words for a status, and replay without a file."""
        columns = self.company.settings.feeds[feed].sources[0].columns
        learnt = {name: mapping.model_dump(exclude_defaults=True) for name, mapping in columns.items()}
        change_source(
            self.company, feed, columns=learnt | {"status": {"column": "状态", "codes": STATUS_WORDS}}
        )
        self.forgiven = {"status_is_known"}
        known = [n for n in self._numbers(feed, "open") if self._row(feed, n).broken == {"status"}]
        self.mended[feed] |= set(known)
        waiting = len(self._numbers(feed, "open"))
        done = replay(self.company.settings, feed, "desk")
        check_fates(done.counts, waiting)
        assert done.counts.rows_in - done.counts.rows_quarantined == len(known)
        self._note_states()
        assert not set(known) & set(self._numbers(feed, "open"))

    def discard(self, feed: str) -> None:
        """Let the oldest row that waits go."""
        if waiting := self._numbers(feed, "open")[:1]:
            with warehouse.connect(autocommit=True) as connection:
                assert discard(connection, feed, waiting, "not worth mending") == 1
            self.discarded[feed] |= set(waiting)
            self._note_states()

    # What must hold

    def check(self) -> None:
        """Assert that the warehouse holds the newest of what was good or mended, and each state is right."""
        for feed in self.feeds:
            assert self.raw(feed) == {
                key: expected(feed, newest(versions)) for key, versions in self.loaded[feed].items()
            }
            self._check_reasons(feed)
            for number, state in self.query(f"select quarantine_id, state from quarantine.{feed}"):
                self._check_state(feed, number, state)

    def raw(self, feed: str) -> dict[Any, Any]:
        """Return what the warehouse holds of a feed: by key, its columns and the day of its deletion."""
        names = [column.name for column in FEEDS[feed].columns]
        rows = self.query(f"select {', '.join(names)}, deleted_on from raw.{feed}")
        found = [(dict(zip(names, row[:-1], strict=True)), row[-1]) for row in rows]
        by_key = {tuple(values[part] for part in SHEETS[feed].key): (values, gone) for values, gone in found}
        assert len(by_key) == len(rows)
        return by_key

    def check_end(self) -> None:
        """Assert that nothing waits which could come in, and that every delivered row had its say."""
        for feed in self.feeds:
            assert not [n for n in self._numbers(feed, "open") if self._has_order(feed, self._row(feed, n))]
            delivered = {key: list(versions) for key, versions in self.loaded[feed].items()}
            for number, copy in self.copies[feed].items():
                row = self._row(feed, number)
                if number not in self.discarded[feed] and self._has_order(feed, row):
                    delivered.setdefault(SHEETS[feed].key_of(row), []).extend(self.rejected[feed][copy])
            assert self.raw(feed) == {
                key: expected(feed, newest(versions)) for key, versions in delivered.items()
            }

    # How the two are brought together

    def _note_batches(self, feed: str) -> list[str]:
        """Take the loads since last time into the model, and check their counts; return their files."""
        batches = self.query(
            "select batch_id, file, status, rows_in, rows_inserted, rows_updated, rows_unchanged,"
            f" rows_superseded, rows_quarantined from ops.batches where batch_id > {self.last_batch}"
            f" and kind = 'load' and feed = '{feed}' order by batch_id"
        )
        for number, name, status, *fates in batches:
            file, counts = self.folder[name], BatchCounts(*fates)
            assert status == "committed"
            check_fates(counts, len(file.rows))
            assert counts.rows_quarantined == self._deliver_rows(feed, file, number)
        self.last_batch = max((batch[0] for batch in batches), default=self.last_batch)
        return [batch[1] for batch in batches]

    def _deliver_rows(self, feed: str, file: DirtyFile, batch: int) -> int:
        """Note the rows of a file as loaded or rejected, and return how many are rejected."""
        seen: Counter[tuple[str, ...]] = Counter()
        bad = 0
        for number, row in enumerate(file.rows):
            version = (file.day, batch, number), row
            if row.is_bad or not self._has_order(feed, row):
                self.rejected[feed][file.name, row.text, seen[row.text]].append(version)
                seen[row.text] += 1
                bad += 1
            else:
                self.loaded[feed][SHEETS[feed].key_of(row)].append(version)
        return bad

    def _has_order(self, feed: str, row: Row) -> bool:
        return feed != "order_lines" or (row.values["order_id"],) in self.loaded["orders"]

    def _row(self, feed: str, number: int) -> Row:
        return self.rejected[feed][self.copies[feed][number]][-1][1]

    def _numbers(self, feed: str, state: str) -> list[int]:
        numbers = f"select quarantine_id from quarantine.{feed} where state = '{state}' order by 1"
        return [number for (number,) in self.query(numbers)]

    def _written(self) -> list[Any]:
        return [
            self.query(f"select xmin::text, ctid::text, order_id from raw.{feed} order by 1, 2")
            for feed in self.feeds
        ]

    def _note_states(self) -> None:
        """Find each rejected row in quarantine, as it was written, and note what has come in since."""
        for feed in self.feeds:
            copies, sheet = self.copies[feed], SHEETS[feed]
            rows = self.query(
                "select quarantine_id, state, source_text, file from"
                f" quarantine.{feed} inner join ops.batches on batch_id = load_batch_id"
                " order by load_batch_id, row_number"
            )
            for number, _, source_text, file in rows:
                if number not in copies:
                    text = tuple(source_text.get(name) or "" for name in (MARK, *sheet.headers.values()))
                    copies[number] = file, text, sum(known[:2] == (file, text) for known in copies.values())
            assert len(rows) == len(copies)
            assert set(copies.values()) == set(self.rejected[feed])
            for number in (number for number, state, *_ in rows if state == "replayed"):
                row = self._row(feed, number)
                assert not row.is_bad or number in self.mended[feed]
                assert self._has_order(feed, row)
                loaded = self.loaded[feed][sheet.key_of(row)]
                loaded += [
                    version for version in self.rejected[feed][copies[number]] if version not in loaded
                ]

    def _check_state(self, feed: str, number: int, state: str) -> None:
        """Assert that a row in quarantine waits, or not, for a reason."""
        sheet, version = SHEETS[feed], self.rejected[feed][self.copies[feed][number]][-1]
        row = version[1]
        has_newer = any(is_newer(other, version) for other in self.loaded[feed].get(sheet.key_of(row), []))
        match state:
            case "open":
                # Which row it is, and which version, can be told of what is written.
                if not row.broken & {*sheet.key, "updated_at"}:
                    assert not has_newer
                assert row.is_bad or not self._has_order(feed, row)
            case "resolved":
                assert has_newer, version
            case "discarded":
                assert number in self.discarded[feed]

    def _check_reasons(self, feed: str) -> None:
        """Assert that each row in quarantine says why, in words that a person understands."""
        sentences = {
            name: (en, zh)
            for name, en, zh in self.query(
                f"select expectation, protects_en, protects_zh from ops.expectations where feed = '{feed}'"
            )
        }
        for number, reasons in self.query(f"select quarantine_id, reasons from quarantine.{feed}"):
            assert reasons
            for reason in reasons:
                en, zh = sentences[reason]
                assert re.fullmatch(r"[A-Z].* .*\.", en)
                assert re.fullmatch(r".*[一-鿿].*。", zh)
            if number not in self.mended[feed]:
                row = self._row(feed, number)
                assert set(reasons) >= ((row.reasons or {WAITS_FOR_ORDER}) - self.forgiven)

    def _export(self, feed: str, suffix: str, rows: int) -> Path:
        self.exports += 1
        file = self.scratch / f"waiting-{self.exports}{suffix}"
        with warehouse.connect(autocommit=True) as connection:
            assert export_rows(connection, self.company.settings, feed, "desk", file) == rows
        return file

    def _check_exported(self, feed: str, line: dict[str, str]) -> None:
        number = int(line["quarantine_id"])
        if number not in self.mended[feed]:
            row = self._row(feed, number)
            headers = SHEETS[feed].headers
            assert {name: line[header] for name, header in headers.items()} == row.written
            assert line[MARK] == row.mark

    def _mend_line(self, feed: str, line: dict[str, str], how: str) -> None:
        row, headers = self._row(feed, int(line["quarantine_id"])), SHEETS[feed].headers
        for name in headers if how == "whole rows" else row.broken:
            line[headers[name]] = row.clean[name]


def expected(feed: str, version: Version) -> tuple[dict[str, Any], date | None]:
    """Return a version as the warehouse must hold it, with the day of its deletion."""
    (day, _, _), row = version
    # Numbers of customers and orders are those of the row's own system.
    values = {name: None for name in FEEDS[feed].column_names} | dict.fromkeys(
        set(REFERENCE_SOURCES) & set(FEEDS[feed].column_names), "desk"
    )
    values |= {name: in_warehouse(value) for name, value in row.values.items()}
    return values, days_after(day) if row.is_deleted else None


def check_fates(counts: Any, rows: int) -> None:
    """Assert that so many rows came in, and that each has one fate."""
    fates = (counts.rows_inserted, counts.rows_updated, counts.rows_unchanged, counts.rows_superseded)
    assert counts.rows_in == sum(fates) + counts.rows_quarantined == rows


def run(at: Place, feeds: tuple[str, ...], history: History) -> int:
    """Deliver and mend a history, compare its end with a clean load, and count its dirty files."""
    at.empty()
    world = World(at.company, at.query, feeds, history.encoding)
    for file in history.files:
        world.deliver(file)
        world.check()
        if file.mending:
            world.mend(file.feed, file.mending)
            world.check()
    for feed in feeds:
        if history.learns and feed != "order_lines":
            world.learn(feed)
            world.check()
        if history.discards:
            world.discard(feed)
    for mending in (*history.mendings, ("every row", "whole rows", ".xlsx", Random(0))):
        mended = {feed: world.mend(feed, mending) for feed in feeds}
        world.check()
    for feed, file in mended.items():
        world.replay_again(feed, file)
    world.check_end()
    if not history.discards:
        in_the_end = {feed: world.raw(feed) for feed in feeds}
        at.empty()
        for file in sorted(history.clean().values(), key=lambda file: (file.day, feeds.index(file.feed))):
            (at.company.folder / file.name).write_bytes(file.content(is_clean=True))
            load_feed(at.company.settings, file.feed, days_after(file.day))
        assert in_the_end == {feed: world.raw(feed) for feed in feeds}
    return world.dirty_files


def run_many(at: Place, feeds: tuple[str, ...], files: int) -> None:
    """Run histories until so many dirty files were loaded."""
    loaded = 0

    # a tenth more histories than needed, as some have fewer files
    @examples(math.ceil(1.1 * files / FILES) + 1)
    @given(history=histories(feeds))
    def run_one(history: History) -> None:
        nonlocal loaded
        loaded += run(at, feeds, history)

    run_one()
    assert loaded >= files


@pytest.mark.parametrize("feeds", GROUPS, ids=" and ".join)
def test_dirty_files_once_mended_are_as_if_they_had_been_clean(quick, feeds):  # noqa: F811
    run_many(quick, feeds, FAST // len(GROUPS))


@pytest.mark.slow
@pytest.mark.parametrize("feeds", GROUPS, ids=" and ".join)
def test_dirty_files_once_mended_are_as_if_they_had_been_clean_at_length(quick, feeds):  # noqa: F811
    run_many(quick, feeds, SLOW // len(GROUPS))


@pytest.mark.slow
@pytest.mark.parametrize("feeds", GROUPS, ids=" and ".join)
def test_dirty_files_that_great_expectations_counts_itself_are_mended_alike(place, feeds):  # noqa: F811
    run_many(place, feeds, FILES)


# Worked examples: a mended row is as old as it was


A, B = "T1,2026-03-02,处理中,4,{}", "T1,2026-03-02,已结案,5,{}"
BAD_A, BAD_B, NO_KEY = A.replace("4", "9"), B.replace("5", "9"), A.replace("T1", "")
OTHER, CHANGED = "T2,2026-03-02,处理中,,", "T2,2026-03-02,已结案,,"


@dataclass(frozen=True)
class Example:
    """Files by day, in the order in which they come, each with what is mended after it; what T1 must be."""

    steps: tuple[tuple[int, list[str], dict[str, str]], ...]
    status: str = "已结案"


EXAMPLES = {
    "a newer one in its file changed nothing": Example(
        ((0, [B], {}), (1, [BAD_A, B], {BAD_A: A})),
    ),
    "a newer one of a later file changed nothing": Example(
        ((0, [B], {}), (1, [NO_KEY], {}), (2, [B, OTHER], {NO_KEY: A})),
    ),
    "it came late, and a newer one had changed nothing": Example(
        ((0, [B], {}), (2, [B, OTHER], {}), (1, [BAD_A], {BAD_A: A})),
    ),
    "a newer one was mended before, and their file is read once more": Example(
        ((0, [OTHER], {}), (2, [BAD_A, BAD_B], {BAD_B: B}), (1, [CHANGED], {BAD_A: A})),
    ),
    "its stamp could not be read, and is the newest": Example(
        ((0, [B.format("?")], {}), (1, [A.format("2026-03-03")], {B.format("?"): B.format("2026-03-04")})),
    ),
    "its stamp was a placeholder, and is the newest": Example(
        (
            (0, [B.format("1899-12-30")], {}),
            (1, [A.format("2026-03-03")], {B.format("1899-12-30"): B.format("2026-03-04")}),
        ),
    ),
    "none was bad, and a late file is delivered once more with the same stamp": Example(
        (
            (2, [A.format("2026-03-03")], {}),
            (1, [A.format("2026-03-04")], {}),
            (1, [B.format("2026-03-04")], {}),
        ),
    ),
    "none was bad, and the later one of a file has no stamp": Example(
        ((0, [A.format("2026-03-03"), B], {}),)
    ),
}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_a_mended_row_is_as_old_as_it_was(quick, query, tmp_path, example):  # noqa: F811
    columns = {
        "complaint_id": "编号",
        "opened_at": "时间",
        "status": "状态",
        "satisfaction": "满意度",
        "updated_at": "更新",
    }
    company = quick.company
    give_source(company, "complaints", source="desk", files="投诉_%Y-%m-%d.csv", columns=columns)
    for step, (day, lines, mended) in enumerate(example.steps):
        table = [list(columns.values()), *(line.format("").split(",") for line in lines)]
        (company.folder / f"投诉_{days_after(day)}.csv").write_bytes(as_csv(table, "utf-8"))
        load_feed(company.settings, "complaints", days_after(2))
        if mended and query("select from quarantine.complaints where state = 'open'"):
            file = tmp_path / f"{step}.xlsx"
            with warehouse.connect(autocommit=True) as connection:
                export_rows(connection, company.settings, "complaints", "desk", file)
            waiting = read_table(file)
            for bad, good in mended.items():
                for row in waiting:
                    if [row[name] for name in columns.values()] == bad.format("").split(","):
                        row |= dict(zip(columns.values(), good.format("").split(","), strict=True))
            write_table(file, waiting)
            replay_file(company.settings, "complaints", "desk", file)
    assert query("select status from raw.complaints where complaint_id = 'T1'") == [(example.status,)]


# The nasty files of the load, with a row that must be mended


def test_a_row_of_a_nasty_file_waits_with_its_reason_and_comes_back(quick, query, tmp_path):  # noqa: F811
    rule = {
        "column": "satisfaction",
        "at_most": 3,
        "protects_en": "Nobody is as satisfied as this.",
        "protects_zh": "没有人会这么满意。",
    }
    files = [(name, content, None) for name, content in LOADED.items()]
    files += [(name, GOOD, content) for name, (content, _) in REFUSED.items()]
    assert len(files) > 20
    for number, (name, content, refused) in enumerate(files):
        quick.empty()
        with_feed(quick.company, "complaints", encoding=None)
        feed = quick.company.settings.feeds["complaints"]
        checks = FeedChecks(rules={"satisfaction_is_low": AddedRule.model_validate(rule)})
        feeds = quick.company.settings.feeds | {"complaints": feed.model_copy(update={"checks": checks})}
        settings = quick.company.settings.model_copy(update={"feeds": feeds})
        source = quick.company.folder / f"投诉_{DAY}.csv"
        if refused is not None:
            source.write_bytes(refused)
            with pytest.raises(WinbackError):
                load_feed(settings, "complaints", DAY)
            assert query("select count(*) from quarantine.complaints") == [(0,)], name
        source.write_bytes(content if isinstance(content, bytes) else content.encode())
        counts = load_feed(settings, "complaints", DAY).counts
        check_fates(counts, 1)
        assert counts.rows_quarantined == 1, name
        assert query(
            "select state, reasons, protects_en, protects_zh from quarantine.complaints"
            " inner join ops.expectations on expectation = any(reasons) and feed = 'complaints'"
        ) == [("open", ["satisfaction_is_low"], rule["protects_en"], rule["protects_zh"])], name
        file = tmp_path / f"{number}.xlsx"
        with warehouse.connect(autocommit=True) as connection:
            export_rows(connection, settings, "complaints", "desk", file)
        (row,) = read_table(file)
        write_table(file, [row | {"满意度": "3"}])
        check_fates(replay_file(settings, "complaints", "desk", file).counts, 1)
        assert query(
            "select complaint_id, opened_at, customer_id, status, satisfaction from raw.complaints"
        ) == [("T1", datetime(2026, 3, 2, 2, tzinfo=UTC), "C1", "已结案", 3)], name
