"""Files in a folder: which ones match a source's pattern, and how each of them is read."""

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from winback import paths
from winback.config import FeedSource
from winback.extract import Table
from winback.extract.delimited import DelimitedFile
from winback.extract.excel import ExcelFile
from winback.extract.packed import kind_of
from winback.extract.parquet import ParquetFile


@dataclass(frozen=True)
class DatedFile:
    """A file that matches a source's pattern, with the business day that its name states, if any."""

    path: Path
    day: date | None


def find_files(folder: Path, pattern: str) -> list[DatedFile]:
    """List the files of a folder that match a pattern, oldest name first.

    `*` and `?` stand for any characters; strftime codes (`%Y-%m-%d`) state the business day.
    """
    expression = re.compile(_pattern_to_regex(pattern))
    stamp = "".join(re.findall(r"%[YmdyjHM]", pattern))
    found = []
    for path in sorted(_absolute(folder).iterdir() if _absolute(folder).is_dir() else []):
        match = expression.fullmatch(path.name)
        if not match or not path.is_file():
            continue
        try:
            day = datetime.strptime("".join(match.groups()), stamp).date() if stamp else None
        except ValueError:
            continue  # digits in the right places that are no date: another file
        found.append(DatedFile(path, day))
    return found


def _absolute(folder: Path) -> Path:
    return folder if folder.is_absolute() else paths.ROOT / folder


def _pattern_to_regex(pattern: str) -> str:
    codes = {"%Y": r"(\d{4})", "%m": r"(\d{2})", "%d": r"(\d{2})", "%y": r"(\d{2})", "%j": r"(\d{3})"}
    codes |= {"%H": r"(\d{2})", "%M": r"(\d{2})", "*": ".*", "?": "."}
    return "".join(codes.get(part, re.escape(part)) for part in re.split(r"(%[A-Za-z]|\*|\?)", pattern))


def open_file(path: Path, source: FeedSource) -> Table:
    """Return how a file is read: by its content, whatever its name says.

    Raises:
        WinbackError: it is damaged, or no table at all.
    """
    match kind_of(path):
        case "workbook":
            return ExcelFile(path, source.sheet, source.null_values, source.header_line)
        case "parquet":
            return ParquetFile(path)
        case "text":
            return DelimitedFile(
                path, source.encoding, source.delimiter, source.null_values, source.header_line
            )


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
