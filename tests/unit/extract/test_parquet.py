"""Parquet: typed values reach the conversions as text that loses nothing."""

import gzip

import duckdb
import pytest

from winback.config import FeedSource
from winback.errors import WinbackError
from winback.extract.conversions import as_type
from winback.extract.files import open_file
from winback.extract.parquet import ParquetFile

SOURCE = FeedSource(source="desk", files="in.parquet", columns={})


@pytest.mark.parametrize(
    ("value", "type_name", "expected"),
    [
        ("12345678901234567890.12::decimal(38,2)", "numeric", "12345678901234567890.12"),
        ("1e20::double", "numeric", "1e+20"),
        ("'nan'::double", "numeric", None),
        ("7::bigint", "integer", "7"),
        ("true", "boolean", "t"),
        ("date '1899-12-31'", "date", "1899-12-31"),
        ("timestamptz '2026-03-02 09:05:06+08'", "timestamptz", "2026-03-02 01:05:06+00"),
        ("timestamptz '2026-03-02 01:00:00+08'", "date", "2026-03-02"),
        ("timestamp '2026-03-02 09:05:06.5'", "timestamptz", "2026-03-02 09:05:06.5 Asia/Shanghai"),
        (
            "timestamp_ns '2026-03-02 09:05:06.123456789'",
            "timestamptz",
            "2026-03-02 09:05:06.123456 Asia/Shanghai",
        ),
        ("timestamp 'infinity'", "timestamptz", None),
        ("'007'", "text", "007"),
    ],
)
def test_typed_values_keep_their_meaning(tmp_path, value, type_name, expected):
    file = tmp_path / "in.parquet"
    with duckdb.connect() as engine:
        engine.execute("set timezone = 'UTC'")
        engine.execute(f"copy (select {value} as value) to '{file}' (format parquet)")
        rows = open_file(file, SOURCE).relation(engine, tmp_path)
        sql = as_type(type_name, "cast(value as varchar)", None, "Asia/Shanghai")
        assert engine.execute(f"select {sql} from {rows}").fetchall() == [(expected,)]


def test_a_packed_file_is_unpacked_first(tmp_path):
    duckdb.sql(f"copy (select 1 as a) to '{tmp_path / 'plain'}' (format parquet)")
    (tmp_path / "in.gz").write_bytes(gzip.compress((tmp_path / "plain").read_bytes()))
    with duckdb.connect() as engine:
        rows = open_file(tmp_path / "in.gz", SOURCE).relation(engine, tmp_path)
        assert engine.execute(f"select * from {rows}").fetchall() == [(1,)]


def test_a_file_that_was_cut_short_is_refused(tmp_path):
    file = tmp_path / "in.parquet"
    duckdb.sql(f"copy (select 1 as a) to '{file}' (format parquet)")
    file.write_bytes(file.read_bytes()[:-9])
    with duckdb.connect() as engine, pytest.raises(WinbackError, match=r"in.parquet: damaged or cut short"):
        ParquetFile(file).relation(engine, tmp_path)
