"""Files: found by pattern, and read by what they hold."""

from datetime import date

import duckdb
import openpyxl
import pytest
import xlwt

from winback.config import FeedSource
from winback.extract.delimited import DelimitedFile
from winback.extract.excel import ExcelFile
from winback.extract.files import find_files, open_file
from winback.extract.parquet import ParquetFile

SOURCE = FeedSource(source="desk", files="in.csv", columns={})


def test_files_are_found_by_pattern_with_the_day_their_name_states(tmp_path):
    for name in (
        "投诉_20260302.csv",
        "投诉_20260301.csv",
        "投诉_20261399.csv",
        "投诉_20260303.csv.part",
        "other.csv",
    ):
        (tmp_path / name).touch()
    found = [(file.path.name, file.day) for file in find_files(tmp_path, "投诉_%Y%m%d.csv")]
    assert found == [("投诉_20260301.csv", date(2026, 3, 1)), ("投诉_20260302.csv", date(2026, 3, 2))]
    assert [file.day for file in find_files(tmp_path, "other*.csv")] == [None]
    assert find_files(tmp_path / "missing", "*.csv") == []


def write_text(path):
    path.write_text("a\n1\n")


def write_xlsx(path):
    workbook = openpyxl.Workbook()
    workbook.active.append(["a"])
    with path.open("wb") as out:
        workbook.save(out)


def write_xls(path):
    workbook = xlwt.Workbook()
    workbook.add_sheet("x").write(0, 0, "a")
    with path.open("wb") as out:
        workbook.save(out)


def write_parquet(path):
    duckdb.sql(f"copy (select 1 as a) to '{path}' (format parquet)")


@pytest.mark.parametrize("name", ["in.csv", "in.xls", "in.parquet"])
@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (write_text, DelimitedFile),
        (write_xlsx, ExcelFile),
        (write_xls, ExcelFile),
        (write_parquet, ParquetFile),
    ],
)
def test_a_file_is_what_it_holds_whatever_its_name(tmp_path, name, write, kind):
    write(tmp_path / name)
    assert isinstance(open_file(tmp_path / name, SOURCE), kind)
