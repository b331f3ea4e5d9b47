"""What a file really holds, whatever its name says: unpacked, and known by its first bytes."""

import gzip
import io
import lzma
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal, cast

from winback.errors import WinbackError

Kind = Literal["text", "workbook", "parquet"]

_HEAD_BYTES = 1024
_GZIP, _XZ, _ZIP = b"\x1f\x8b", b"\xfd7zXZ\0", (b"PK\x03\x04", b"PK\x05\x06")
_OLE2, _PARQUET = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PAR1"
_UNREADABLE = {
    b"%PDF": "a PDF document",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"BZh": "a bzip2 archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"SQLite format 3": "an SQLite database",
}
_MARKUP = re.compile(
    rb"\s*(<(!doctype|html|head|body|meta|table|style|script|div|\?xml)|mime-version:)", re.IGNORECASE
)
_DAMAGED = (EOFError, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error)


def kind_of(path: Path) -> Kind:
    """Tell what a file holds once it is unpacked.

    Raises:
        WinbackError: it is damaged, packed several times over, or no table at all, such as a web page.
    """
    with unpacked(path) as source:
        head = source.read(_HEAD_BYTES)
    if head.startswith((_OLE2, *_ZIP)):
        return "workbook"
    if head.startswith(_PARQUET):
        return "parquet"
    for magic, what in _UNREADABLE.items():
        if head.startswith(magic):
            raise WinbackError(
                f"{path.name}: holds {what}, not a table.",
                "ask for it as CSV, Excel or Parquet, or packed as gz, xz or zip; nothing of it was loaded",
            )
    # A page in UTF-16 shows as itself once its NUL bytes and its byte order mark are gone.
    if _MARKUP.match(head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe")):
        raise WinbackError(
            f"{path.name}: holds a web page or XML, whatever its name says (many systems name pages .xls).",
            "open it in Excel and save it as .xlsx or CSV; if it is a log-in or error page, export it again",
        )
    return "text"


@contextmanager
def unpacked(path: Path) -> Iterator[IO[bytes]]:
    """Open a file's bytes, taken out of gz, xz or zip.

    Raises:
        WinbackError: the compression is damaged or cut short, which may show only while it is read; or a zip
            archive does not hold exactly one file.
    """
    try:
        with _open(path) as source:
            yield source
    except _DAMAGED as error:
        raise WinbackError(
            f"{path.name}: damaged or cut short ({error}).",
            "ask for the file again; nothing of it was loaded",
        ) from None


def plain_file(path: Path, folder: Path) -> Path:
    """Return a file that is not packed: the file itself, or a copy in a folder."""
    with unpacked(path) as source:
        if isinstance(source, io.BufferedReader):  # the streams that unpack are none
            return path
        target = folder / "unpacked"
        with target.open("wb") as out:
            shutil.copyfileobj(source, out, 1 << 20)
    return target


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as source:
        head = source.read(len(_XZ))
        source.seek(0)
        if head.startswith(_GZIP):
            with gzip.open(source) as stream:
                yield cast(IO[bytes], stream)
        elif head.startswith(_XZ):
            with lzma.open(source) as stream:
                yield cast(IO[bytes], stream)
        elif head.startswith(_ZIP) and (member := _only_member(path)):
            with zipfile.ZipFile(source) as archive, archive.open(member) as stream:
                yield stream
        else:
            yield source


def _only_member(path: Path) -> zipfile.ZipInfo | None:
    """Return the one file of an archive; None if the archive is a workbook, which is a zip itself."""
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
    if any(member.filename.startswith("xl/") for member in members):
        return None
    files = [member for member in members if not _is_litter(member.filename)]
    if len(files) != 1:
        names = ", ".join(member.filename for member in files[:10]) or "none"
        raise WinbackError(
            f"{path.name}: the archive holds {len(files)} files where one is expected: {names}.",
            "pack every file by itself; nothing of it was loaded",
        )
    if files[0].flag_bits & 1:
        raise WinbackError(
            f"{path.name}: the archive is locked by a password.", "ask for it without a password"
        )
    return files[0]


def _is_litter(name: str) -> bool:
    """Tell whether an operating system added a member by itself."""
    parts = name.split("/")
    return parts[0] == "__MACOSX" or parts[-1].startswith(".") or parts[-1] in ("Thumbs.db", "desktop.ini")
