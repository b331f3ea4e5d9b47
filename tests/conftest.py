"""Shared fixtures: one PostgreSQL for the whole run, one empty database per test."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.company import Company, found_company
from tests.quick_checks import evaluate_by_query
from winback.demo.inbox import Inbox
from winback.warehouse.schema import ensure_schema
from winback.warehouse.server import EmbeddedServer

os.environ["DO_NOT_TRACK"] = "1"
os.environ["GX_ANALYTICS_ENABLED"] = "false"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """Start an embedded server of this run's own."""
    # Root's server runs as another user, who cannot reach pytest's own private folders.
    state = tmp_path_factory.mktemp("server")
    embedded = EmbeddedServer(state)
    embedded.start()
    with psycopg.connect(embedded.url("postgres"), autocommit=True) as connection:
        # A thousand databases come and go, and none has to outlive a power cut.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"alter system set {setting} = off")
        connection.execute("select pg_reload_conf()")
    yield embedded
    embedded.remove()


@pytest.fixture
def new_database(server: EmbeddedServer) -> Iterator["DatabaseMaker"]:
    """Return a function that creates an empty database and returns its URL; all go at the end."""
    maker = DatabaseMaker(server.url("postgres"))
    yield maker
    maker.drop_all()


class DatabaseMaker:
    """Create throw-away databases on one server."""

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url
        self.names: list[str] = []

    def __call__(self, template: str = "template1") -> str:
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(f'create database "{name}" template "{template}"')
        self.names.append(name)
        return self.admin_url.rsplit("/", 1)[0] + f"/{name}"

    def drop_all(self) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            for name in self.names:
                connection.execute(f'drop database if exists "{name}" with (force)')


@pytest.fixture(scope="session")
def warehouse_template(server: EmbeddedServer) -> str:
    """Return the name of a database with the loader's tables, to be copied."""
    maker = DatabaseMaker(server.url("postgres"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WINBACK_WAREHOUSE_URL", url := maker())
        with psycopg.connect(url, autocommit=True) as connection:
            ensure_schema(connection)
    return maker.names[0]


@pytest.fixture
def warehouse(
    request: pytest.FixtureRequest,
    new_database: DatabaseMaker,
    warehouse_template: str,
    monkeypatch: pytest.MonkeyPatch,
    state: Path,
) -> str:
    """Return the URL of an empty warehouse, and make it the one that Winback uses.

    It has its tables already, as making them takes half a second; tests marked `without_tables` get none.
    """
    is_bare = request.node.get_closest_marker("without_tables") is not None
    url = new_database() if is_bare else new_database(warehouse_template)
    monkeypatch.setenv("WINBACK_WAREHOUSE_URL", url)
    monkeypatch.setenv("WINBACK_STATE", str(state))
    return url


@pytest.fixture
def state(tmp_path: Path, parsed_projects: Path) -> Path:
    """Return a folder for the state of one test."""
    folder = tmp_path / "state"
    (folder / "dbt").mkdir(parents=True)
    (folder / "dbt" / "parsed").symlink_to(parsed_projects, target_is_directory=True)
    return folder


@pytest.fixture(scope="session")
def parsed_projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which all workers keep what dbt has read: that takes a third of a small build."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "parsed"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Return the folder with real data (WINBACK_TEST_DATA); without it the test is skipped."""
    folder = os.environ.get("WINBACK_TEST_DATA")
    if not folder:
        pytest.skip("WINBACK_TEST_DATA names no folder with the real data sets")
    if not Path(folder).is_dir():
        pytest.fail(f"WINBACK_TEST_DATA={folder} is no folder")
    return Path(folder)


@pytest.fixture
def company(
    warehouse: str, new_database: DatabaseMaker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Company:
    """Return a small company whose ERP and complaint folder are empty."""
    erp_url = new_database()
    monkeypatch.setenv("WINBACK_CONN_TEST_ERP", erp_url)
    return found_company(erp_url, tmp_path)


@pytest.fixture
def quick_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let plain queries check each batch, in tests whose subject is not the checks; it is faster by far."""
    monkeypatch.setattr("winback.load.checking.evaluate", evaluate_by_query)


@pytest.fixture
def query(warehouse: str) -> Callable[[str], list[tuple[Any, ...]]]:
    """Return a function that runs a query on the warehouse and returns all rows."""

    def run(statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(warehouse) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[arg-type]

    return run


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder in which a mail server keeps what Winback sends."""
    folder = tmp_path / "inbox"
    with Inbox(folder) as server:
        monkeypatch.setenv("WINBACK_CONN_SMTP", server.url)
        yield folder
