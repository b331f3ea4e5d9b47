"""Packed files: unpacked by what they hold, refused by name when damaged or no table."""

import gzip
import io
import lzma
import zipfile

import pytest

from winback.errors import WinbackError
from winback.extract.packed import kind_of, plain_file, unpacked

CONTENT = "编号\n1\n".encode()


def zipped(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


@pytest.mark.parametrize("name", ["in.csv", "in.gz", "in.zip"])
@pytest.mark.parametrize(
    "content",
    [
        CONTENT,
        gzip.compress(CONTENT, mtime=0),
        lzma.compress(CONTENT),
        zipped({"a.csv": CONTENT}),
        zipped({"x/": b"", "x/a.csv": CONTENT, "__MACOSX/x/._a.csv": b"?", "x/.DS_Store": b"?"}),
    ],
    ids=["plain", "gz", "xz", "zip", "zip with litter"],
)
def test_a_file_is_unpacked_by_its_content_whatever_its_name(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with unpacked(tmp_path / name) as source:
        assert source.read() == CONTENT
    assert plain_file(tmp_path / name, tmp_path).read_bytes() == CONTENT
    assert kind_of(tmp_path / name) == "text"


def read_all(path) -> None:
    kind_of(path)
    with unpacked(path) as source:
        source.read()


def refusal(path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(WinbackError) as caught:
        read_all(path)
    return str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b"1\n" * 99_999, mtime=0)[:-20],
        lzma.compress(b"1\n" * 99_999)[:-20],
        zipped({"a.csv": b"1\n" * 9999})[:-30],
        zipped({"a.csv": b"abcdef"}).replace(b"abcdef", b"abcdeg"),
    ],
    ids=["gz", "xz", "zip", "zip with a wrong sum"],
)
def test_a_damaged_archive_is_refused(tmp_path, content):
    assert "in.csv: damaged or cut short" in refusal(tmp_path / "in.csv", content)


def test_an_archive_of_several_files_or_none_is_refused_with_their_names(tmp_path):
    two = zipped({"a.csv": CONTENT, "b.csv": CONTENT})
    assert "in.zip: the archive holds 2 files where one is expected: a.csv, b.csv." in refusal(
        tmp_path / "in.zip", two
    )
    assert "holds 0 files" in refusal(tmp_path / "in.zip", zipped({}))


def test_a_locked_archive_is_refused(tmp_path):
    locked = bytearray(zipped({"a.csv": CONTENT}))
    locked[6] |= 1  # the flag of encryption: of the file, and in the archive's directory
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert "in.zip: the archive is locked by a password" in refusal(tmp_path / "in.zip", bytes(locked))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\xef\xbb\xbf\r\n<html><table>", "a web page"),
        ("<!DOCTYPE html>".encode("utf-16"), "a web page"),
        (b"<?xml version='1.0'?><Workbook>", "a web page or XML"),
        (b"%PDF-1.7", "a PDF document"),
        (b"Rar!\x1a\x07", "a RAR archive"),
        (gzip.compress(b"<TABLE border=1>", mtime=0), "a web page"),
    ],
)
def test_what_is_no_table_is_refused_by_what_it_is(tmp_path, content, what):
    assert f"in.xls: holds {what}" in refusal(tmp_path / "in.xls", content)
