"""Which files make a batch: none is skipped, whatever day it is loaded on."""

from datetime import date
from pathlib import Path

from winback.extract.files import DatedFile
from winback.load.arrivals import batches_of_files


def dated(name, *days):
    return [DatedFile(Path(f"{name}{day}"), date(2026, 3, day)) for day in days]


def paths(found, day):
    return [{table: file.path for table, file in group.items()} for group in batches_of_files(found, day)]


def test_each_file_of_one_pattern_is_a_batch():
    assert paths({"rows": dated("c", 1, 2, 3)}, date(2026, 3, 2)) == [
        {"rows": Path("c1")},
        {"rows": Path("c2")},
    ]


def test_joined_files_make_one_batch_per_day_also_for_days_that_were_missed():
    found = {
        "lines": dated("l", 1, 2, 3),
        "heads": dated("h", 1, 3, 4),
        "shops": [DatedFile(Path("shops"), None)],
    }
    assert paths(found, date(2026, 3, 3)) == [
        {"lines": Path("l1"), "heads": Path("h1"), "shops": Path("shops")},
        {"lines": Path("l3"), "heads": Path("h3"), "shops": Path("shops")},
    ]


def test_joined_files_without_days_make_one_batch_of_the_latest():
    found = {
        "a": [DatedFile(Path("a1"), None), DatedFile(Path("a2"), None)],
        "b": [DatedFile(Path("b"), None)],
    }
    assert paths(found, date(2026, 3, 3)) == [{"a": Path("a2"), "b": Path("b")}]
    assert paths({**found, "c": []}, date(2026, 3, 3)) == []
