"""The marts by hand, on DuckDB, and how those of the warehouse differ from them."""

import re
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from generate import KEYS, SQL, Company, duckdb_memory

from winback.feeds import FEEDS
from winback.holidays import Holidays
from winback.publish import LIVE
from winback.rules.calendar import write_calendar
from winback.rules.load import load_rules

DUCKDB_TYPES = {
    "text": "varchar",
    "numeric": "decimal(18, 2)",
    "integer": "integer",
    "boolean": "boolean",
    "date": "date",
    "timestamptz": "timestamptz",
    "jsonb": "json",
}


class Limit:
    """The marts by hand: DuckDB, two threads, a database file."""

    def __init__(self, company: Company, folder: Path, lines: Mapping[str, str], holidays: Holidays) -> None:
        self.company, self.folder, self.lines, self.holidays = company, folder, lines, holidays
        self.raw, self.file = folder / "raw.duckdb", folder / "limit.duckdb"
        self.rules = folder / "rules_of_the_limit"

    def database(self) -> duckdb.DuckDBPyConnection:
        """Open the database of the limit, with half of the machine's memory."""
        return duckdb.connect(str(self.file), config={"threads": 2, "memory_limit": duckdb_memory(2)})

    @property
    def marts(self) -> list[str]:
        """Return the names of the marts that are made by hand."""
        queries = "".join(file.read_text("utf-8") for file in sorted((SQL / "limit").glob("*.sql")))
        return sorted(set(re.findall(r"create table marts\.(\w+)", queries)))

    def copy_rows(self, day: date) -> None:
        """Copy the rows that raw holds on the evening of a day, all of its columns."""
        self.raw.unlink(missing_ok=True)
        database = self.company.database
        database.execute(f"attach '{self.raw}' as raw_rows")
        for feed in KEYS:
            query = self.company.rows(feed, day)
            there = {column[0] for column in database.execute(f"describe {query}").fetchall()}
            missing = "".join(
                f", null::{DUCKDB_TYPES[column.type]} as {column.name}"
                for column in FEEDS[feed.removesuffix("_versions")].columns
                if column.name not in there
            )
            database.execute(f"create table raw_rows.{feed} as select *{missing} from ({query})")
        database.execute("detach raw_rows")

    def build(self, day: date) -> float:
        """Build all marts anew; return the seconds."""
        self.file.unlink(missing_ok=True)
        load_rules(self.lines).write(self.rules)
        write_calendar(self.rules, self.holidays, day)
        with self.database() as database:
            database.execute(f"attach '{self.raw}' as raw (read_only)")
            database.execute("set timezone = 'UTC'")
            database.execute("set variable as_of = ?", [day])
            database.execute("set variable lines = ?::map(varchar, varchar)", [self.lines])
            started = time.perf_counter()
            database.execute("create schema rules")
            for seed in self.rules.glob("*.csv"):
                read = f"read_csv('{seed}', header = true)"
                database.execute(f"create table rules.{seed.stem} as from {read}")
            for file in sorted((SQL / "limit").glob("*.sql")):
                database.execute(file.read_text("utf-8"))
            database.execute("checkpoint")
            return time.perf_counter() - started


class Compared:
    """The marts of the warehouse beside those of the limit."""

    def __init__(self, url: str, limit: Limit) -> None:
        self.url, self.limit = url, limit
        self.file = limit.folder / "mart.csv"

    def differences(self) -> tuple[list[str], list[str]]:
        """Return what differs, a line each, and which marts and columns only the warehouse has."""
        found, beyond = [], []
        with (
            self.limit.database() as database,
            psycopg.connect(self.url) as connection,
        ):
            database.execute("set timezone = 'UTC'")
            marts = connection.execute(
                "select table_name, array_agg(column_name::text order by ordinal_position)"
                " from information_schema.columns"
                " where table_schema = %s and table_name <> 'published_version' group by 1 order by 1",
                [LIVE],
            ).fetchall()
            for mart, columns in marts:
                types = {
                    name: kind
                    for name, kind in database.execute(
                        "select column_name, data_type from duckdb_columns()"
                        " where schema_name = 'marts' and table_name = ?",
                        [mart],
                    ).fetchall()
                }
                same = {name: types[name] for name in columns if name in types}
                beyond += [mart] if not same else [f"{mart}.{name}" for name in columns if name not in same]
                if same:
                    found += self._differences(connection, database, mart, same)
        return found, beyond

    def _differences(
        self,
        connection: psycopg.Connection[Any],
        database: duckdb.DuckDBPyConnection,
        mart: str,
        types: dict[str, str],
    ) -> list[str]:
        self._write(connection, f"select {', '.join(types)} from {LIVE}.{mart}")
        read = {name: _comparable(kind) for name, kind in types.items()}
        # a quotient has more digits in PostgreSQL, and halfway between two roundings it may go either way
        values = ", ".join(
            f"round({name} + 3.1e-9, 8) + 0 as {name}" if kind == "DOUBLE" else name
            for name, kind in read.items()
        )
        casts = ", ".join(f"{name}::{kind} as {name}" for name, kind in read.items())
        rows = {
            "warehouse": f"read_csv('{self.file}', header = false, auto_detect = false, columns = {read})",
            "by_hand": f"(select {casts} from marts.{mart})",
        }
        digests = set()
        for name, relation in rows.items():
            database.execute(f"create or replace temp view {name} as select {values} from {relation}")
            digests.add(
                database.execute(f"select count(*), sum(hash(rows)::hugeint) from {name} as rows").fetchone()
            )
        return [f"{mart}: {_explained(database, read)}"] if len(digests) > 1 else []

    def _write(self, connection: psycopg.Connection[Any], query: str) -> None:
        with (
            self.file.open("wb") as file,
            connection.cursor().copy(f"copy ({query}) to stdout (format csv)") as rows,
        ):
            for chunk in rows:
                file.write(chunk)


def _explained(database: duckdb.DuckDBPyConnection, columns: Mapping[str, str]) -> str:
    """Say how many rows two views do not share, and in which columns they differ."""
    counts = [
        database.execute(f"select count(*) from (from {one} except all from {other})").fetchall()[0][0]
        for one, other in (("warehouse", "by_hand"), ("by_hand", "warehouse"))
    ]
    sums = "select " + ", ".join(f"sum(hash({name})::hugeint)" for name in columns)
    ours, theirs = (
        database.execute(f"{sums} from {view}").fetchall()[0] for view in ("warehouse", "by_hand")
    )
    differ = [name for name, one, other in zip(columns, ours, theirs, strict=True) if one != other]
    return (
        f"{counts[0]:,} rows only in the warehouse, {counts[1]:,} only in the limit;"
        f" columns {', '.join(differ) or 'alike one by one'}"
    )


def _comparable(kind: str) -> str:
    return "DOUBLE" if kind.startswith("DECIMAL") or kind in ("HUGEINT", "FLOAT") else kind
