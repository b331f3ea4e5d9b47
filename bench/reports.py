"""Time a whole issue of the weekly report against the parts of it that nobody can leave out.

    .venv/bin/python bench/reports.py [--recipients 1000] [--customers 20] [--profile FILE] [--json]

A made-up company is built; each of its account managers gets a mail about their own customers (so many on
average), read, drawn, rendered, archived, noted in the ledger and handed to a local mail server in a
process of its own. The floor, measured in the same run: drawing the same charts, writing the same workbooks,
and handing over the same bytes, each alone. The clock of the issue stands still while the floor is measured,
of every other mail before it and of the others after it: other work on the machine slows both alike, and
neither finds the other's letters drawn already more often. Memory is flat when the peak of the second half
of the mails is not above that of the first by more than a few MB. Exit code 1 on a miss.

The company is built in a process of its own too, as in production: what dbt leaves behind is 300 MB that
would hide what the mails take, and that Python's garbage collector would go through again and again.
"""

import argparse
import cProfile
import json
import logging
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from email.message import EmailMessage
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg

sys.path.insert(0, str(Path(__file__).parent))
from generate import SOURCE, Company, History

from winback.build import build_warehouse
from winback.config import Settings
from winback.feeds import FEEDS
from winback.report import chart, issue
from winback.report.definition import Report
from winback.report.language import Formats, plain, read_words
from winback.report.mail_server import MailServer
from winback.report.query import ReportRows
from winback.report.scope import Recipient
from winback.report.workbook import write_workbook
from winback.warehouse.schema import ensure_schema
from winback.warehouse.server import EmbeddedServer

BARS = {"of the floor": 1.5, "MB more in the second half": 5.0}
REPORT = "weekly_retention"
LAST_DAY = date(2026, 3, 15)  # a Sunday
DAYS, ORDERS_PER_CUSTOMER = 730, 20
LINES = {line: line for line in ("retail", "telecom", "distribution", "auto_service", "restaurant")}
LOADED = ("orders", "complaints", "customers", "regions", "account_managers")
_PAGE = resource.getpagesize()


@dataclass
class Measured:
    """Seconds of an issue and of its floor; MB at the peak of either half of the mails."""

    mails: int = 0
    bytes_sent: int = 0
    issue: float = 0
    charts: float = 0
    workbooks: float = 0
    handing_over: float = 0
    first_half_mb: float = 0
    second_half_mb: float = 0

    @property
    def ratios(self) -> dict[str, float]:
        """Return what the bars are about."""
        floor = self.charts + self.workbooks + self.handing_over
        return dict(zip(BARS, (self.issue / floor, self.second_half_mb - self.first_half_mb), strict=True))


def settings(archive: Path) -> Settings:
    """Return the configuration of a company whose account managers receive the report."""
    feeds = {
        feed: {
            "sources": [
                {"source": SOURCE, "table": feed, "columns": {name: name for name in FEEDS[feed].required}}
            ]
        }
        for feed in LOADED
    }
    return Settings.model_validate(
        {
            "company": {"name_en": "Bench", "name_zh": "测试"},
            "business": {"time_zone": "Asia/Shanghai", "default_business_line": "retail", "lines": LINES},
            "systems": {SOURCE: {"connector": "postgres", "connection": "bench", "time_zone": "UTC"}},
            "feeds": feeds,
            "mail": {"connection": "bench_mail", "archive": str(archive)},
            "reports": {REPORT: {"account_managers": "zh"}},
        }
    )


def found(company: Settings, folder: Path, url: str, recipients: int, customers: int) -> None:
    """Load and build a company in which each recipient looks after customers of all lines."""
    with psycopg.connect(url, autocommit=True) as connection:
        ensure_schema(connection)
    number = recipients * customers
    history = History(number, number * ORDERS_PER_CUSTOMER, DAYS, LAST_DAY)
    Company(folder / "company.duckdb", history).load(url, LAST_DAY)
    with psycopg.connect(url, autocommit=True) as connection:
        for table, day in (("account_managers", "business_day"), ("account_managers_versions", "valid_from")):
            connection.execute(
                f"insert into raw.{table}"
                f" (source_id, account_manager_id, name, email, load_batch_id, loaded_at, {day})"
                " select %s, 'L' || n, '经理 ' || n, 'l' || n || '@example.com', 1, now(), %s"
                " from generate_series(0, %s) as n",
                [SOURCE, LAST_DAY - timedelta(days=DAYS), recipients - 1],
            )
        for table in ("customers", "customers_versions"):
            connection.execute(
                f"update raw.{table} set account_manager_id = 'L' || substr(customer_id, 2)::int %% %s",
                [recipients],
            )
    build_warehouse(company, LAST_DAY)


@contextmanager
def mail_server() -> Iterator[str]:
    """Start a mail server that forgets what it takes; yield its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    listen = ("-n", "-c", "aiosmtpd.handlers.Sink", "-l", f"127.0.0.1:{port}")
    with subprocess.Popen([sys.executable, "-m", "aiosmtpd", *listen]) as process:
        try:
            for _ in range(100):
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield f"smtp://127.0.0.1:{port}"
        finally:
            process.terminate()


def send(company: Settings, measured: Measured, profile: Path | None) -> None:
    """Send the issue, with an eye on the memory after each mail; the clock stands still for the floor."""
    resident: list[int] = []
    stopped = 0.0
    render, profiler = issue.render, cProfile.Profile()

    def alone(report: Report, rows: ReportRows, recipient: Recipient) -> None:
        nonlocal stopped
        profiler.disable()
        begun = time.perf_counter()
        draw_alone(company, report, rows, recipient, measured)
        stopped += time.perf_counter() - begun
        if profile:
            profiler.enable()

    def noted(report: Report, rows: ReportRows, recipient: Recipient, **named: Any) -> EmailMessage:
        is_second = len(resident) % 2 == 0
        if not is_second:
            alone(report, rows, recipient)
        message = render(report, rows, recipient, **named)
        if is_second:
            alone(report, rows, recipient)
        resident.append(int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE)
        return message

    begun = time.perf_counter()
    with patch("winback.report.issue.render", noted), profiler if profile else nullcontext():
        counts = issue.send_issue(company, REPORT, LAST_DAY)
    measured.issue = time.perf_counter() - begun - stopped
    if profile:
        profiler.dump_stats(str(profile))
    measured.mails = counts["sent"]
    half = len(resident) // 2
    measured.first_half_mb = max(resident[:half]) / 1e6
    measured.second_half_mb = max(resident[half:]) / 1e6


def draw_alone(
    company: Settings, report: Report, rows: ReportRows, recipient: Recipient, measured: Measured
) -> None:
    """Draw a mail's charts and write its workbook, and nothing else."""
    words = read_words(report.folder, recipient.language).gettext
    formats = Formats(recipient.language, company.business.currency)
    blocks = {name: [plain(row) for row in found] for name, found in rows.blocks.items()}
    begun, drawn = time.perf_counter(), 0
    for kind in report.file.charts.values():
        drawn += drawn < report.file.charts_shown and bool(chart.draw(kind, blocks, words, formats))
    measured.charts += time.perf_counter() - begun
    begun = time.perf_counter()
    write_workbook(report.file, blocks, words, formats)
    measured.workbooks += time.perf_counter() - begun


def hand_over(archive: Path, url: str, measured: Measured) -> None:
    """Hand the same bytes over once more, and nothing else."""
    mails = sorted(archive.glob(f"{REPORT}/*/*.eml"))
    assert len(mails) == measured.mails > 1, "the archive does not hold what was sent"
    texts = [mail.read_bytes() for mail in mails]
    measured.bytes_sent = sum(map(len, texts))
    with MailServer(url, 60) as server:
        begun = time.perf_counter()
        server.connect()
        for text in texts:
            server.hand_over("bench@example.com", "bench@example.com", text)
        measured.handing_over = time.perf_counter() - begun


def measure(folder: Path, server: EmbeddedServer, options: argparse.Namespace) -> Measured:
    """Build the company, send the issue, and measure its floor."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute("create database bench")
    url = os.environ["WINBACK_WAREHOUSE_URL"] = server.url("postgres").rsplit("/", 1)[0] + "/bench"
    archive, measured = folder / "archive", Measured()
    company = settings(archive)
    silent: dict[str, Any] = {"initializer": logging.disable, "initargs": (logging.WARNING,)}
    with ProcessPoolExecutor(1, get_context("spawn"), **silent) as other:
        other.submit(found, company, folder, url, options.recipients, options.customers).result()
    with mail_server() as post:
        os.environ["WINBACK_CONN_BENCH_MAIL"] = post
        send(company, measured, options.profile)
        hand_over(archive, post, measured)
    return measured


def show(measured: Measured) -> None:
    """Print the table of `docs/benchmarks.md`."""
    megabytes = measured.bytes_sent / 1e6
    print(f"| {measured.mails:,} mails, {megabytes:.0f} MB | seconds | a mail, ms |\n|---|---|---|")
    for what, seconds in (
        ("drawing the charts", measured.charts),
        ("writing the workbooks", measured.workbooks),
        ("handing the bytes over", measured.handing_over),
        ("the issue", measured.issue),
    ):
        print(f"| {what} | {seconds:.1f} | {1000 * seconds / measured.mails:.0f} |")
    print("\n| what | is | bar |\n|---|---|---|")
    for name, ratio in measured.ratios.items():
        print(f"| {name} | {ratio:.2f} | {BARS[name]:g} |")
    print(f"\npeak memory {measured.first_half_mb:.0f} MB, then {measured.second_half_mb:.0f} MB")


def main() -> None:
    """Measure and print; exit code 1 when a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipients", type=int, default=1000)
    parser.add_argument("--customers", type=int, default=20, help="of each recipient, on average")
    parser.add_argument("--profile", type=Path, help="write where the issue's time goes")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="winback_bench_") as made:
        folder = Path(made)
        (folder / "no_company_rules").mkdir()
        os.environ |= {"WINBACK_STATE": made, "WINBACK_COMPANY_RULES": str(folder / "no_company_rules")}
        server = EmbeddedServer(folder / "server")
        server.start()
        try:
            measured = measure(folder, server, options)
        finally:
            server.remove()
    missed = [name for name, ratio in measured.ratios.items() if ratio > BARS[name]]
    if options.json:
        print(json.dumps(asdict(measured) | {"ratios": measured.ratios, "missed": missed}))
    else:
        show(measured)
        print("missed: " + ", ".join(missed) if missed else "every bar is met")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
