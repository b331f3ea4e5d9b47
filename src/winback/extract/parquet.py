"""Parquet files: typed by themselves, read by DuckDB as they are."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import duckdb

from winback.errors import WinbackError
from winback.extract.conversions import literal
from winback.extract.packed import plain_file


@dataclass(frozen=True)
class ParquetFile:
    """One Parquet file."""

    path: Path

    column_types: ClassVar[dict[str, str]] = {}  # those that DuckDB shows

    @property
    def name(self) -> str:
        """Return the file's name."""
        return self.path.name

    def relation(self, engine: duckdb.DuckDBPyConnection, folder: Path) -> str:
        """Return a relation of the file's own types, once its footer was read."""
        relation = f"read_parquet({literal(str(plain_file(self.path, folder)))})"
        try:
            engine.execute(f"describe select * from {relation}")
        except duckdb.Error:
            raise WinbackError(
                f"{self.name}: damaged or cut short: no Parquet footer that can be read.",
                "ask for the file again; nothing of it was loaded",
            ) from None
        return relation
