"""The file between a source that sends rows and DuckDB: JSON lines whose values are texts or null.

Unlike CSV, no value spans lines, so that DuckDB reads it in parallel and with little memory, and null stays
apart from the empty text.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TextIO

from winback.extract.conversions import literal, quoted

_MAX_ROW_BYTES = 16 << 20  # twice of which each of DuckDB's threads sets aside


def open_spool(path: Path) -> TextIO:
    """Open a new file for rows; half an emoji, which is no Unicode text, becomes a question mark."""
    return path.open("w", encoding="utf-8", errors="replace", newline="")


def row_line(row: Mapping[str, str | None]) -> str:
    """Write a row as one line.

    NUL characters, which pad the texts of some programs and which PostgreSQL cannot hold, are left out.
    """
    line = json.dumps(row, ensure_ascii=False)
    if "\\u0000" in line:
        row = {name: value and value.replace("\0", "") for name, value in row.items()}
        line = json.dumps(row, ensure_ascii=False)
    return line + "\n"


def rows_relation(path: Path, columns: Iterable[str]) -> str:
    """Return the SQL of a relation of text columns; rows of more than 16 MB are DuckDB's error."""
    types = ", ".join(f"{quoted(name)}: 'varchar'" for name in columns)
    return (
        f"read_json({literal(str(path))}, format = 'newline_delimited', columns = {{{types}}},"
        f" maximum_object_size = {_MAX_ROW_BYTES})"
    )
