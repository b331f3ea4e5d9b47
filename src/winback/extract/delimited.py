"""Delimited text files: CSV and TSV in any encoding and compression."""

import csv
from dataclasses import dataclass
from pathlib import Path

import duckdb

from winback.errors import WinbackError
from winback.extract.conversions import literal, quoted
from winback.extract.encodings import decode

_MAX_LINE_BYTES = 20_000_000


@dataclass(frozen=True)
class DelimitedFile:
    """One delimited file; what is not stated is found out from its content."""

    path: Path
    encoding: str | None = None
    delimiter: str | None = None
    null_values: tuple[str, ...] = ()
    header_line: int = 1

    @property
    def name(self) -> str:
        """Return the file's name."""
        return self.path.name

    def relation(self, engine: duckdb.DuckDBPyConnection, folder: Path) -> str:
        """Decode strictly to UTF-8 and return a relation of text columns."""
        plain = folder / "text.utf8"
        decode(self.path, self.encoding or "utf-8", plain)
        delimiter = self.delimiter or ","
        columns = ", ".join(f"{quoted(name)}: 'varchar'" for name in self._header(plain, delimiter))
        nulls = ", ".join(map(literal, ("", *self.null_values)))
        return (
            f"read_csv({literal(str(plain))}, header = true,"
            f" auto_detect = false, columns = {{{columns}}}, delim = {literal(delimiter)},"
            f" quote = '\"', escape = '\"', nullstr = [{nulls}], max_line_size = {_MAX_LINE_BYTES})"
        )

    def _header(self, plain: Path, delimiter: str) -> list[str]:
        """Return the column names of the first line; two columns of one name cannot be told apart."""
        with plain.open(encoding="utf-8", newline="") as text:
            names = next(csv.reader(text, delimiter=delimiter), [])
        names = [name.strip() for name in names]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise WinbackError(
                f"{self.name}: the header names a column twice: {', '.join(map(repr, twice))}.",
                "give every column a name of its own; nothing of this file was loaded",
            )
        return names
