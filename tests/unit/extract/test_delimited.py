"""Delimited text: read whatever its delimiter and line ends, refused with the line where it is no table."""

import duckdb
import pytest

from winback.errors import WinbackError
from winback.extract.delimited import DelimitedFile, column_names, find_delimiter, whole_rows


@pytest.fixture
def engine():
    with duckdb.connect() as engine:
        engine.execute("set memory_limit = '200MB'")
        yield engine


def read(engine, folder, text, **options):
    """Return names and rows of a file."""
    content = text if isinstance(text, bytes) else text.encode()
    (folder / "in.csv").write_bytes(content)
    table = DelimitedFile(folder / "in.csv", **options)
    relation = table.relation(engine, folder)
    try:
        found = engine.execute(f"select * from {relation}")
        return [column[0] for column in found.description], found.fetchall()
    except duckdb.Error:
        table.check_rows()
        raise


def refusal(engine, folder, text, **options) -> str:
    with pytest.raises(WinbackError) as caught:
        read(engine, folder, text, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("a,b,c", ","),
        ("a;b;c", ";"),
        ("a\tb\tc", "\t"),
        ("a|b|c", "|"),
        ('"a,b,c";d', ";"),
        ("编号", ","),
        ("金额,元;日期;客户", ";"),
    ],
)
def test_the_delimiter_is_the_one_that_the_header_has_most_of(header, delimiter):
    assert find_delimiter(header) == delimiter


def test_a_stated_delimiter_wins(engine, tmp_path):
    assert read(engine, tmp_path, "a,b|c\n1,2|3\n", delimiter="|") == (["a,b", "c"], [("1,2", "3")])


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "end"])
def test_all_line_ends_are_read_and_the_last_line_needs_none(engine, tmp_path, ends, last):
    text = 'a,b\n1,"x, ""y""\nz"\n3,4\n'.rstrip("\n" if last else "").replace("\n", ends)
    assert read(engine, tmp_path, text) == (["a", "b"], [("1", 'x, "y"\nz'), ("3", "4")])


def test_line_ends_may_be_mixed(engine, tmp_path):
    assert read(engine, tmp_path, "a,b\r\n1,2\n3,4\r\n")[1] == [("1", "2"), ("3", "4")]


def test_blank_lines_and_rows_of_nothing_are_no_rows(engine, tmp_path):
    text = "\n\na,b\n\n1,2\n" + "\n" * 95_000 + ",\n3,4\n" + ",\n" * 95_000
    assert read(engine, tmp_path, text)[1] == [("1", "2"), ("3", "4")]
    assert read(engine, tmp_path, "a\n1\n\n2\n")[1] == [("1",), ("2",)]


def test_lines_above_the_header_are_skipped_even_with_a_lone_quote(engine, tmp_path):
    text = '月报 "一月\n导出：张\n\n编号,金额\n1,2\n'
    assert read(engine, tmp_path, text, header_line=3) == (["编号", "金额"], [("1", "2")])


def test_header_names_are_trimmed_and_unnamed_columns_numbered(engine, tmp_path):
    text = '\ufeff 编号 ,"客户\n名称",\u3000金额\u3000,\n1,2,3,4\n'
    assert read(engine, tmp_path, text) == (
        ["编号", "客户 名称", "金额", "unnamed_4"],
        [("1", "2", "3", "4")],
    )


def test_a_name_that_two_columns_have_is_refused():
    with pytest.raises(WinbackError, match="of the header have one name"):
        column_names(["no", "at", "NO"], "in.csv")


def test_a_header_alone_has_no_rows(engine, tmp_path):
    assert read(engine, tmp_path, "a,b\n") == (["a", "b"], [])
    assert read(engine, tmp_path, "a,b") == (["a", "b"], [])


@pytest.mark.parametrize("text", ["", "\n\n\n"])
def test_a_file_without_a_header_is_refused(engine, tmp_path, text):
    assert "in.csv: the file is empty" in refusal(engine, tmp_path, text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,c\n1,2\n", "in.csv: 2 fields at line 2 where the header has 3; 1 such row(s)"),
        ("a,b\n1,2\n3,4,\n", "3 fields at line 3 where the header has 2"),
        ("a,b\n1,2\n1,2,3\n4\n", "3 fields at line 3 where the header has 2; 2 such row(s)"),
        ('a,b\n1,"x\ny"\n\n3\n', "1 fields at line 5 where the header has 2"),
        ('"a\na",b\n1,2,3\n', "3 fields at line 3"),
        ('a,b\n1,2\n3,"x\n5,6\n', "the quotes of the row at line 3 do not match"),
        ('a,b\n1,"x"y\n', "the quotes of the row at line 2 do not match"),
        ("a,b\n1,2\n3,x\0y\n", "a NUL byte at line 3"),
        ("a,b\n1,2\n<<<<<<< HEAD\n3,4\n=======\n", "an unresolved merge (<<<<<<<) at line 3"),
        ("a,b\n1,2\n=======\n3,4\n", "an unresolved merge (=======) at line 3"),
        ("a,b\n1,2\n>>>>>>> other\n", "an unresolved merge (>>>>>>>) at line 3"),
        ("a,b\n1,2\na,b\n1,2\n", "the header again at line 3: it looks pasted twice"),
        ("\ufeffa,b\r\n1,2\r\n\ufeffa,b\r\n1,2\r\n", "the header again at line 3"),
        ('"a,b\n1,2\n', "the quotes of the header do not match"),
    ],
)
def test_what_is_no_row_is_refused_with_its_line(engine, tmp_path, text, words):
    assert words in refusal(engine, tmp_path, text)


def test_lines_are_counted_from_the_top_of_the_file_below_a_late_header(engine, tmp_path):
    assert "at line 6" in refusal(engine, tmp_path, 'x\n\nx\n\na,b\n"1\n"\n', header_line=5)
    assert "NUL byte at line 5" in refusal(engine, tmp_path, "x\nx\na,b\n1,2\n3,\0\n", header_line=3)


def test_no_value_is_quoted_when_a_row_is_refused(engine, tmp_path):
    assert "secret" not in refusal(engine, tmp_path, "a,b\nsecret\n")


def test_merge_marks_and_the_header_inside_a_quoted_text_are_just_text(engine, tmp_path):
    note = "see\n=======\n<<<<<<< x\na,b\nend"
    assert read(engine, tmp_path, f'a,b\n1,"{note}"\n')[1] == [("1", note)]


@pytest.mark.parametrize("line_end", ["", "\n"])
def test_a_field_of_ten_megabytes_is_read(engine, tmp_path, line_end):
    field = ("x" * 99 + (line_end or "x")) * 100_000
    rows = read(engine, tmp_path, f'a,b\n1,2\n3,"{field}"\n' + "5,6\n" * 1000)[1]
    assert len(rows) == 1002
    assert rows[1] == ("3", field)


def test_a_line_that_never_ends_is_refused(engine, tmp_path):
    assert "line 2 is longer than 20 MB" in refusal(engine, tmp_path, "a,b\n" + "x" * 22_000_000)


def test_null_words_are_nothing(engine, tmp_path):
    text = "a,b\n1,NA\n2,\nNA,NA\n,\n"
    expected = [("1", None), ("2", None), (None, None)]
    assert read(engine, tmp_path, text, null_values=("NA",))[1] == expected


def test_pieces_end_where_rows_end():
    texts = ['1,"a\n', 'b"\n2,', 'c\n3,"\n', '"\n4']
    assert list(whole_rows(texts, "in.csv")) == ['1,"a\nb"\n', "2,c\n", '3,"\n"\n', "4"]
