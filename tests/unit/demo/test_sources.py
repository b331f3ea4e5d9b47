"""The demo's sources: real sales to the cent, and simulated complaints that are the same every time."""

import csv
from datetime import datetime
from decimal import Decimal

import pytest

from winback.demo import HISTORY_ENDS_ON, LAST_DAY
from winback.demo.complaints import ENCODING, HEADER, write_exports
from winback.demo.sales import open_receipts


@pytest.fixture(scope="module")
def receipts():
    return open_receipts()


@pytest.fixture(scope="module")
def exports(receipts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    write_exports(folder, receipts)
    return folder


def read(file):
    with file.open(encoding=ENCODING, newline="") as text:
        return list(csv.DictReader(text))


def test_the_receipts_are_the_real_sales(receipts):
    assert receipts.execute(
        "select count(*), sum(net_amount), count(distinct member_no) from receipts"
    ).fetchone() == (155_848, Decimal("4596039.58"), 2_469)


def test_there_is_one_export_for_the_history_and_one_for_each_day_after(exports):
    names = sorted(file.name for file in exports.iterdir())
    assert len(names) == 1 + (LAST_DAY - HISTORY_ENDS_ON).days
    assert names[0] == "投诉_20171224.csv"


def test_the_same_seed_gives_the_same_bytes_and_what_is_there_stays(exports, receipts, tmp_path):
    assert write_exports(tmp_path, receipts) == len(list(exports.iterdir()))
    assert write_exports(tmp_path, receipts) == 0
    for file in exports.iterdir():
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()


def test_every_complaint_belongs_to_a_receipt_of_its_customer(exports, receipts):
    rows = [row for file in exports.iterdir() for row in read(file) if row["小票号"]]
    assert tuple(rows[0]) == HEADER
    pairs = {(int(row["小票号"]), int(row["会员号"])) for row in rows}
    known = set(receipts.execute("select receipt_no, member_no from receipts").fetchall())
    assert pairs <= known


def test_the_history_holds_the_four_rows_that_are_wrong_on_purpose(exports):
    history = read(exports / "投诉_20171224.csv")
    assert sum(not row["小票号"] for row in history) == 4


def test_an_export_knows_nothing_of_the_days_after_it(exports):
    stamps = [
        datetime.strptime(row[name], "%Y/%m/%d %H:%M")
        for row in read(exports / "投诉_20171226.csv")
        for name in ("受理时间", "首次响应时间", "结案时间", "更新时间")
        if row[name]
    ]
    assert stamps
    assert max(stamps) < datetime(2017, 12, 27)
