"""The demo's sources: real sales to the cent, and simulated complaints that are the same every time."""

import csv
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from winback.demo import BAD_BATCH, HISTORY_ENDS_ON, LAST_DAY
from winback.demo.complaints import ENCODING, HEADER, write_exports
from winback.demo.sales import open_receipts
from winback.demo.service import calls, surveys


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
    assert names[0] == "投诉_20171228.csv"


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


def test_lines_add_up_to_their_receipts_and_only_fresh_ones_have_a_batch(receipts):
    assert receipts.execute("select count(*), sum(amount) from lines").fetchone() == (
        390_964,
        Decimal("4596039.58"),
    )
    wrong = """
        select receipt_no from receipts left join lines using (receipt_no)
        group by receipt_no, net_amount having net_amount is distinct from sum(amount)
    """
    assert receipts.execute(wrong).fetchall() == []
    assert receipts.execute(
        "select distinct is_fresh, batch_no is null from lines order by 1"
    ).fetchall() == [
        (False, True),
        (True, False),
    ]


def test_a_complaint_about_quality_is_about_something_on_its_receipt(exports, receipts):
    named = {
        (int(row["小票号"]), row["商品编号"], row["批号"] or None)
        for file in exports.iterdir()
        for row in read(file)
        if row["商品编号"]
    }
    sold = receipts.execute("select receipt_no, product_no, batch_no from lines").fetchall()
    assert len(named) > 500
    assert named <= set(sold)
    assert {batch for _, _, batch in named} > {BAD_BATCH, None}


def test_calls_go_to_those_who_want_them_and_the_silent_may_say_why(receipts):
    last = dict(receipts.execute("select member_no, max(sold_at) from receipts group by 1").fetchall())
    members = [(member, "", "A1", member % 7 == 0) for member in sorted(last)]
    found = list(calls(receipts, members))
    assert found == list(calls(receipts, members))
    assert [number for number, *_ in found] == list(range(1, len(found) + 1))
    assert not any(member % 7 == 0 for _, member, *_ in found)
    told = [(called_at, last[member]) for _, member, _, called_at, _, reason in found if reason]
    assert told
    assert all(called_at - sold_at > timedelta(days=45) for called_at, sold_at in told)


def test_surveys_ask_customers_by_the_last_day(receipts):
    found = list(surveys(receipts))
    assert len(found) > 1000
    assert max(asked_at for _, _, asked_at, *_ in found).date() <= LAST_DAY
    assert {score for *_, score, _ in found} == {1, 2, 3, 4, 5}


def test_the_history_holds_the_four_rows_that_are_wrong_on_purpose(exports):
    history = read(exports / "投诉_20171228.csv")
    assert sum(not row["小票号"] for row in history) == 4


def test_an_export_knows_nothing_of_the_days_after_it(exports):
    stamps = [
        datetime.strptime(row[name], "%Y/%m/%d %H:%M")
        for row in read(exports / "投诉_20171229.csv")
        for name in ("受理时间", "首次响应时间", "结案时间", "更新时间")
        if row[name]
    ]
    assert stamps
    assert max(stamps) < datetime(2017, 12, 30)
