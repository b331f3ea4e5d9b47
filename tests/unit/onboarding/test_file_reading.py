"""How a file is read: its name's day, its delimiter, its header line."""

import pytest

from winback.onboarding.files import dated_pattern, find_delimiter, find_header, name_patterns
from winback.onboarding.samples import as_name


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("orders_20260302.csv", "orders_%Y%m%d.csv"),
        ("投诉_2026-03-02.xlsx", "投诉_%Y-%m-%d.xlsx"),
        ("a_2026_03_02.csv.gz", "a_%Y_%m_%d.csv.gz"),
        ("orders_20261302.csv", "orders_20261302.csv"),  # no month 13
        ("12341231_orders.csv", "12341231_orders.csv"),  # no export is of the year 1234
        ("orders_202603021.csv", "orders_202603021.csv"),  # nine digits
        ("orders.csv", "orders.csv"),
    ],
)
def test_the_day_in_a_name_becomes_a_pattern(name, pattern):
    assert dated_pattern(name) == pattern


@pytest.mark.parametrize(
    ("lines", "delimiter"),
    [
        (["a,b,c\n", "1,2,3\n"], ","),
        (["a;b\n", '"1,5;x";2,0\n', "2,5;3,0\n"], ";"),
        (["a\tb\n", "1,0\t2,0\n"], "\t"),
        (["销售报表\n", "a|b|c\n", "1|2|3\n"], "|"),
        (["only\n", "one\n"], ","),
    ],
)
def test_the_delimiter_is_the_sign_that_splits_lines_alike(lines, delimiter):
    assert find_delimiter(lines) == delimiter


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([["a", "b"], ["1", "2"]], 1),
        ([["2026年3月销售报表", "", ""], ["单号", "日期", "金额"], ["1", "2", "3"]], 2),
        ([["报表"], [], ["期间", "2026-03"], ["a", "b", "c", "d"], ["1", "2", "3", "4"]], 4),
        ([["only"], ["one"]], 1),
        ([], 1),
    ],
)
def test_the_header_is_the_first_line_as_wide_as_the_table(rows, line):
    assert find_header(rows) == line


@pytest.mark.parametrize(
    ("text", "name"),
    [("Sales Data", "sales_data"), ("2026-exports", "files_2026_exports"), ("销售", "files"), ("erp", "erp")],
)
def test_a_system_is_named_after_its_place(text, name):
    assert as_name(text) == name


@pytest.mark.parametrize(
    ("names", "patterns"),
    [
        (["a_20260302.csv", "a_20260303.csv", "b.csv"], ["a_%Y%m%d.csv", "b.csv"]),
        (["sales_202602.csv", "sales_202603.csv"], ["sales_*.csv"]),  # months are no days
        (["sales_202602.csv"], ["sales_202602.csv"]),
        (["sales_1.csv", "sales_2.csv", "sales_old.csv"], ["sales_1.csv", "sales_2.csv", "sales_old.csv"]),
    ],
)
def test_files_whose_names_differ_by_digits_are_one_source_unless_the_star_takes_another(names, patterns):
    assert name_patterns(names) == patterns
