"""Turn a file of any stated encoding or compression into plain UTF-8, strictly."""

import codecs
import gzip
import lzma
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from winback.errors import WinbackError

CHUNK_BYTES = 1 << 20


def decode(path: Path, encoding: str, target: Path) -> None:
    """Write a file's text as UTF-8, unpacking gz, xz and zip; any undecodable byte is an error.

    Raises:
        WinbackError: the file is empty, is not in the stated encoding, or its compression is damaged.
    """
    _known_encoding(encoding, path)
    # utf-8-sig drops a byte order mark, which would otherwise become part of the first column's name.
    codec = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    decoder = codecs.getincrementaldecoder(codec)("strict")
    lines, written = 1, 0
    try:
        with _unpacked(path) as source, target.open("w", encoding="utf-8", newline="") as out:
            while chunk := source.read(CHUNK_BYTES):
                text = decoder.decode(chunk)
                lines += text.count("\n")
                written += out.write(text)
            written += out.write(decoder.decode(b"", final=True))
    except UnicodeDecodeError as error:
        lines += error.object[: error.start].count(b"\n")
        raise WinbackError(
            f"{path.name}: not {encoding}, at line {lines} (byte 0x{error.object[error.start]:02x}). "
            f"{_other_encodings(path)}",
            "state the file's encoding in winback.yml, e.g. `encoding: gb18030`; nothing of it was loaded",
        ) from None
    except (EOFError, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise WinbackError(
            f"{path.name}: damaged or cut short ({error}).",
            "ask for the file again; nothing of it was loaded",
        ) from None
    if written == 0:
        raise WinbackError(
            f"{path.name}: the file is empty, without even a header.",
            "ask for the file again; a day without rows is a file with only the header",
        )


def _known_encoding(encoding: str, path: Path) -> None:
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise WinbackError(
            f"{path.name}: no such encoding: {encoding}.", "use utf-8, gb18030, utf-16 or cp1252"
        ) from None


def _other_encodings(path: Path) -> str:
    """Say which of the usual encodings the whole file would fit, as a hint to a person."""
    with _unpacked(path) as source:
        content = source.read()
    fits = []
    for encoding in ("utf-8", "gb18030", "utf-16", "cp1252"):
        try:
            content.decode(encoding)
            fits.append(encoding)
        except UnicodeDecodeError:
            continue
    return f"It could be: {', '.join(fits)}." if fits else "It fits none of the usual encodings."


@contextmanager
def _unpacked(path: Path) -> Iterator[IO[bytes]]:
    match path.suffix.lower():
        case ".gz":
            with gzip.open(path) as source:
                yield cast(IO[bytes], source)
        case ".xz":
            with lzma.open(path) as source:
                yield cast(IO[bytes], source)
        case ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as source:
                yield source
        case _:
            with path.open("rb") as source:
                yield source
