"""Encodings: found out where they are sure, asked for where they are not, and decoded strictly."""

import gzip
import random

import pytest

from winback.errors import WinbackError
from winback.extract.encodings import CHUNK_BYTES, MIN_CONFIDENCE, certain, decode, detect

CHINESE = "编号,时间,客户,状态\n1,2026-03-02,张伟,已结案\n"
LATE_NAME = "no,at,name\n" + "1,2026-03-02,x\n" * 100_000 + "2,2026-03-02,王芳\n"
ADDRESS = "id,address\n7,湖北省武汉市洪山区珞喻路1037号\n"
PORTUGUESE = "id,city\n1,São Paulo\n2,Ribeirão Preto\n"
CAPITALS = "id,text\n1,INFORMAÇÃO\n2,CONDIÇÕES\n"
GERMAN = "id,city\n1,Berlin\n2,München\n3,GROß-GERAU\n"
FRENCH = "id,text\n1,client fidèle\n2,à voir\n"


@pytest.mark.parametrize("text", [CHINESE, LATE_NAME, ADDRESS], ids=["headers", "one late name", "address"])
def test_chinese_text_is_found_in_each_of_its_encodings(tmp_path, text):
    for encoding in ("utf-8", "gb18030", "utf-16-le", "utf-16-be"):
        (tmp_path / "in.csv").write_bytes(text.encode(encoding))
        assert certain(tmp_path / "in.csv") == encoding


@pytest.mark.parametrize("text", [PORTUGUESE, CAPITALS, GERMAN, FRENCH])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_western_text_is_not_taken_for_chinese(tmp_path, text, encoding):
    (tmp_path / "in.csv").write_bytes(text.encode(encoding))
    assert certain(tmp_path / "in.csv") == encoding


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"\xef\xbb\xbfa\n", "utf-8-sig"),
        ("编号\n".encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + "编号\n".encode("utf-16-be"), "utf-16"),
        ("\ufeff编号\n".encode("gb18030"), "gb18030"),
        (b"only,ascii\n1,2\n", "utf-8"),
        (b"", "utf-8"),
    ],
)
def test_a_mark_or_plain_ascii_leaves_no_doubt(tmp_path, content, encoding):
    (tmp_path / "in.csv").write_bytes(content)
    found = detect(tmp_path / "in.csv")
    assert (found.encoding, found.confidence) == (encoding, 1.0)


@pytest.mark.parametrize(
    "content",
    [
        "編號,客戶\n1,陳怡君\n".encode("big5"),
        "Номер,Клиент\n1,Иванов\n".encode("cp1251"),
        "1,女\n".encode("gb18030"),  # also valid UTF-8, of a letter that no word has
        random.Random(7).randbytes(5000).replace(b"\0", b""),
    ],
)
def test_an_unclear_encoding_is_asked_for_with_the_candidates(tmp_path, content):
    (tmp_path / "in.csv").write_bytes(content)
    assert detect(tmp_path / "in.csv").confidence < MIN_CONFIDENCE
    with pytest.raises(
        WinbackError, match=r"in.csv: its encoding is not clear; most likely, of 1: \S+ \(0\."
    ):
        certain(tmp_path / "in.csv")


def test_detection_looks_into_a_packed_file(tmp_path):
    (tmp_path / "in.csv.gz").write_bytes(gzip.compress(CHINESE.encode("gb18030")))
    assert certain(tmp_path / "in.csv.gz") == "gb18030"


def test_a_long_line_is_judged_by_its_beginning(tmp_path):
    (tmp_path / "in.csv").write_bytes(("无法刷卡" * 100_000).encode("gb18030"))
    assert certain(tmp_path / "in.csv") == "gb18030"


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16", "big5"])
def test_every_stated_encoding_ends_as_utf8(tmp_path, encoding):
    (tmp_path / "in.csv").write_bytes("編號,時間\n一,二\n".encode(encoding))
    decode(tmp_path / "in.csv", encoding, tmp_path / "out")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "編號,時間\n一,二\n"


def test_a_byte_order_mark_does_not_become_part_of_the_first_name(tmp_path):
    (tmp_path / "in.csv").write_bytes("\ufeff编号\n1\n".encode())
    decode(tmp_path / "in.csv", "utf-8", tmp_path / "out")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "编号\n1\n"


def test_line_ends_are_evened_out_even_across_two_pieces(tmp_path):
    content = b"a" * (CHUNK_BYTES - 1) + b"\r\nb\r\nc\rd"
    (tmp_path / "in.csv").write_bytes(content)
    decode(tmp_path / "in.csv", "utf-8", tmp_path / "out")
    assert (tmp_path / "out").read_bytes().lstrip(b"a") == b"\nb\nc\nd"


def refusal(path, encoding="utf-8") -> str:
    with pytest.raises(WinbackError) as caught:
        decode(path, encoding, path.with_name("out"))
    return str(caught.value)


def test_the_wrong_encoding_is_named_with_line_and_a_guess(tmp_path):
    (tmp_path / "in.csv").write_bytes(b"no,when\n1,2\n" + "三,四\n".encode("gb18030"))
    message = refusal(tmp_path / "in.csv")
    assert "in.csv: not utf-8, at line 3 (byte 0x" in message
    assert "It looks like gb18030" in message


def test_the_line_of_a_late_wrong_byte_is_counted_through_the_whole_file(tmp_path):
    (tmp_path / "in.csv").write_bytes(b"1,2\r\n" * 500_000 + b"\xff")
    assert "at line 500001 (byte 0xff)" in refusal(tmp_path / "in.csv")


def test_a_line_end_inside_a_wide_letter_is_not_counted(tmp_path):
    (tmp_path / "in.csv").write_bytes("上上\n".encode("utf-16-le") + b"\x00\xd8a\0")  # 上 is 0A 4E
    assert "at line 2 " in refusal(tmp_path / "in.csv", "utf-16-le")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "in.csv").touch()
    assert "the file is empty" in refusal(tmp_path / "in.csv")


def test_an_unknown_encoding_is_refused(tmp_path):
    (tmp_path / "in.csv").write_text("a\n")
    assert "no such encoding: gbk2" in refusal(tmp_path / "in.csv", "gbk2")
