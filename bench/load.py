"""Time loading against its limit and against a peer, in one run: medians, a table, exit code 1 on a miss.

    .venv/bin/python bench/load.py [--rows 2000000] [--runs 5] [--memory-rows 10000000] [--no-peer] [--json]

The limit is what one can write by hand for this very table: binary COPY into COPY (or the server's own COPY
from a CSV file), then one `insert ... on conflict`, without checks, counts, quarantine or a watermark.
Winback runs as its worker does: a process of its own, libraries imported before the clock starts, memory read
when it ends. Every run begins with an empty database. dlt is the peer; its configuration stands beside its
figures.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import yaml

sys.path.insert(0, str(Path(__file__).parent))
from peers import peer_python

from winback.warehouse.server import EmbeddedServer

BARS = {
    "postgres": (0.75, "of the limit"),
    "no change": (1.0, "of the first load's speed"),
    "csv": (0.5, "of the limit"),
}
MAX_MEMORY_MB = 500
DAY = "2027-12-31"
COLUMNS = {
    "order_id": "order_no",
    "ordered_at": "sold_at",
    "amount": "amount",
    "customer_id": "customer",
    "status": "state",
    "channel": "channel",
    "store_id": "store",
    "updated_at": "changed_at",
}
FILL = """
create table orders as
select
    'A' || lpad(((n * 7919) %% 100000007)::text, 9, '0') as order_no,
    timestamp '2024-01-01' + n * interval '3 seconds' as sold_at,
    round((n %% 10007) / 7.0, 2) as amount,
    'C' || (n * 104729 %% 50021) as customer,
    'settled'::text as state,
    'web'::text as channel,
    'S' || n %% 50 as store,
    timestamp '2024-01-01' + n * interval '3 seconds' as changed_at
from generate_series(1::bigint, %s) as n
"""
TYPED = """order_id text, ordered_at timestamptz, amount numeric, customer_id text, status text,
    channel text, store_id text, updated_at timestamptz"""
COPY_OUT = """copy (
    select
        order_no, sold_at at time zone 'UTC', amount, customer, state, channel, store,
        changed_at at time zone 'UTC'
    from orders
) to stdout (format binary)"""
VALUES = [name for name in COLUMNS if name != "order_id"]
UPSERT = f"""
insert into kept select 'erp', landed.*, 1 from landed
on conflict (source_id, order_id) do update
set {", ".join(f"{name} = excluded.{name}" for name in VALUES)}
where ({", ".join(f"kept.{name}" for name in VALUES)})
    is distinct from ({", ".join(f"excluded.{name}" for name in VALUES)})
"""


def limit(source: str, target: str, csv: Path | None) -> float:
    """Return the seconds that the hand-written way takes, from PostgreSQL or from a CSV file."""
    with psycopg.connect(source) as read, psycopg.connect(target, autocommit=True) as write:
        write.execute("set timezone = 'UTC'")
        write.execute(
            f"create table kept (source_id text, {TYPED}, batch_id bigint, primary key (source_id, order_id))"
        )
        started = time.perf_counter()
        write.execute(f"create unlogged table landed ({TYPED})")
        if csv:
            write.execute(f"copy landed from '{csv}' (format csv, header)")
        else:
            with (
                read.cursor().copy(COPY_OUT) as out,
                write.cursor().copy("copy landed from stdin (format binary)") as into,
            ):
                for chunk in out:
                    into.write(chunk)
        write.execute(UPSERT)
        return time.perf_counter() - started


WORKER = """
import json, resource, sys, time
from datetime import date
import great_expectations
from winback.config import load_settings
from winback.load import load_feed
from winback.check import evaluate
from winback.extract import shaped
from winback.warehouse.schema import ensure_schema
from winback import warehouse
ensure_schema(warehouse.connect())
settings = load_settings()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
seconds = []
for _ in range(int(sys.argv[1])):
    started = time.perf_counter()
    counts = load_feed(settings, "orders", date.fromisoformat(sys.argv[2])).counts
    seconds.append(time.perf_counter() - started)
print(json.dumps({
    "seconds": seconds,
    "inserted": counts.rows_inserted,
    "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "imports_mb": before / 1024,
}))
"""


def winback(source: str, target: str, csv: Path | None, folder: Path, loads: int) -> dict[str, Any]:
    """Load the orders in a worker of its own; return seconds per load, and peak memory in MB."""
    system: dict[str, Any] = {"time_zone": "UTC"}
    origin: dict[str, Any]
    if csv:
        system |= {"connector": "files", "folder": str(csv.parent)}
        origin = {"files": csv.name, "columns": dict(zip(COLUMNS, COLUMNS, strict=True))}
    else:
        system |= {"connector": "postgres", "connection": "bench"}
        origin = {"table": "orders", "columns": COLUMNS, "cursor": "updated_at", "lookback": "9999 days"}
    config = {
        "company": {"name_en": "Bench", "name_zh": "测试"},
        "business": {"time_zone": "UTC"},
        "systems": {"erp": system},
        "feeds": {"orders": {"sources": [{"source": "erp", **origin}]}},
    }
    (folder / "winback.yml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    environment = {
        **os.environ,
        "WINBACK_CONFIG": str(folder / "winback.yml"),
        "WINBACK_STATE": str(folder / "state"),
        "WINBACK_WAREHOUSE_URL": target,
        "WINBACK_CONN_BENCH": source,
        "GX_ANALYTICS_ENABLED": "false",
    }
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(loads), DAY],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


# How dlt reads, writes and stores: its fastest way, which only appends, and the one that updates by key.
PEERS = (("connectorx", "append", "parquet"), ("pyarrow", "merge", "csv"))
PEER = """
import sys, time
import dlt
from dlt.sources.sql_database import sql_table
source, target, backend, disposition, layout = sys.argv[1:]
pipeline = dlt.pipeline(
    "bench",
    destination=dlt.destinations.postgres(target),
    dataset_name="peer",
    pipelines_dir=sys.argv[0] + ".d",
)
started = time.perf_counter()
rows = sql_table(
    credentials=source, table="orders", backend=backend, reflection_level="full", chunk_size=100_000
)
how = "append"
if disposition == "merge":
    how = {"disposition": "merge", "strategy": "upsert"}
    rows.apply_hints(primary_key="order_no")
pipeline.run(rows, write_disposition=how, loader_file_format=layout)
print(time.perf_counter() - started)
"""


def peer(source: str, target: str, folder: Path, settings: tuple[str, str, str]) -> float:
    """Return the seconds that dlt takes, in an environment of its own."""
    script = folder / f"peer_{settings[1]}.py"
    script.write_text(PEER, encoding="utf-8")
    environment = {
        **os.environ,
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
        "DLT_DATA_DIR": str(folder / "dlt"),
    }
    driver = source.replace("postgresql://", "postgresql+psycopg2://")
    done = subprocess.run(
        [str(peer_python()), str(script), driver, target, *settings],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


class Bench:
    """One server, one source, and as many empty warehouses as there are runs."""

    def __init__(self, server: EmbeddedServer, folder: Path, rows: int) -> None:
        self.folder = folder
        self.base = server.url("postgres").rsplit("/", 1)[0]
        self.rows = rows
        self.source = self._database("source")
        self.csv = server.home / "orders.csv"
        with psycopg.connect(self.source, autocommit=True) as connection:
            connection.execute(FILL, [rows])
            connection.execute("alter table orders add primary key (order_no)")
            connection.execute("vacuum analyze orders")
            names = ", ".join(f"{column} as {name}" for name, column in COLUMNS.items())
            with (
                self.csv.open("wb") as file,
                connection.cursor().copy(
                    f"copy (select {names} from orders) to stdout (format csv, header)"
                ) as rows_out,
            ):
                for chunk in rows_out:
                    file.write(chunk)

    def _database(self, name: str) -> str:
        with psycopg.connect(f"{self.base}/postgres", autocommit=True) as connection:
            connection.execute(f"drop database if exists {name} with (force)")
            connection.execute(f"create database {name}")
        return f"{self.base}/{name}"

    def empty(self) -> str:
        """Return the URL of an empty warehouse; the last one is gone."""
        target = self._database("warehouse")
        with psycopg.connect(target, autocommit=True) as connection:
            connection.execute("checkpoint")
        return target

    def run(self) -> dict[str, float]:
        """Time everything once; seconds, and MB for memory."""
        found = {"postgres limit": limit(self.source, self.empty(), None)}
        done = winback(self.source, self.empty(), None, self.folder, loads=2)
        assert done["inserted"] == 0, "the second load wrote rows"
        found |= {"postgres": done["seconds"][0], "no change": done["seconds"][1]}
        found["memory postgres"] = done["memory_mb"]
        found["imports"] = done["imports_mb"]
        found["csv limit"] = limit(self.source, self.empty(), self.csv)
        done = winback(self.source, self.empty(), self.csv, self.folder, loads=1)
        return found | {"csv": done["seconds"][0], "memory csv": done["memory_mb"]}


def main() -> None:
    """Run, print, and exit with 1 when a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--memory-rows", type=int, default=10_000_000)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: E731
    folder = Path(tempfile.mkdtemp(prefix="winback_bench_"))
    server = EmbeddedServer(folder / "server")
    server.start()
    try:
        bench = Bench(server, folder, options.rows)
        runs = []
        for number in range(options.runs):
            runs.append(bench.run())
            say(f"run {number + 1}: " + ", ".join(f"{name} {value:.1f}" for name, value in runs[-1].items()))
        medians = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
        peers = {}
        if not options.no_peer:
            for settings in PEERS:
                peers[" ".join(settings)] = peer(bench.source, bench.empty(), folder, settings)
        large = {}
        if options.memory_rows:
            big = Bench(server, folder, options.memory_rows)
            large["memory postgres"] = winback(big.source, big.empty(), None, folder, 1)["memory_mb"]
            large["memory csv"] = winback(big.source, big.empty(), big.csv, folder, 1)["memory_mb"]
    finally:
        server.remove()
    ratios = {
        "postgres": medians["postgres limit"] / medians["postgres"],
        "no change": medians["postgres"] / medians["no change"],
        "csv": medians["csv limit"] / medians["csv"],
    }
    missed = [name for name, (bar, _) in BARS.items() if ratios[name] < bar]
    memory = {
        f"{options.rows:,} rows, {name[7:]}": medians[name] for name in ("memory postgres", "memory csv")
    }
    memory |= {f"{options.memory_rows:,} rows, {name[7:]}": value for name, value in large.items()}
    missed += [name for name, value in memory.items() if value >= MAX_MEMORY_MB]
    if options.json:
        print(
            json.dumps(
                {
                    "rows": options.rows,
                    "runs": runs,
                    "median_seconds": medians,
                    "ratios": ratios,
                    "dlt_seconds": peers,
                    "memory_mb": memory,
                    "missed": missed,
                }
            )
        )
    else:
        show(options.rows, medians, ratios, peers, memory)
        print(f"missed: {', '.join(missed)}" if missed else "every bar is met")
    sys.exit(bool(missed))


def show(
    rows: int,
    medians: dict[str, float],
    ratios: dict[str, float],
    peers: dict[str, float],
    memory: dict[str, float],
) -> None:
    """Print the table of `docs/benchmarks.md`."""
    print("| what | seconds | rows/s | ratio | bar |\n|---|---|---|---|---|")
    lines = [
        ("PostgreSQL, limit: COPY to COPY, one upsert", medians["postgres limit"], None),
        ("PostgreSQL, Winback", medians["postgres"], "postgres"),
        ("the same again, no change", medians["no change"], "no change"),
        ("CSV, limit: the server's COPY, the same upsert", medians["csv limit"], None),
        ("CSV, Winback", medians["csv"], "csv"),
        *((f"dlt, {settings.replace(' ', ', ')}", seconds, None) for settings, seconds in peers.items()),
    ]
    for name, seconds, ratio in lines:
        bar = f"{ratios[ratio]:.2f} | {BARS[ratio][0]} {BARS[ratio][1]}" if ratio else "| "
        print(f"| {name} | {seconds:.1f} | {rows / seconds:,.0f} | {bar} |")
    print(f"\nimports alone take {medians['imports']:.0f} MB")
    for name, value in memory.items():
        print(f"peak memory of the worker, {name}: {value:.0f} MB (bar {MAX_MEMORY_MB} MB)")


if __name__ == "__main__":
    main()
