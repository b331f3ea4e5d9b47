"""Text in any encoding: which one it is, and its decoding into plain text, strictly.

A Western file decodes as Chinese without an error, and the other way round, into nonsense. So a decoding is
judged by whether the letters make sense: common Hanzi, or accented letters inside words.
"""

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from winback.errors import WinbackError
from winback.extract.packed import unpacked

CHUNK_BYTES = 1 << 20
# Below this a detection is a guess, and a wrong guess is mojibake that no later check finds. Set on 850
# snippets of one cell to a few lines; then, on 5,903 others (names of countries and languages in Chinese,
# Portuguese, German, French and Spanish, one line or five), none was read wrongly and 15 were refused.
# Korean and Japanese EUC share GBK's rows and pass for it: they have to be stated.
MIN_CONFIDENCE = 0.6

_EVIDENCE_BYTES = 64 * 1024
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    b"\x84\x31\x95\x33": "gb18030",
}
_UTF16_STRAY_NULS = 0.01
_WIDE = "\u0800"
_FEW = 0.25
_RARER_HANZI = 0.7
_NEIGHBOURS = (1.0, 0.5, 0.0)
_ACCENTED = "À-ÖØ-öø-ÿŒœŠšŽžŸ"
_SIGNS = "’“”‘–—…€£§°ºª«»®©™¿¡·"
_RUN = re.compile(r"[^\x00-\x7f]+")
_WORD = re.compile(rf"[A-Za-z{_ACCENTED}]+")
_ACCENT = re.compile(rf"[{_ACCENTED}]")
_SIGN = re.compile(rf"(?<=[A-Za-z0-9 ])[{_SIGNS}]|[{_SIGNS}](?=[A-Za-z0-9 ])")
_LONE = re.compile(r"(?<![^\x00-\x7f])(?<![A-Za-z])[àáèéòóÀÁÈÉÒÓ](?![A-Za-z]|[^\x00-\x7f])")


@dataclass(frozen=True)
class Detection:
    """The encoding that a file most likely has, how sure that is (0 to 1), and why.

    `others` are the other encodings that it could have, with their confidences.
    """

    encoding: str
    confidence: float
    reason: str
    others: tuple[tuple[str, float], ...] = ()


def detect(path: Path) -> Detection:
    """Find a file's encoding from its byte order mark, or from its lines that are not plain ASCII.

    Reads as far as there is too little evidence: all of a file in plain ASCII. Memory stays bounded.

    Raises:
        WinbackError: the file's compression is damaged.
    """
    with unpacked(path) as source:
        head = source.read(CHUNK_BYTES)
        for mark, encoding in _MARKS.items():
            if head.startswith(mark):
                return Detection(encoding, 1.0, "byte order mark")
        if wide := _utf16_without_mark(head):
            return Detection(wide, 0.95, "every other byte is NUL")
        evidence = b"\n".join(_telling_lines(head, source))
    return judge(evidence)


def judge(evidence: bytes) -> Detection:
    """Tell the encoding of bytes without a byte order mark by the sense that they make."""
    if evidence.isascii():
        return Detection("utf-8", 1.0, "plain ASCII")
    senses: dict[str, tuple[float, str]] = {}
    if (text := _decoded(evidence, "utf-8")) is not None:
        if any(letter >= _WIDE for letter in text) or western_sense(text):
            return Detection("utf-8", 1.0, "valid UTF-8")
        # Two-byte letters outside of words: as likely a short Chinese cell that is valid UTF-8 by accident.
        senses["utf-8"] = (0.5, "valid UTF-8")
    elif (text := _decoded(evidence, "cp1252")) is not None:
        senses["cp1252"] = (western_sense(text), "accented letters inside words")
    if (text := _decoded(evidence, "gb18030")) is not None:
        senses["gb18030"] = (chinese_sense(text), "common Hanzi")
    total = sum(sense for sense, _ in senses.values()) or 1.0
    # A decoding that makes sense counts less the more sense another one makes.
    ranked = sorted(
        ((round(sense * sense / total, 2), encoding, reason) for encoding, (sense, reason) in senses.items()),
        reverse=True,
    )
    if not ranked:
        return Detection("utf-8", 0.0, "fits no usual encoding")
    confidence, encoding, reason = ranked[0]
    return Detection(encoding, confidence, reason, tuple((name, value) for value, name, _ in ranked[1:]))


def certain(path: Path) -> str:
    """Return a file's encoding.

    Raises:
        WinbackError: it is not clear; the message names the candidates.
    """
    found = detect(path)
    if found.confidence >= MIN_CONFIDENCE:
        return found.encoding
    candidates = ", ".join(
        f"{name} ({value:.2f})" for name, value in ((found.encoding, found.confidence), *found.others)
    )
    raise WinbackError(
        f"{path.name}: its encoding is not clear; most likely, of 1: {candidates}.",
        "state it in winback.yml, e.g. `encoding: gb18030` (cp1252 for Western Europe); nothing was loaded",
    )


def read_text(path: Path, encoding: str) -> Iterator[str]:
    """Yield a file's text in pieces, with line ends as one newline; any undecodable byte is an error.

    Raises:
        WinbackError: no such encoding, the file is not in it, or its compression is damaged.
    """
    # Python's newline decoder joins a carriage return with the line feed that the next piece begins with.
    decoder = io.IncrementalNewlineDecoder(_new_decoder(encoding, path), translate=True)
    line = 1
    try:
        with unpacked(path) as source:
            while chunk := source.read(CHUNK_BYTES):
                text = decoder.decode(chunk)
                line += text.count("\n")
                yield text
            yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(encoding, "ignore")
        raise WinbackError(
            f"{path.name}: not {encoding}, at line {line + before.count(chr(10))}"
            f" (byte 0x{error.object[error.start]:02x}). {_look(path)}",
            "state the file's encoding in winback.yml, e.g. `encoding: gb18030`; nothing of it was loaded",
        ) from None


def decode(path: Path, encoding: str, target: Path) -> None:
    """Write a file's text as UTF-8.

    Raises:
        WinbackError: as `read_text`, or the file is empty.
    """
    with target.open("w", encoding="utf-8", newline="") as out:
        written = sum(out.write(text) for text in read_text(path, encoding))
    if written == 0:
        raise empty_file(path)


def empty_file(path: Path) -> WinbackError:
    """Make the error of a file without even a header."""
    return WinbackError(
        f"{path.name}: the file is empty, without even a header.",
        "ask for the file again; a day without rows is a file with only the header",
    )


def _new_decoder(encoding: str, path: Path) -> codecs.IncrementalDecoder:
    try:
        # utf-8-sig drops a byte order mark, which would otherwise become part of the first column's name.
        codec = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    except LookupError:
        raise WinbackError(
            f"{path.name}: no such encoding: {encoding}.", "use utf-8, gb18030, utf-16 or cp1252"
        ) from None
    return codecs.getincrementaldecoder(codec)("strict")


def _look(path: Path) -> str:
    found = detect(path)
    if found.confidence < MIN_CONFIDENCE:
        return "It looks like none of the usual encodings."
    return f"It looks like {found.encoding} ({found.reason})."


def _utf16_without_mark(head: bytes) -> str | None:
    """Tell UTF-16 by its NUL bytes: every sign between its texts has one, and all on the same side."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    signs = sum(map(head.count, (b"\n", b",", b"\t")))
    if even + odd < max(signs, 1) or min(even, odd) > max(even, odd) * _UTF16_STRAY_NULS:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _telling_lines(head: bytes, source: IO[bytes]) -> Iterator[bytes]:
    """Yield lines that are not plain ASCII until there is enough evidence; the last one may be cut."""
    collected, rest, chunk = 0, b"", head
    while chunk:
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > _EVIDENCE_BYTES:
            lines, rest = [*lines, rest], b""
        for line in lines:
            if not line.isascii():
                yield line[:_EVIDENCE_BYTES]
                collected += len(line)
                if collected >= _EVIDENCE_BYTES:
                    return
        chunk = source.read(CHUNK_BYTES)
    yield rest


def _decoded(evidence: bytes, encoding: str) -> str | None:
    is_cut = len(evidence) >= _EVIDENCE_BYTES
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(evidence, final=not is_cut)
    except UnicodeDecodeError:
        return None


def chinese_sense(text: str) -> float:
    """Rate text by its share of common Hanzi and Chinese signs; one between two Latin letters is none."""
    common, rarer = _hanzi()
    sense, strange = 0.0, 0
    for run in _RUN.finditer(text):
        value = sum(1.0 if one in common else _RARER_HANZI if one in rarer else 0.0 for one in run[0])
        if len(run[0]) == 1:
            around = text[max(run.start() - 1, 0) : run.start()], text[run.end() : run.end() + 1]
            value *= _NEIGHBOURS[sum(one.isalpha() for one in around)]
        sense += value
        strange += len(run[0])
    return sense / (strange + _FEW)


def western_sense(text: str) -> float:
    """Rate text by its share of accented letters inside words, and of signs beside them."""
    accents = sum(len(_ACCENT.findall(word)) for word in _WORD.findall(text) if _is_word(word))
    strange = sum(map(len, _RUN.findall(text)))
    return (accents + len(_SIGN.findall(text)) + len(_LONE.findall(text))) / (strange + _FEW)


def _is_word(word: str) -> bool:
    """Tell whether letters are written like a word: some of them plain, capitals first or throughout."""
    capitals = word.replace("ß", "SS")
    return len(_ACCENT.findall(word)) < len(word) and (word[1:].islower() or capitals.isupper())


@cache
def _hanzi() -> tuple[frozenset[str], frozenset[str]]:
    """Return the Hanzi of daily use with Chinese signs, and the rarer ones: GB2312's levels 1 and 2."""
    signs, level_1, level_2 = (0xA1, 0xA3), range(0xB0, 0xD8), range(0xD8, 0xF8)
    return _gb2312_rows(*signs, *level_1), _gb2312_rows(*level_2)


def _gb2312_rows(*rows: int) -> frozenset[str]:
    cells = b"".join(bytes((row, cell)) for row in rows for cell in range(0xA1, 0xFF))
    return frozenset(cells.decode("gb2312", "ignore"))
