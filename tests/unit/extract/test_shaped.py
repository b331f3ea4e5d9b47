"""Shaped rows: mapped and converted, without losing what does not convert."""

import json
from pathlib import Path

import duckdb
import pytest

from winback.config import FeedSource
from winback.errors import WinbackError
from winback.extract import SourceFile
from winback.extract.files import open_file
from winback.extract.shaped import ShapedBatch
from winback.feeds import FEEDS


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


def test_an_identifier_written_full_width_or_padded_is_the_same_but_other_text_stays(tmp_path):
    text = "编号,时间,状态\n００１Ａ,2026-03-02,Ｓ\n\t001A\u3000,2026-03-02, S \n"
    found = rows_of(batch_of(tmp_path, text))
    assert [(row[0], row[2]) for row in found] == [("001A", "Ｓ"), ("001A", "S")]
    assert json.loads(found[0][3])["编号"] == "００１Ａ"


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
        ("编号,时间,时间\n1,2,3\n", ["columns 2, 3 of the header have one name"]),
        ("编号,时间,状态\n1,2026-03-02\n", ["at line 2"]),
        ("编号,时间,状态\n1,2,3\n1,2,3,4\n", ["at line 3"]),
        ('编号,时间,状态\n1,"2\n",3\n1,2\n', ["2 fields at line 4 where the header has 3"]),
    ],
)
def test_a_file_of_another_shape_is_refused_with_its_place(tmp_path, text, words):
    with pytest.raises(WinbackError) as caught:
        rows_of(batch_of(tmp_path, text))
    for word in ("in.csv", *words):
        assert word in str(caught.value)
