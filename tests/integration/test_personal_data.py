"""Personal data stay where they belong: a hundred canary persons pass through, and show up nowhere else.

They may be in the landed rows, in raw, quarantine and what dbt makes of them, in exports and in managers'
mails; nowhere else. What is searched is gathered below one folder, a place for each kind of thing.
"""

import csv
import gzip
import io
import json
import logging
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import date, timedelta
from email import message_from_bytes
from email.policy import default
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import openpyxl
import psycopg
import pytest
import yaml
from click.testing import CliRunner
from psycopg import sql

from tests.canaries import (
    CANARIES,
    Row,
    found_below,
    found_in,
    rows_of,
    rows_that_stop,
    rules_to_break,
)
from tests.conftest import DatabaseMaker
from tests.integration.test_expectations import DAY, ZONE
from winback.airflow.client import Client, Run
from winback.airflow.stack import OWN_DATABASE, Stack
from winback.build import build_warehouse
from winback.cli import main
from winback.config import FeedSource, Settings, load_settings
from winback.demo.inbox import Inbox
from winback.errors import WinbackError
from winback.feeds import FEEDS, Feed
from winback.incidents import described, open_incident
from winback.load import load_feed
from winback.report.incident import mail_open_incidents, report_failure
from winback.warehouse.server import EmbeddedServer

NEXT_DAY, MONDAY = date(2024, 3, 6), date(2024, 3, 4)
WORKBOOKS = ("customers", "surveys")
# Where rows may be. Every other table of the warehouse is searched.
ADDRESSED = ("deliveries", "report_figures")  # say to whom a mail went
HOLD_ROWS = ("landing", "raw", "quarantine", "staging", "intermediate", "marts", "marts_standby")


@dataclass
class Company:
    """A company whose systems know only canaries, and what was gathered while Winback worked for it."""

    folder: Path
    warehouse_url: str
    erp_url: str
    errors: list[BaseException] = field(default_factory=list, repr=False)

    @property
    def files(self) -> Path:
        """Return the folder that the till drops files into."""
        return self.folder / "till"

    @property
    def state(self) -> Path:
        """Return Winback's own folder."""
        return self.folder / "state"

    @property
    def gathered(self) -> Path:
        """Return the folder of what is searched besides the state folder."""
        return self.folder / "gathered"

    @property
    def mails(self) -> Path:
        """Return the folder that keeps what is mailed."""
        return self.gathered / "mails"

    @property
    def settings(self) -> Settings:
        """Return the configuration as it is written."""
        return load_settings(self.folder / "winback.yml")

    def configure(self) -> None:
        """Write a configuration of every feed, out of files and out of a database."""
        person = {"address": "data@example.com", "name": "Data", "scope": "everything"}
        config = {
            "company": {"name_en": "Test", "name_zh": "测试"},
            "business": {"time_zone": ZONE},
            "systems": {
                "till": {"connector": "files", "folder": str(self.files), "time_zone": ZONE},
                "erp": {"connector": "postgres", "connection": "canary_erp", "time_zone": ZONE},
            },
            "feeds": {name: self._feed(feed) for name, feed in FEEDS.items()},
            "checks": {"batch": {"quarantined_share": {"severity": "warn"}}},
            "reports": {
                "weekly_retention": {
                    "recipients": [person | {"language": "en"}],
                    "account_managers": "zh",
                    "schedule": "by_hand",
                },
                "data_incident": {
                    "recipients": [
                        person | {"language": "zh"},
                        person | {"language": "en", "address": "data-en@example.com"},
                    ]
                },
            },
            "schedules": {"load": "by_hand"},
        }
        text = yaml.safe_dump(config, allow_unicode=True)
        (self.folder / "winback.yml").write_text(text, encoding="utf-8")

    def _feed(self, feed: Feed) -> dict[str, Any]:
        columns = {name: name for name in feed.column_names}
        pattern = f"{feed.name}_%Y-%m-%d.{'xlsx' if feed.name in WORKBOOKS else 'csv'}"
        encoding = {} if feed.name in WORKBOOKS else {"encoding": _encoding(feed)}
        return {
            "sources": [
                {"source": "erp", "table": feed.name, "columns": columns},
                {"source": "till", "files": pattern, "columns": columns, **encoding},
            ],
            "wait": feed.name in ("orders", "complaints"),
            **(
                {"checks": {"batch": {"quarantined_share": {"severity": "stop"}}}}
                if feed.name == "surveys"
                else {}
            ),
        }

    def seed(self) -> None:
        """Fill the files of the day, and the database."""
        self.files.mkdir()
        with psycopg.connect(self.erp_url) as connection:
            for feed in FEEDS.values():
                self.drop(feed, [*rows_of(feed, is_typed=False), *rows_that_stop(feed)], DAY)
                fields = sql.SQL(", ").join(
                    sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.type))
                    for column in feed.columns
                )
                table = sql.Identifier(feed.name)
                connection.execute(sql.SQL("create table {} ({})").format(table, fields))
                copy = sql.SQL("copy {} from stdin (format csv)").format(table)
                with connection.cursor().copy(copy) as rows:
                    rows.write(_csv(feed, [*rows_of(feed, is_typed=True), *rows_that_stop(feed)]).encode())

    def drop(self, feed: Feed, rows: list[Row], day: date) -> None:
        """Drop the file of a feed and a day."""
        if feed.name in WORKBOOKS:
            workbook = openpyxl.Workbook(write_only=True)
            sheet = workbook.create_sheet()
            sheet.append(feed.column_names)
            for row in rows:
                sheet.append([row[name] or None for name in feed.column_names])
            workbook.save(self.files / f"{feed.name}_{day}.xlsx")
            return
        text = ",".join(feed.column_names) + "\n" + _csv(feed, rows)
        (self.files / f"{feed.name}_{day}.csv").write_bytes(text.encode(_encoding(feed)))

    def run_in_erp(self, *statements: str) -> None:
        """Change the database."""
        with psycopg.connect(self.erp_url) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type]

    def command(self, *arguments: str, fails: bool = False) -> None:
        """Run a command and gather what it says."""
        result = CliRunner().invoke(main, arguments)
        said = self.gathered / "commands" / "said.txt"
        with said.open("a", encoding="utf-8") as file:
            file.write(f"$ winback {' '.join(arguments)}\n{result.output}\n")
        if result.exc_info and not isinstance(result.exception, SystemExit | None):
            self.note(result.exception)
        assert (result.exit_code != 0) == fails, result.output

    def fails(self, what: Callable[[], object]) -> None:
        """Do what must be refused, and gather the error as a log would show it."""
        with pytest.raises(WinbackError) as caught:
            what()
        self.note(caught.value)

    def note(self, error: BaseException) -> None:
        """Gather an error."""
        self.errors.append(error)
        file = self.gathered / "errors" / f"{len(self.errors)}.txt"
        file.write_text("".join(traceback.format_exception(error)), encoding="utf-8")


def _encoding(feed: Feed) -> str:
    """Return the encoding of a feed's files: every other feed comes as Chinese systems export it."""
    return "gb18030" if list(FEEDS).index(feed.name) % 2 else "utf-8"


def _csv(feed: Feed, rows: list[Row]) -> str:
    text = io.StringIO()
    csv.DictWriter(text, feed.column_names, lineterminator="\n").writerows(rows)
    return text.getvalue()


@pytest.fixture(scope="module")
def make_database(server: EmbeddedServer) -> Iterator[DatabaseMaker]:
    """Return what makes empty databases, which last as long as this module."""
    maker = DatabaseMaker(server.url("postgres"))
    yield maker
    maker.drop_all()


@pytest.fixture(scope="module")
def company(
    server: EmbeddedServer, make_database: DatabaseMaker, tmp_path_factory: pytest.TempPathFactory
) -> Company:
    """Let Winback work for a company of canaries, well and badly, and gather what it leaves behind."""
    with at_work(make_database, tmp_path_factory.mktemp("canaries")) as company:
        load_well_and_badly(company)
        work_on_quarantine(company)
        refuse_files(company)
        refuse_tables(company)
        tell_of_incidents(company)
    dump(company.warehouse_url, company.gathered / "tables", HOLD_ROWS)
    shutil.copy(server.log, company.gathered / "logs")
    return company


@contextmanager
def at_work(make_database: DatabaseMaker, folder: Path) -> Iterator[Company]:
    """Found the company, and make its systems and its warehouse those that Winback uses meanwhile."""
    company = Company(folder, make_database(), make_database())
    for place in ("commands", "errors", "logs", "tables", "mails", "metadata"):
        (company.gathered / place).mkdir(parents=True)
    (company.state / "tmp").mkdir(parents=True)
    with (
        pytest.MonkeyPatch.context() as patch,
        Inbox(company.mails) as inbox,
        _everything_said(company.gathered / "logs"),
    ):
        patch.setenv("WINBACK_WAREHOUSE_URL", company.warehouse_url)
        patch.setenv("WINBACK_CONN_CANARY_ERP", company.erp_url)
        patch.setenv("WINBACK_CONN_SMTP", inbox.url)
        patch.setenv("WINBACK_STATE", str(company.state))
        patch.setenv("WINBACK_CONFIG", str(folder / "winback.yml"))
        patch.setattr(tempfile, "tempdir", str(company.state / "tmp"))
        company.configure()
        company.seed()
        yield company


@contextmanager
def _everything_said(folder: Path) -> Iterator[None]:
    """Write every record of every logger into a folder, warnings too, and what is printed."""
    root, handler = logging.getLogger(), logging.FileHandler(folder / "log.txt", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logging.captureWarnings(True)
    try:
        with (
            (folder / "said.txt").open("w", encoding="utf-8") as said,
            redirect_stdout(said),
            redirect_stderr(said),
        ):
            yield
    finally:
        logging.captureWarnings(False)
        root.setLevel(before)
        root.removeHandler(handler)
        handler.close()


def load_well_and_badly(company: Company) -> None:
    """Load all feeds, of which two are stopped until somebody accepts that, and build, which fails for it."""
    day = ("--day", str(DAY))
    company.fails(lambda: load_feed(company.settings, "orders", DAY))
    company.command("load", *day, fails=True)
    company.command("load", "orders", *day, "--accept", "currency_is_the_business_currency")
    company.command("load", *day, fails=True)
    company.command("load", *day, "--accept", "quarantined_share")
    company.fails(lambda: build_warehouse(company.settings, DAY))
    company.command("feeds")
    company.command("quality", *day)
    company.command("doctor", fails=True)
    company.command(
        *("init", str(company.files / f"orders_{DAY}.csv"), company.erp_url),
        *("--config", str(company.folder / "proposed.yml")),
    )


def work_on_quarantine(company: Company) -> None:
    """Export rows that wait, mend them in part, replay them, well and badly, and let some go."""
    export = company.folder / "complaints.xlsx"
    company.command("quarantine", "list")
    company.command("quarantine", "export", "complaints", str(export), "--source", "till")
    company.command("quarantine", "export", "orders", str(company.folder / "orders.csv"), "--source", "erp")
    workbook = openpyxl.load_workbook(export)
    header, *rows = workbook["quarantine"].iter_rows()
    columns = {cell.value: place for place, cell in enumerate(header)}
    for row in rows[::2]:
        row[columns["status"]].value = "closed"
    workbook.save(company.folder / "mended.xlsx")
    rows[0][0].value = CANARIES[0].key
    workbook.save(company.folder / "no_numbers.xlsx")
    replay = ("quarantine", "replay", "complaints", "--source", "till")
    company.command(*replay, "--file", str(company.folder / "no_numbers.xlsx"), fails=True)
    company.command(*replay, "--file", str(company.folder / "mended.xlsx"))
    company.command(*replay)
    company.command("quarantine", "replay", "orders", "--source", "erp")
    company.command("quarantine", "replay", "orders", "--source", "erp", "1000000", fails=True)
    with psycopg.connect(company.warehouse_url) as connection:
        found = connection.execute("select quarantine_id from quarantine.orders where state = 'open' limit 9")
        company.command("quarantine", "discard", "orders", *(str(n) for (n,) in found), "--because", "a test")
    company.command("quarantine", "list", "--state", "all")


def refuse_files(company: Company) -> None:
    """Load files that are refused whole, of each kind."""
    feed = FEEDS["complaints"]
    rows = list(rows_of(feed, is_typed=False))[:: len(CANARIES) + 1]
    header, body = ",".join(feed.column_names) + "\n", _csv(feed, rows)
    name = CANARIES[7].ways[0]
    for text in (
        f"{header}{body}{name},{CANARIES[7].ways[1]}\n",
        f"{header}{body}{body.splitlines()[0]},{name}\n",
        f'{header}{body}"{name},"{name}" \n{body}',
        f"{header}{body}<<<<<<< {name}\n{body}",
        f"{header}{body}{header}{body}",
        f"{header}{body}{name}\0\n",
        f"<html><p>{name}\n",
        body,
        f"{name},{name}\n{body}",
        f"{CANARIES[9].ways[1]} 导出\n{header}{body}",
        header.replace("status", "state") + body,
        gzip.compress((header + body).encode())[:-30],
        (header + body).encode("gb18030"),
        (header + body).encode() + body.encode("gb18030"),
    ):
        file = company.files / f"{feed.name}_{NEXT_DAY}.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        company.fails(lambda: load_feed(company.settings, feed.name, NEXT_DAY))
    file.write_text(header + body, encoding="utf-8")
    for query in (
        "select *, cast(status as integer) as number from rows",
        "select * replace (strptime(status, '%Y') as opened_at) from rows",
        "select * replace (error(status) as status) from rows",
        "select * replace (json_extract(status, '$.a') as status) from rows",
    ):
        company.fails(lambda query=query: load_feed(with_query(company, "till", query), feed.name, NEXT_DAY))
    file.unlink()
    workbook = openpyxl.Workbook()
    for row in rows_of(FEEDS["customers"], is_typed=False):
        workbook.active.append(list(row.values()))
    workbook.save(company.files / f"customers_{NEXT_DAY}.xlsx")
    company.fails(lambda: load_feed(company.settings, "customers", NEXT_DAY))
    # JSON that the warehouse cannot hold, and a batch that is stopped for what it holds.
    nothing = dict.fromkeys(FEEDS["customers"].column_names, "")
    odd = nothing | {"customer_id": "C1", "attributes": json.dumps({"name": f"{name}\0"})}
    company.drop(FEEDS["customers"], [odd], NEXT_DAY)
    company.fails(lambda: load_feed(company.settings, "customers", NEXT_DAY))


def refuse_tables(company: Company) -> None:
    """Load tables that cannot be read."""
    name = CANARIES[8].ways[1]
    company.run_in_erp(
        "create function refuse(text) returns text language plpgsql as $$ begin raise '%', $1; end $$",
        f"alter table events alter column started_on type text using '{name}'",
    )
    company.fails(lambda: load_feed(company.settings, "events", NEXT_DAY))
    for query in (
        "select (status || '')::integer as status, complaint_id, opened_at from complaints",
        "select refuse(status) as status, complaint_id, opened_at from complaints",
        f"select '{name}'::integer as status, complaint_id, opened_at from complaints",
    ):
        company.fails(
            lambda query=query: load_feed(with_query(company, "erp", query), "complaints", NEXT_DAY)
        )


def with_query(company: Company, source_id: str, query: str) -> Settings:
    """Return settings in which the complaints of one source are shaped by a query, and come from it alone."""
    complaints = company.settings.feeds["complaints"]
    (old,) = (source for source in complaints.sources if source.source == source_id)
    kept = {
        name: mapping
        for name, mapping in old.columns.items()
        if name in ("complaint_id", "opened_at", "status")
    }
    origin = {"query": query, "table": None, "columns": kept}
    source = FeedSource.model_validate(old.model_dump(exclude_defaults=True) | origin)
    changed = complaints.model_copy(update={"sources": (source,)})
    return company.settings.model_copy(update={"feeds": {**company.settings.feeds, "complaints": changed}})


def tell_of_incidents(company: Company) -> None:
    """Mail what went wrong: all errors that were raised, as the tasks that raised them would."""
    settings = company.settings
    report_failure(settings, "load_sales", "load_orders", DAY, KeyError(CANARIES[3].ways[0]))
    with psycopg.connect(company.warehouse_url, autocommit=True) as connection:
        for number, error in enumerate(company.errors):
            open_incident(connection, "load", f"orders from {number}", DAY, *described(error, "The load"))
    mail_open_incidents(settings)
    for file in company.mails.glob("*.eml"):
        mail = message_from_bytes(file.read_bytes(), policy=default)
        file.with_suffix(".headers").write_text("\n".join(map(str, mail.values())), encoding="utf-8")


DAGS = """
import runpy

from airflow.sdk import dag  # by this word Airflow knows a file of DAGs

from winback import paths
from winback.airflow import wiring

wiring.DEFAULTS["retries"] = 0
for file in sorted(paths.DAGS.glob("*.py")):
    runpy.run_path(str(file))
"""


@pytest.fixture(scope="module")
def airflow(make_database: DatabaseMaker, tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Let Airflow run every DAG for the company, until all has failed once and gone well at last."""
    folder = tmp_path_factory.mktemp("airflow")
    (folder / "dags").mkdir()
    (folder / "dags" / "canaries.py").write_text(DAGS, encoding="utf-8")
    with at_work(make_database, folder) as company, pytest.MonkeyPatch.context() as patch:
        metadata_url = make_database()
        patch.setenv(OWN_DATABASE, metadata_url.replace("postgresql://", "postgresql+psycopg://"))
        stack = Stack(company.state, folder / "dags", ("api-server", "scheduler", "dag-processor"))
        stack.start()
        try:
            run_all_dags(company, stack.client())
        finally:
            stack.stop()
    dump(metadata_url, company.gathered / "metadata")
    dump(company.warehouse_url, company.gathered / "tables", HOLD_ROWS)
    return company


def run_all_dags(company: Company, client: Client) -> None:
    """Run the DAGs of two days: the first is stopped, accepted and does not build, the second is mended."""

    def run(dag_id: str, day: date, state: str = "success") -> Run:
        ended = client.wait(client.trigger(dag_id, str(day)))
        assert ended.state == state, f"{dag_id} of {day}: {client.failures(ended)}"
        return ended

    client.wait_for_dags(["load_sales", "load_complaints", "build_warehouse", "weekly_retention", "backfill"])
    run("load_sales", DAY, "failed")
    accepts = ("--accept", "currency_is_the_business_currency", "--accept", "quarantined_share")
    company.command("load", "orders", "surveys", "--day", str(DAY), *accepts)
    run("load_complaints", DAY)
    build = client.wait(client.wait_for_consumer("build_warehouse", run("load_sales", DAY)))
    assert build.state == "failed"
    company.run_in_erp("update orders set currency = 'CNY'", "update account_managers set email = null")
    mended = [row | {"currency": "CNY"} for row in rows_that_stop(FEEDS["orders"])]
    company.drop(FEEDS["orders"], mended, NEXT_DAY)
    managers = rows_of(FEEDS["account_managers"], is_typed=False)  # the first of them fill all columns
    company.drop(FEEDS["account_managers"], list(islice(managers, len(CANARIES))), NEXT_DAY)
    company.drop(FEEDS["complaints"], [], NEXT_DAY)
    with (company.files / f"complaints_{NEXT_DAY}.csv").open("a") as file:
        file.write(f"{CANARIES[5].key},{CANARIES[5].ways[0]}\n")
    run("load_complaints", NEXT_DAY, "failed")
    company.drop(FEEDS["complaints"], [], NEXT_DAY)
    run("load_complaints", NEXT_DAY)
    build = client.wait(client.wait_for_consumer("build_warehouse", run("load_sales", NEXT_DAY)))
    assert build.state == "success", client.failures(build)
    run("weekly_retention", MONDAY)
    company.command("report", "preview", "weekly_retention", "--as-of", str(MONDAY - timedelta(days=1)))
    for folder in ("preview", "archive"):  # may name persons, as what is sent
        shutil.rmtree(company.state / folder)
    company.run_in_erp(f"alter table events alter column started_on type text using '{CANARIES[6].ways[1]}'")
    days = {"from": "2024-03-01", "to": "2024-03-05"}
    assert client.wait(client.trigger("backfill", **days)).state == "failed"


def dump(url: str, folder: Path, without: tuple[str, ...] = ()) -> None:
    """Write every table and view of a database as text, a file each, but those of some schemas."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select table_schema, table_name from information_schema.tables"
            " where table_schema not in ('pg_catalog', 'information_schema') and table_schema <> all(%s)",
            [list(without)],
        ).fetchall()
        for schema, table in found:
            name = sql.Identifier(schema, table)
            # Whom a mail went to, and what it told them, is what these tables are for.
            text_of = "(to_jsonb(found) - 'recipient')" if table in ADDRESSED else "to_jsonb(found)"
            rows = connection.execute(sql.SQL(f"select {text_of}::text from {{}} as found").format(name))
            text = "\n".join(row for (row,) in rows)
            (folder / f"{schema}.{table}.txt").write_text(text, encoding="utf-8")


def test_every_rule_was_broken_and_every_feed_has_loaded_rows_too(company: Company) -> None:
    with psycopg.connect(company.warehouse_url) as connection:
        broken = connection.execute(
            "select distinct feed, expectation, source_id from ops.check_results"
            " where level = 'row' and rows_failed > 0"
        ).fetchall()
        for feed in FEEDS:
            (loaded,) = connection.execute(f"select count(*) from raw.{feed}").fetchone() or (0,)
            assert loaded > 0
    for source, is_typed in (("till", False), ("erp", True)):
        assert {(feed, rule) for feed, rule, of in broken if of == source} >= rules_to_break(
            is_typed=is_typed
        )


def test_every_canary_is_in_every_text_column_of_what_was_delivered(company: Company) -> None:
    """What is not there cannot be found elsewhere."""
    with psycopg.connect(company.warehouse_url) as connection:
        for feed in FEEDS.values():
            for column in feed.columns:
                if column.type not in ("text", "jsonb"):
                    continue
                for source in ("till", "erp"):
                    rows = connection.execute(
                        sql.SQL(
                            "select {column}::text from {raw} where source_id = %(source)s"
                            " union all select typed_values ->> %(name)s from {quarantine}"
                            " where source_id = %(source)s"
                        ).format(
                            column=sql.Identifier(column.name),
                            raw=sql.Identifier("raw", feed.name),
                            quarantine=sql.Identifier("quarantine", feed.name),
                        ),
                        {"source": source, "name": column.name},
                    )
                    seen = {text for (text,) in rows}
                    missing = [canary for canary in CANARIES if canary.text_for(column) not in seen]
                    assert not missing, f"{feed.name}.{column.name} from {source}"


PLACES = {
    "what the command line says": "gathered/commands",
    "errors": "gathered/errors",
    "logs": "gathered/logs",
    "the loader's books": "gathered/tables",
    "mails about incidents": "gathered/mails",
    "pages about data quality": "state/quality",
    "what dbt makes": "state/dbt",
    "what dbt logs": "state/logs",
    "all that is kept": "state",
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_no_person_is_named_in(company: Company, place: str) -> None:
    assert size_of(company.folder / place) > 100
    assert not found_below(company.folder / place)


def size_of(place: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    return sum(file.stat().st_size for file in (place, *place.rglob("*")) if file.is_file())


KEPT_BY_AIRFLOW = {
    "the metadata": "gathered/metadata",
    "what the command line says": "gathered/commands",
    "what tasks hand on": "gathered/metadata/public.xcom.txt",
    "rendered fields": "gathered/metadata/public.rendered_task_instance_fields.txt",
    "what tasks log": "state/airflow/logs",
    "what its processes log": "state/logs",
    "the warehouse's books": "gathered/tables",
    "all that is kept": "state",
}


@pytest.mark.slow
@pytest.mark.parametrize("place", KEPT_BY_AIRFLOW.values(), ids=KEPT_BY_AIRFLOW)
def test_airflow_names_no_person_in(airflow: Company, place: str) -> None:
    assert size_of(airflow.folder / place) > 100
    assert not found_below(airflow.folder / place)


@pytest.mark.slow
def test_managers_are_told_of_persons(airflow: Company) -> None:
    """Reports went out, and are no proof of anything if they name nobody."""
    reports = [file for file in airflow.mails.glob("*.txt") if found_below(file)]
    assert len(reports) > 10


TOKENS = {
    "as it is": "报表 甲乙金丝雀17".encode(),
    "in capitals": b"ZQXKANARI17",
    "an address": b"mail to zqxkanari17@example.com",
    "a phone number": "电话139-0017-0017。".encode(),
    "a phone number in one": b"13900170017",
    "gb18030": "甲乙金丝雀17".encode("gb18030"),
    "utf-16": "甲乙金丝雀17".encode("utf-16"),
    "JSON": json.dumps("甲乙金丝雀17").encode(),
    "JSON inside JSON": json.dumps(json.dumps("甲乙金丝雀17")).encode(),
    "a URL": quote("甲乙金丝雀17").encode(),
    "HTML": "甲乙金丝雀17".encode("ascii", "xmlcharrefreplace"),
    "hexadecimal HTML": b"&#x91d1;&#x4E1D;&#x96c0;",
    "a literal of Python": repr("甲乙金丝雀17".encode()).encode(),
    "mojibake": "甲乙金丝雀17".encode().decode("latin-1").encode(),
}


@pytest.mark.parametrize("written", TOKENS.values(), ids=TOKENS)
def test_the_search_finds_a_person_however_written(written: bytes, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.txt").write_bytes(b"before " + written + b" after")
    (tmp_path / "b.txt").write_text("nobody", encoding="utf-8")
    assert list(found_below(tmp_path)) == [str(tmp_path / "below" / "a.txt")]


def test_the_search_finds_every_way_to_name_a_canary_and_names_of_files(tmp_path: Path) -> None:
    assert all(found_in(way.encode()) for canary in CANARIES for way in (canary.key, *canary.ways))
    (tmp_path / f"{CANARIES[1].key}.csv").touch()
    assert found_below(tmp_path)
