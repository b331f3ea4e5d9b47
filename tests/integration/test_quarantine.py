"""Quarantine: rows wait whole, come back mended, are resolved by newer ones, and are never loaded twice."""

import csv
from decimal import Decimal

import openpyxl
import psycopg
import pytest
from click.testing import CliRunner

from tests.company import DAY, days_after
from tests.sources import change_source, give_source, run_in_erp
from winback import warehouse as place
from winback.cli import main
from winback.errors import WinbackError
from winback.load import load_feed
from winback.load.backfill import backfill_feed
from winback.load.replay import replay, replay_file
from winback.quarantine.export import export_rows
from winback.quarantine.settle import discard

pytestmark = pytest.mark.usefixtures("quick_checks")


@pytest.fixture
def states(query):
    """Return a function that tells the state of each row in a feed's quarantine, by its number."""
    return lambda feed: dict(query(f"select quarantine_id, state from quarantine.{feed} order by 1"))


def export(company, feed, source, target):
    with place.connect(autocommit=True) as connection:
        return export_rows(connection, company.settings, feed, source, target)


def mend(path, column, texts):
    """Write other texts into a column of an exported workbook, by quarantine_id."""
    workbook = openpyxl.load_workbook(path)
    sheet = workbook.active
    header = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        number = int(row[header.index("quarantine_id")].value)
        if number in texts:
            row[header.index(column)].value = texts[number]
    workbook.save(path)


def test_a_mended_workbook_is_loaded_once(company, query, states, tmp_path):
    company.complain(DAY, "T1,昨天,C1,已结案,4", "T2,2026-03-02 10:00,C2,转王经理,", "007,2026-03-02,C3,,4")
    assert load_feed(company.settings, "complaints", DAY).counts.rows_quarantined == 2
    file = tmp_path / "waiting.xlsx"
    assert export(company, "complaints", "desk", file) == 2
    mend(file, "时间", {1: "2026-03-01 09:00"})
    first = replay_file(company.settings, "complaints", "desk", file)
    assert first.counts.rows_inserted == 1
    assert first.refused == {2: ("status_is_known",)}
    mend(file, "状态", {2: "处理中"})
    second = replay_file(company.settings, "complaints", "desk", file)
    assert (second.counts.rows_in, second.counts.rows_inserted, second.not_open) == (1, 1, 1)
    third = replay_file(company.settings, "complaints", "desk", file)
    assert (third.counts.rows_in, third.not_open) == (0, 2)
    assert states("complaints") == {1: "replayed", 2: "replayed"}
    assert query("select complaint_id, status from raw.complaints order by 1") == [
        ("007", None),
        ("T1", "已结案"),
        ("T2", "处理中"),
    ]


def test_csv_goes_the_same_way_as_a_workbook(company, query, tmp_path):
    company.complain(DAY, "T1,昨天,C1,已结案,4")
    load_feed(company.settings, "complaints", DAY)
    file = tmp_path / "waiting.csv"
    export(company, "complaints", "desk", file)
    with file.open(encoding="utf-8-sig", newline="") as text:
        header, row = csv.reader(text)
    assert header[:3] == ["quarantine_id", "quarantine_reasons", "quarantine_day"]
    row[header.index("时间")] = "2026-03-02"
    with file.open("w", encoding="gb18030", newline="") as text:  # as Excel saves it in China
        csv.writer(text).writerows([header, row])
    replay_file(company.settings, "complaints", "desk", file)
    assert query("select count(*) from raw.complaints") == [(1,)]


def test_a_typed_row_comes_back_value_by_value(company, query, tmp_path):
    """A database's row has no text: no digit of a number may be lost on the way."""
    run_in_erp(company, "alter table orders add state text")
    change_source(company, "orders", columns={**columns_of(company, "orders"), "status": {"column": "state"}})
    company_sell(
        company, ("A 1", "2026-03-02 10:00", "12345678901234567.891", "C1", "2026-03-02 10:00", "odd")
    )
    load_feed(company.settings, "orders", DAY)
    assert query("select state, reasons from quarantine.orders") == [("open", ["status_is_known"])]
    change_source(
        company, "orders", columns={**columns_of(company, "orders"), "status": {"constant": "completed"}}
    )
    company.settings = allow(company.settings, "orders", status_is_known="warn")
    assert replay(company.settings, "orders", "erp").counts.rows_inserted == 1
    assert query("select order_id, amount, status from raw.orders") == [
        ("A 1", Decimal("12345678901234567.891"), "odd")
    ]


def columns_of(company, feed):
    """Return a feed's mapping, in the words of `winback.yml`."""
    source = company.settings.feeds[feed].sources[0]
    return {name: mapping.model_dump(exclude_defaults=True) for name, mapping in source.columns.items()}


def company_sell(company, *rows):
    with psycopg.connect(company.erp_url) as connection:
        connection.cursor().executemany("insert into orders values (%s, %s, %s, %s, %s, %s)", rows)


def allow(settings, feed, **severities):
    config = settings.feeds[feed]
    checks = config.checks.model_copy(update={"severities": severities})
    return settings.model_copy(
        update={"feeds": {**settings.feeds, feed: config.model_copy(update={"checks": checks})}}
    )


def test_rows_are_mapped_anew_when_the_mapping_has_learnt_a_code(company, query):
    company.complain(DAY, "T1,2026-03-02 10:00,C1,转王经理,4")
    load_feed(company.settings, "complaints", DAY)
    columns = {
        **columns_of(company, "complaints"),
        "status": {"column": "状态", "codes": {"转王经理": "处理中"}},
    }
    change_source(company, "complaints", columns=columns)
    assert replay(company.settings, "complaints", "desk").counts.rows_inserted == 1
    assert query("select status from raw.complaints") == [("处理中",)]


def test_a_good_row_that_comes_later_resolves_its_predecessor(company, query, states):
    company.complain(DAY, "T1,昨天,C1,已结案,4")
    company.complain(days_after(1), "T1,2026-03-02 10:00,C1,已结案,4")
    load_feed(company.settings, "complaints", days_after(1))
    assert states("complaints") == {1: "resolved"}
    with pytest.raises(WinbackError, match="1 of 1 rows do not wait"):
        replay(company.settings, "complaints", "desk", [1])


def test_a_bad_row_that_comes_late_is_resolved_by_the_newer_one_that_is_there(company, query, states):
    company.complain(days_after(1), "T1,2026-03-02 10:00,C1,已结案,4")
    load_feed(company.settings, "complaints", days_after(1))
    company.complain(DAY, "T1,昨天,C1,处理中,")
    load_feed(company.settings, "complaints", days_after(1))
    assert states("complaints") == {1: "resolved"}
    assert query("select status from raw.complaints") == [("已结案",)]


def test_in_one_file_the_later_row_decides(company, states):
    company.complain(
        DAY,
        *("T1,昨天,C1,,", "T1,2026-03-02,C1,,"),  # bad, then good: resolved
        *("T2,2026-03-02,C1,,", "T2,昨天,C1,,"),  # good, then bad: waits
    )
    load_feed(company.settings, "complaints", DAY)
    assert states("complaints") == {1: "resolved", 2: "open"}


def test_a_mended_row_never_overwrites_a_newer_one(company, query, tmp_path):
    company.complain(DAY, ",2026-03-02 10:00,C1,处理中,")  # its number is missing, so nothing can resolve it
    company.complain(days_after(1), "T1,2026-03-02 10:00,C1,已结案,4")
    load_feed(company.settings, "complaints", days_after(1))
    file = tmp_path / "waiting.xlsx"
    export(company, "complaints", "desk", file)
    mend(file, "编号", {1: "T1"})
    assert replay_file(company.settings, "complaints", "desk", file).counts.rows_superseded == 1
    assert query("select status from raw.complaints") == [("已结案",)]


def test_a_row_that_its_source_sends_each_day_waits_once(company, query):
    give_source(company, "regions", source="erp", table="units", columns={"region_id": "id", "name": "name"})
    run_in_erp(company, "create table units (id text, name text)")
    run_in_erp(company, "insert into units values (null, 'x'), (null, 'x'), (null, 'y')")
    for offset in range(3):
        counts = load_feed(company.settings, "regions", days_after(offset)).counts
        assert counts.rows_quarantined == 3
    assert query("select count(*), max(last_batch_id) - min(load_batch_id) from quarantine.regions") == [
        (3, 0)
    ]


def test_discarded_rows_do_not_come_back(company, query, states):
    give_source(company, "regions", source="erp", table="units", columns={"region_id": "id", "name": "name"})
    run_in_erp(company, "create table units (id text, name text)")
    run_in_erp(company, "insert into units values (null, 'x')")
    load_feed(company.settings, "regions", DAY)
    with place.connect(autocommit=True) as connection:
        assert discard(connection, "regions", [1], "a test row") == 1
        with pytest.raises(WinbackError, match="2 of 2 rows do not wait"):
            discard(connection, "regions", [1, 2], "again")
    load_feed(company.settings, "regions", days_after(1))
    assert states("regions") == {1: "discarded"}
    assert replay(company.settings, "regions", "erp").counts.rows_in == 0


@pytest.fixture
def with_lines(company):
    """Give the company order lines, which refer to its orders."""
    run_in_erp(company, "create table lines (no text, line text, quantity numeric, at timestamp)")
    columns = {"order_id": "no", "line_no": "line", "quantity": "quantity"}
    give_source(company, "order_lines", source="erp", table="lines", columns=columns)
    return company


def test_a_line_waits_for_its_order_and_is_then_retried_by_itself(with_lines, query, states):
    run_in_erp(with_lines, "insert into lines values ('A1', '1', 2, null), ('A2', '1', 1, null)")
    assert load_feed(with_lines.settings, "order_lines", DAY).counts.rows_quarantined == 2
    with_lines.sell(("A1", "2026-03-02 10:00", 5, "C1", "2026-03-02 10:00"))
    load_feed(with_lines.settings, "orders", DAY)
    assert query("select order_id, quantity from raw.order_lines") == [("A1", Decimal(2))]
    assert sorted(states("order_lines").values()) == ["open", "replayed"]
    assert query("select kind, rows_in from ops.batches where kind = 'replay'") == [("replay", 1)]


def test_a_line_waits_until_its_order_is_mended(with_lines, query, tmp_path):
    """The chain: a bad order waits, its line waits for it, and both come in when the order is mended."""
    with_lines.sell(("A1", "2026-03-02 10:00", None, "C1", "2026-03-02 10:00"))
    run_in_erp(with_lines, "insert into lines values ('A1', '1', 2, null)")
    load_feed(with_lines.settings, "orders", DAY)
    load_feed(with_lines.settings, "order_lines", DAY)
    file = tmp_path / "orders.xlsx"
    export(with_lines, "orders", "erp", file)
    mend(file, "amount", {1: "12.50"})
    replay_file(with_lines.settings, "orders", "erp", file)
    assert query("select amount from raw.orders") == [(Decimal("12.50"),)]
    assert query("select count(*) from raw.order_lines") == [(1,)]


def test_a_repeated_line_does_not_slip_in_by_being_replayed_alone(with_lines, query, states):
    with_lines.sell(("A1", "2026-03-02 10:00", 5, "C1", "2026-03-02 10:00"))
    load_feed(with_lines.settings, "orders", DAY)
    run_in_erp(with_lines, "insert into lines values ('A1', '1', 2, null), ('A1', '2', 2, null)")
    settings = allow(with_lines.settings, "order_lines", line_is_not_repeated="reject")
    assert load_feed(settings, "order_lines", DAY).counts.rows_quarantined == 1
    assert replay(settings, "order_lines", "erp").counts.rows_quarantined == 1
    assert states("order_lines") == {1: "open"}
    without = allow(with_lines.settings, "order_lines", line_is_not_repeated="off")
    assert replay(without, "order_lines", "erp").counts.rows_inserted == 1


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda rows: [*rows, rows[1]], "1 repeat"),
        (lambda rows: [rows[0], ["999", *rows[1][1:]]], "1 have no quarantine_id"),
        (lambda rows: [rows[0], ["", *rows[1][1:]]], "1 have no quarantine_id"),
        (lambda rows: [rows[0], ["one", *rows[1][1:]]], "1 have no quarantine_id"),
        (lambda rows: [["编号", *rows[0][1:]], rows[1]], "have one name"),
    ],
)
def test_a_file_whose_rows_cannot_be_told_apart_is_refused(company, query, tmp_path, spoil, said):
    company.complain(DAY, "T1,昨天,C1,已结案,4")
    load_feed(company.settings, "complaints", DAY)
    file = tmp_path / "waiting.csv"
    export(company, "complaints", "desk", file)
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.reader(text))
    with file.open("w", encoding="utf-8", newline="") as text:
        csv.writer(text).writerows(spoil(rows))
    with pytest.raises(WinbackError, match=said):
        replay_file(company.settings, "complaints", "desk", file)
    assert query("select count(*) from raw.complaints") == [(0,)]
    assert query("select state from quarantine.complaints") == [("open",)]


def test_the_commands_show_count_and_settle(company, query, tmp_path, monkeypatch):
    monkeypatch.setenv("WINBACK_CONFIG", str(tmp_path / "winback.yml"))
    company.complain(DAY, "T1,昨天,C1,已结案,4", "T2,昨天,C2,已结案,4", "T3,明天,C2,已结案,4")
    load_feed(company.settings, "complaints", DAY)

    def run(*arguments):
        done = CliRunner().invoke(main, ["quarantine", *arguments])
        assert done.exit_code == 0, done.output
        return done.output

    assert "complaints  desk    3" in run("list")
    assert "昨天" in run("show", "complaints", "1")
    assert "discarded" in run("discard", "complaints", "2", "--because", "test row")
    file = str(tmp_path / "waiting.xlsx")
    assert "2 rows of complaints" in run("export", "complaints", file)
    mend(file, "时间", {1: "2026-03-02"})
    said = run("replay", "complaints", "--file", file)
    assert "1 new" in said
    assert "1 wait on" in said
    assert "opened_at_is_readable" in said
    assert "昨天" not in run("list", "--state", "all")


def test_an_export_makes_no_formula_of_a_text(company, tmp_path):
    company.complain(DAY, "=1+1,昨天,C1,已结案,4")
    load_feed(company.settings, "complaints", DAY)
    file = tmp_path / "waiting.xlsx"
    export(company, "complaints", "desk", file)
    sheet = openpyxl.load_workbook(file).active
    cells = {cell.value: cell.data_type for row in sheet.iter_rows(min_row=2) for cell in row}
    assert cells["=1+1"] == "s"


def test_a_chain_of_rows_that_wait_for_each_other_comes_in_at_once(company, query):
    columns = {"region_id": "id", "parent_region_id": "parent"}
    give_source(company, "regions", source="erp", table="units", columns=columns)
    settings = allow(company.settings, "regions", parent_region_id_refers_to_regions="reject")
    run_in_erp(company, "create table units (id text, parent text)")
    for day, unit in enumerate(("'shop', 'city'", "'city', 'country'", "'country', null")):
        run_in_erp(company, f"truncate units; insert into units values ({unit})")
        load_feed(settings, "regions", days_after(day))
    assert query("select region_id from raw.regions order by 1") == [("city",), ("country",), ("shop",)]


def test_lines_are_retried_after_a_backfill_of_their_orders_too(with_lines, query):
    run_in_erp(with_lines, "insert into lines values ('A1', '1', 2, null)")
    load_feed(with_lines.settings, "order_lines", DAY)
    with_lines.sell(("A1", "2026-03-02 10:00", 5, "C1", "2026-03-02 10:00"))
    backfill_feed(with_lines.settings, "orders", DAY, DAY, say=str)
    assert query("select count(*) from raw.order_lines") == [(1,)]
