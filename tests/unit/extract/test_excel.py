"""Excel: a sheet as a person sees it, in both formats, refused where sheet or file is unclear."""

from datetime import date, datetime, time, timedelta

import duckdb
import openpyxl
import pytest
import xlwt

from winback.errors import WinbackError
from winback.extract.excel import ExcelFile, cell_text


def read(path, **options):
    folder = path.parent / "work"
    folder.mkdir(exist_ok=True)
    with duckdb.connect() as engine:
        found = engine.execute(f"select * from {ExcelFile(path, **options).relation(engine, folder)}")
        return [column[0] for column in found.description], found.fetchall()


def xlsx(path, **sheets):
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (12345.0, "12345"),
        (12.5, "12.5"),
        (0.1 + 0.2, "0.3"),
        (1e-7, "0.0000001"),
        (123456789012345.0, "123456789012345"),
        (1e20, "100000000000000000000"),
        (-0.0, "0"),
        (7, "7"),
        ("007", "007"),
        (True, "true"),
        (date(2026, 3, 2), "2026-03-02"),
        (datetime(2026, 3, 2, 9, 5, 6), "2026-03-02 09:05:06"),
        (datetime(2026, 3, 2, 9, 5, 6, 999_999), "2026-03-02 09:05:07"),
        (time(9, 5), "09:05:00"),
        (timedelta(hours=30, minutes=5), "30:05:00"),
    ],
)
def test_a_cell_is_the_text_that_a_person_sees(cell, text):
    assert cell_text(cell) == text


def test_both_formats_are_read(tmp_path):
    rows = [
        ["编号", "时间", "金额", "是否"],
        ["001", datetime(2026, 3, 2, 9, 5), 12.0, True],
        [7.0, None, 0.5, None],
    ]
    expected = (
        ["编号", "时间", "金额", "是否"],
        [("001", "2026-03-02 09:05:00", "12", "true"), ("7", None, "0.5", None)],
    )
    assert read(xlsx(tmp_path / "new.csv", 订单=rows)) == expected
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("订单")
    moment = xlwt.easyxf(num_format_str="YYYY-MM-DD HH:MM")
    for row_number, row in enumerate(rows):
        for column, cell in enumerate(row):
            style = (moment,) if isinstance(cell, datetime) else ()
            sheet.write(row_number, column, cell, *style)
    with (tmp_path / "old.xlsx").open("wb") as out:
        workbook.save(out)
    assert read(tmp_path / "old.xlsx") == expected


def test_titles_and_blank_rows_are_skipped(tmp_path):
    rows = [
        ["月报"],
        [None],
        [None, "no", "a"],
        [None, None, None],
        [None, 1, 2],
        [None],
        [None, 3, 4],
        [None],
    ]
    file = xlsx(tmp_path / "in.xlsx", 表=rows)
    # The column without any cell but the title is unnamed.
    assert read(file, header_line=2) == (["unnamed_1", "no", "a"], [(None, "1", "2"), (None, "3", "4")])


def test_quotes_commas_and_line_ends_in_a_cell_survive(tmp_path):
    file = xlsx(tmp_path / "in.xlsx", 表=[["a", "b"], ['x, "y"\nz', None]])
    assert read(file)[1] == [('x, "y"\nz', None)]


def test_an_error_cell_stays_as_its_text(tmp_path):
    workbook = openpyxl.Workbook()
    workbook.active.append(["no", "amount"])
    workbook.active.append([1, "#N/A"])
    workbook.active["B2"].data_type = "e"
    workbook.save(tmp_path / "in.xlsx")
    assert read(tmp_path / "in.xlsx")[1] == [("1", "#N/A")]


def test_the_only_sheet_with_data_is_read_and_a_stated_one_wins(tmp_path):
    one = xlsx(tmp_path / "one.xlsx", 空=[], 数据=[["a"], [1]])
    assert read(one)[1] == [("1",)]
    two = xlsx(tmp_path / "two.xlsx", 一=[["a"], [1]], 二=[["a"], [2]])
    assert read(two, sheet="二")[1] == [("2",)]


def test_a_hidden_sheet_is_read_only_when_stated(tmp_path):
    workbook = openpyxl.Workbook()
    workbook.active.append(["a"])
    hidden = workbook.create_sheet("hidden")
    hidden.append(["b"])
    hidden.sheet_state = "hidden"
    workbook.save(tmp_path / "in.xlsx")
    assert read(tmp_path / "in.xlsx")[0] == ["a"]
    assert read(tmp_path / "in.xlsx", sheet="hidden")[0] == ["b"]


def refusal(path, **options) -> str:
    with pytest.raises(WinbackError) as caught:
        read(path, **options)
    return str(caught.value)


def test_an_unclear_or_unknown_sheet_is_refused_with_the_names(tmp_path):
    two = xlsx(tmp_path / "in.xlsx", 一=[["a"], [1]], 二=[["a"], [2]])
    assert "in.xlsx: 2 sheets hold data where one is expected: 一, 二." in refusal(two)
    assert "no sheet '三'. It has: 一, 二." in refusal(two, sheet="三")
    assert "0 sheets hold data" in refusal(xlsx(tmp_path / "in.xlsx", 空=[]))


def test_a_header_below_the_sheet_is_refused(tmp_path):
    file = xlsx(tmp_path / "in.xlsx", 表=[["a"], [1]])
    assert "the sheet holds no header at row 9 or below" in refusal(file, header_line=9)


@pytest.mark.parametrize("content", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, b"PK\x03\x04xl/"])
def test_a_damaged_workbook_is_refused(tmp_path, content):
    (tmp_path / "in.xls").write_bytes(content)
    assert "in.xls: damaged" in refusal(tmp_path / "in.xls")
