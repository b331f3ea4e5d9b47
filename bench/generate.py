"""Make up a company of any size, the same for the same seed, and load it as the loader would."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from winback.machine import memory_bytes

SQL = Path(__file__).parent / "sql"
SOURCE = "erp"
KEYS = {
    "orders": ("order_id",),
    "complaints": ("complaint_id",),
    "customers": ("customer_id",),
    "customers_versions": ("customer_id", "valid_from"),
    "regions": ("region_id",),
    "account_managers": ("account_manager_id",),
    "account_managers_versions": ("account_manager_id", "valid_from"),
}
REFERENCES = {
    "orders": ("customer_source_id",),
    "complaints": ("customer_source_id", "order_source_id"),
}
CHUNK_BYTES = 1 << 20


def duckdb_memory(part: int) -> str:
    """Return a part of the machine's memory: each database takes four fifths of it otherwise."""
    return f"{(memory_bytes() >> 20) // part}MiB"


@dataclass(frozen=True)
class History:
    """How large the company is; `orders` in all, spread over `days` that end with `last_day`."""

    customers: int
    orders: int
    days: int
    last_day: date
    seed: int = 1

    @property
    def first_day(self) -> date:
        """Return the day on which the data begin."""
        return self.last_day - timedelta(days=self.days - 1)


class Company:
    """A company in a DuckDB database, with two cores as its limit."""

    def __init__(self, file: Path, history: History) -> None:
        self.file, self.history = file, history
        self.database = duckdb.connect(str(file), config={"threads": 2, "memory_limit": duckdb_memory(8)})
        self.database.execute("set timezone = 'UTC'")
        for name in ("seed", "customers", "orders", "days", "first_day"):
            self.database.execute(f"set variable {name} = ?", [getattr(history, name)])
        self.database.execute((SQL / "company.sql").read_text("utf-8"))

    def rows(self, feed: str, day: date, after: date = date.min) -> str:
        """Return a query for the rows of a feed on the evening of a day, or the new ones since another."""
        sources = "".join(f", '{SOURCE}' as {name}" for name in REFERENCES.get(feed, ()))
        return (
            f"select '{SOURCE}' as source_id, rows.*{sources}, null::date as deleted_on"
            f" from known_{feed}(date '{day}') as rows where business_day > date '{after}'"
        )

    def load(self, url: str, day: date, after: date = date.min) -> dict[str, int]:
        """Put what became known after one day, up to another, into the raw tables; return rows by feed."""
        with psycopg.connect(url) as connection:
            counts = {feed: self._load(connection, feed, day, after) for feed in KEYS}
            for feed in ("orders", "complaints"):
                connection.execute(
                    "insert into ops.feed_days values (%s, %s, %s, false)", [SOURCE, feed, day]
                )
        if after == date.min:
            with psycopg.connect(url, autocommit=True) as connection:
                for feed in KEYS:
                    connection.execute(f"vacuum analyze raw.{feed}")  # as autovacuum would have, by and by
        return counts

    def _load(self, connection: psycopg.Connection[Any], feed: str, day: date, after: date) -> int:
        batch = connection.execute(
            "insert into ops.batches (feed, source_id, business_day, status) values (%s, %s, %s, 'running')"
            " returning batch_id",
            [feed, SOURCE, day],
        ).fetchone()
        assert batch is not None
        kept = "* exclude (business_day)" if feed.endswith("_versions") else "*"
        query = f"select {kept} from ({self.rows(feed, day, after)})"
        names = [column[0] for column in self.database.execute(f"describe {query}").fetchall()]
        columns = ", ".join((*names, "load_batch_id", "loaded_at"))
        extra = f"{batch[0]} as load_batch_id, now() as loaded_at"
        file = self.file.with_suffix(".csv")
        self.database.execute(
            f"copy (select *, {extra} from ({query})) to '{file}' (format csv, header false)"
        )
        connection.execute(
            f"create temporary table fresh (like raw.{feed} including defaults) on commit drop"
        )
        into = f"raw.{feed}" if after == date.min else "fresh"
        with file.open("rb") as rows, connection.cursor() as cursor:
            with cursor.copy(f"copy {into} ({columns}) from stdin (format csv)") as copy:
                while chunk := rows.read(CHUNK_BYTES):
                    copy.write(chunk)
            count = cursor.rowcount
        file.unlink()
        if into == "fresh":
            same = " and ".join(f"stored.{name} = fresh.{name}" for name in ("source_id", *KEYS[feed]))
            connection.execute(f"delete from raw.{feed} as stored using fresh where {same}")
            connection.execute(f"insert into raw.{feed} select * from fresh")
        connection.execute("drop table fresh")
        connection.execute(
            "update ops.batches set status = 'committed', committed_at = clock_timestamp(),"
            " rows_in = %(rows)s, rows_inserted = %(rows)s, rows_updated = 0, rows_unchanged = 0,"
            " rows_superseded = 0, rows_quarantined = 0 where batch_id = %(batch)s",
            {"rows": count, "batch": batch[0]},
        )
        return int(count)
