"""Files: found by pattern, decoded strictly, converted without losing what does not convert."""

import gzip
import json
import lzma
import zipfile
from datetime import date
from pathlib import Path

import duckdb
import pytest

from winback.config import ColumnMapping, FeedSource
from winback.errors import WinbackError
from winback.extract import SourceFile
from winback.extract.conversions import as_type
from winback.extract.encodings import decode
from winback.extract.files import find_files, open_file
from winback.extract.shaped import ShapedBatch
from winback.feeds import FEEDS


def converted(type_name, text, stated_format=None, zone="Asia/Shanghai"):
    mapping = ColumnMapping(column="value", format=stated_format)
    sql = as_type(type_name, "value", mapping, zone)
    (row,) = duckdb.connect().execute(f"select {sql} from (select $1 as value)", [text]).fetchall()
    return row[0]


@pytest.mark.parametrize(
    ("type_name", "text", "expected"),
    [
        ("numeric", "12.50", "12.50"),
        ("numeric", "-3", "-3"),
        ("numeric", "1e3", "1e3"),
        ("numeric", "12,5", None),
        ("numeric", "NaN", None),
        ("integer", "7", "7"),
        ("integer", "7.0", None),
        ("boolean", "是", "t"),
        ("boolean", "No", "f"),
        ("boolean", "maybe", None),
        ("date", "2024-02-29", "2024-02-29"),
        ("date", "2023-02-29", None),
        ("date", "2026/3/2", "2026-03-02"),
        ("timestamptz", "2026/3/2 9:05", "2026-03-02 09:05:00.000000 Asia/Shanghai"),
        ("timestamptz", "2026-03-02T09:05:06.7", "2026-03-02 09:05:06.700000 Asia/Shanghai"),
        ("timestamptz", "2026-03-02", "2026-03-02 00:00:00.000000 Asia/Shanghai"),
        ("timestamptz", "昨天", None),
        ("jsonb", '{"a": 1}', '{"a": 1}'),
        ("jsonb", "{", None),
        ("text", "任何", "任何"),
    ],
)
def test_text_becomes_a_value_or_nothing(type_name, text, expected):
    assert converted(type_name, text) == expected


def test_a_stated_format_is_the_only_one_tried():
    assert converted("date", "03.02.2026", "%d.%m.%Y") == "2026-02-03"
    assert converted("date", "2026-02-03", "%d.%m.%Y") is None


def test_an_offset_in_the_text_beats_the_systems_zone():
    assert converted("timestamptz", "2026-03-02T09:00:00Z").startswith("2026-03-02")
    connection = duckdb.connect()
    sql = as_type("timestamptz", "value", None, "Asia/Shanghai")
    query = f"select ({sql})::timestamptz = timestamptz '2026-03-02 09:00:00+00' from (select $1 as value)"
    assert connection.execute(query, ["2026-03-02T10:00:00+01:00"]).fetchall() == [(True,)]


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


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16", "big5"])
def test_every_stated_encoding_ends_as_utf8(tmp_path, encoding):
    (tmp_path / "in.csv").write_bytes("編號,時間\n一,二\n".encode(encoding))
    decode(tmp_path / "in.csv", encoding, tmp_path / "out")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "編號,時間\n一,二\n"


def test_a_byte_order_mark_does_not_become_part_of_the_first_name(tmp_path):
    (tmp_path / "in.csv").write_bytes("\ufeff编号\n1\n".encode())
    decode(tmp_path / "in.csv", "utf-8", tmp_path / "out")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "编号\n1\n"


def test_compressed_files_are_unpacked(tmp_path):
    content = "编号\n1\n".encode()
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(content))
    (tmp_path / "a.csv.xz").write_bytes(lzma.compress(content))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", content)
    for name in ("a.csv.gz", "a.csv.xz", "a.zip"):
        decode(tmp_path / name, "utf-8", tmp_path / "out")
        assert (tmp_path / "out").read_bytes() == content


def refusal(path: Path, encoding: str = "utf-8") -> str:
    with pytest.raises(WinbackError) as caught:
        decode(path, encoding, path.with_name("out"))
    return str(caught.value)


def test_the_wrong_encoding_is_named_with_line_and_a_guess(tmp_path):
    (tmp_path / "in.csv").write_bytes(b"no,when\n1,2\n" + "三,四\n".encode("gb18030"))
    message = refusal(tmp_path / "in.csv")
    assert "in.csv: not utf-8, at line 3" in message
    assert "gb18030" in message


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "in.csv").touch()
    assert "the file is empty" in refusal(tmp_path / "in.csv")


def test_a_truncated_archive_is_refused(tmp_path):
    (tmp_path / "in.csv.gz").write_bytes(gzip.compress(b"no\n" + b"1\n" * 9999)[:-20])
    assert "damaged or cut short" in refusal(tmp_path / "in.csv.gz")


def test_an_unknown_encoding_is_refused(tmp_path):
    (tmp_path / "in.csv").write_text("a\n")
    assert "no such encoding: gbk2" in refusal(tmp_path / "in.csv", "gbk2")


def batch_of(folder: Path, text: str, **source) -> ShapedBatch:
    (folder / "in.csv").write_text(text, encoding="utf-8")
    columns = {"complaint_id": "编号", "opened_at": "时间", "status": "状态"}
    config = FeedSource(**{"source": "desk", "files": "in.csv", "columns": columns, **source})
    return ShapedBatch(
        feed=FEEDS["complaints"],
        source=config,
        time_zone="Asia/Shanghai",
        tables={"rows": open_file(folder / "in.csv", config)},
        files=(SourceFile("in.csv", "hash"),),
    )


@pytest.fixture(autouse=True)
def _state(tmp_path, monkeypatch):
    monkeypatch.setenv("WINBACK_STATE", str(tmp_path / "state"))


def rows_of(batch: ShapedBatch) -> list[tuple]:
    """Return the rows without the mark of deletion."""
    data = b"".join(bytes(chunk) for chunk in batch.chunks()).decode()
    if not data:
        return []
    names = {name: "varchar" for name in batch.columns}
    file = batch.tables["rows"].path.with_name("rows.csv")
    file.write_text(data, encoding="utf-8")
    return [row[:-1] for row in duckdb.read_csv(str(file), header=False, columns=names).fetchall()]


def test_text_that_cannot_be_read_stays_beside_its_empty_value(tmp_path):
    ((number, opened, status, text, unread),) = rows_of(batch_of(tmp_path, "编号,时间,状态\n1,昨天,\n"))
    assert (number, opened, status) == ("1", None, None)
    assert json.loads(text) == {"编号": "1", "时间": "昨天", "状态": None}
    assert json.loads(unread) == ["opened_at"]


def test_quotes_commas_and_newlines_inside_a_field_survive(tmp_path):
    ((_, _, status, _, unread),) = rows_of(batch_of(tmp_path, '编号,时间,状态\n1,2026-03-02,"a ""b"",\nc"\n'))
    assert status == 'a "b",\nc'
    assert unread is None


def test_codes_constants_and_null_words(tmp_path):
    batch = batch_of(
        tmp_path,
        "编号,时间,状态\n1,2026-03-02,S\n2,2026-03-02,NA\n",
        columns={
            "complaint_id": "编号",
            "opened_at": "时间",
            "status": {"column": "状态", "codes": {"S": "settled"}},
            "customer_source_id": {"constant": "o'brien"},
        },
        null_values=["NA"],
    )
    found = [(row[2], row[3]) for row in rows_of(batch)]
    assert found == [("o'brien", "settled"), ("o'brien", None)]


def test_a_cast_that_fails_in_a_query_quotes_no_value(tmp_path):
    batch = batch_of(
        tmp_path,
        "编号,时间,状态\n1,2026-03-02,secret\n",
        files={"rows": "in.csv"},
        query="select *, cast(状态 as integer) as wrong from rows",
    )
    with pytest.raises(WinbackError, match="does not fit the type") as caught:
        rows_of(batch)
    assert "secret" not in str(caught.value)


def test_a_file_with_only_a_header_has_no_rows(tmp_path):
    assert rows_of(batch_of(tmp_path, "编号,时间,状态\n")) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("编号,时刻,状态\n1,2,3\n", ["no column '时间'", "wanted for opened_at", "时刻"]),
        ("编号,时间,时间\n1,2,3\n", ["names a column twice: '时间'"]),
        ("编号,时间,状态\n1,2026-03-02\n", ["at line 2"]),
        ("编号,时间,状态\n1,2,3\n1,2,3,4\n", ["at line 3"]),
    ],
)
def test_a_file_of_another_shape_is_refused_with_its_place(tmp_path, text, words):
    with pytest.raises(WinbackError) as caught:
        rows_of(batch_of(tmp_path, text))
    for word in ("in.csv", *words):
        assert word in str(caught.value)
