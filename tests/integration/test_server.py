"""The embedded PostgreSQL: it starts, comes back after every kind of death, and lets nobody else in."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from winback.errors import WinbackError
from winback.warehouse import server as module
from winback.warehouse.server import DATABASES, EmbeddedServer

START = """import sys, pathlib, winback.warehouse.server as server
print(server.EmbeddedServer(pathlib.Path(sys.argv[1])).start())"""


@pytest.fixture(scope="module")
def make():
    """Make servers below folders that everybody may traverse, as most checkouts are; stop and delete them."""
    made = []

    def make_one(mode=0o755):
        made.append(EmbeddedServer(Path(tempfile.mkdtemp(prefix="winback-test-")) / "state"))
        made[-1].state_dir.parent.chmod(mode)
        return made[-1]

    yield make_one
    for server in made:
        server.remove()
        shutil.rmtree(server.state_dir.parent)


@pytest.fixture
def new(make):
    return make()


@pytest.fixture(scope="module")
def shared(make):
    return make()


@pytest.fixture
def server(shared):
    """Return a running server; tests may stop and kill it, for the next one starts it again."""
    shared.start()
    return shared


def query(server, statement, database="warehouse"):
    with psycopg.connect(server.url(database)) as connection:
        return connection.execute(statement).fetchone()[0]


def keep_a_row(server):
    with psycopg.connect(server.url()) as connection:
        connection.execute("create table if not exists kept as select 42 as answer")


def wait_until_dead(process):
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)


def test_a_fresh_server_is_18_with_checksums_utf8_and_code_point_order(server):
    assert query(server, "show server_version").startswith("18.")
    assert query(server, "show server_encoding") == "UTF8"
    assert query(server, "show data_checksums") == "on"
    assert query(server, "select concat(datlocprovider, datlocale) from pg_database limit 1") == "bC.UTF-8"
    assert query(server, "select upper('ä客') || (current_setting('timezone'))") == "Ä客UTC"


def test_starting_twice_is_starting_once(server):
    before = server.status()
    assert server.start() is False
    assert server.status() == before
    assert before.is_running


def test_stop_and_start_keep_data_port_and_passwords(server):
    keep_a_row(server)
    address = server.url()
    assert server.stop() is True
    assert server.stop() is False
    assert not server.status().is_running
    with pytest.raises(WinbackError, match="winback warehouse start"):
        server.url()
    assert server.start() is True
    assert server.url() == address
    assert query(server, "select answer from kept") == 42


def test_survives_kill_9(server):
    keep_a_row(server)
    postmaster = psutil.Process(server.status().pid)
    postmaster.kill()
    assert server.start() is True  # at once, while the killed server's children may still be there
    assert query(server, "select answer from kept") == 42


def test_survives_a_machine_restart_after_which_another_program_has_its_process_number(server):
    keep_a_row(server)
    postmaster = psutil.Process(server.status().pid)
    pid_file = server.home / "data" / "postmaster.pid"
    old = pid_file.read_text()
    postmaster.kill()
    wait_until_dead(postmaster)
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        pid_file.write_text(old.replace(str(postmaster.pid), str(sleeper.pid), 1))
        assert not server.status().is_running
        assert server.start() is True
        assert query(server, "select answer from kept") == 42
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_two_processes_starting_at_once_end_with_one_server(new):
    server = new
    command = [sys.executable, "-c", START, str(server.state_dir)]
    twins = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted(twin.communicate(timeout=60)[0].strip() for twin in twins)
    assert said == ["False", "True"]
    assert query(server, "select count(*) from pg_database where not datistemplate", "postgres") == 4


def test_outlives_its_starter_holds_no_pipe_and_is_out_of_reach_of_ctrl_c(new):
    server = new
    command = [sys.executable, "-c", START, str(server.state_dir)]
    starter = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    starter.communicate(timeout=60)  # returns only once nobody holds the pipes any more
    with pytest.raises(ProcessLookupError):
        os.killpg(starter.pid, signal.SIGINT)
    assert query(server, "select 1") == 1


def test_each_role_enters_its_own_database_only(server):
    databases = [*DATABASES, "postgres"]
    for owner, role in DATABASES.items():
        assert query(server, "select current_user", owner) == role
        for other in set(databases) - {owner}:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(server.url(owner), dbname=other)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url(), password="wrong")


def test_passwords_are_for_its_user_only_and_the_log_holds_no_values(server):
    assert stat.S_IMODE((server.home / "server.json").stat().st_mode) == 0o600
    with pytest.raises(psycopg.DataError, match="张三"):
        query(server, "select '张三'::int")
    log = server.log.read_text()
    assert "ready to accept connections" in log
    assert "张三" not in log


def test_moves_to_another_port_if_somebody_took_its_own(server):
    taken = server.status().port
    server.stop()
    with socket.create_server(("127.0.0.1", taken)):
        assert server.start() is True
        assert server.status().port != taken
        assert query(server, "select 1") == 1


def test_follows_the_state_folder_when_it_is_moved(server):
    keep_a_row(server)
    server.stop()
    moved = EmbeddedServer(server.state_dir.with_name("moved state"))
    server.state_dir.rename(moved.state_dir)
    try:
        moved.start()
        assert query(moved, "select answer from kept") == 42
    finally:
        moved.stop()
        moved.state_dir.rename(server.state_dir)


def test_refuses_data_of_another_major_version(server):
    server.stop()
    (server.home / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(WinbackError, match=r"made by PostgreSQL 17; installed is 18(.|\n)*pg_dump"):
        server.start()
    (server.home / "data" / "PG_VERSION").write_text("18\n")


def test_refuses_data_without_passwords(server):
    server.stop()
    passwords = server.home / "server.json"
    passwords.rename(passwords.with_suffix(".lost"))
    with pytest.raises(WinbackError, match=r"server.json(.|\n)*backup"):
        server.start()
    passwords.with_suffix(".lost").rename(passwords)


def test_quotes_the_log_when_it_cannot_start(server):
    server.stop()
    control = server.home / "data" / "global" / "pg_control"
    control.rename(control.with_suffix(".lost"))
    with pytest.raises(WinbackError, match="could not find the database system"):
        server.start()
    control.with_suffix(".lost").rename(control)


def test_a_start_that_broke_off_begins_again(new, monkeypatch):
    server = new
    monkeypatch.setattr(EmbeddedServer, "_launch", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        server.start()
    monkeypatch.undo()
    shutil.move(server.home / "data", server.home / "data-unfinished")  # as if initdb had been killed
    assert server.start() is True
    assert query(server, "select 1") == 1


def test_a_full_disk_is_named(new, monkeypatch):
    server = new
    full = subprocess.CompletedProcess(
        [], 1, stderr="initdb: error: could not write: No space left on device"
    )
    monkeypatch.setattr(EmbeddedServer, "_run", lambda *_, **__: full)
    with pytest.raises(WinbackError, match=r"No space left(.|\n)*Free some space"):
        server.start()


def test_missing_package_is_named(new, monkeypatch):
    monkeypatch.setattr(module.util, "find_spec", lambda _: None)
    with pytest.raises(WinbackError, match="WINBACK_WAREHOUSE_URL"):
        new.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a folder elsewhere")
def test_root_keeps_a_closed_folder_closed_and_the_data_elsewhere(make, monkeypatch):
    homes = Path(tempfile.mkdtemp(prefix="winback-homes-"))
    homes.chmod(0o755)
    monkeypatch.setattr(module, "ROOT_HOMES", homes)
    try:
        server = make(mode=0o700)
        server.start()
        keep_a_row(server)
        assert stat.S_IMODE(server.state_dir.parent.stat().st_mode) == 0o700
        assert server.home.parent == homes
        assert psutil.Process(server.status().pid).username() == "nobody"
        shutil.rmtree(
            server.state_dir
        )  # without stopping: the next start begins anew, the old data stay aside
        assert server.start() is True
        with pytest.raises(psycopg.errors.UndefinedTable):
            query(server, "select answer from kept")
        assert (homes / f"{server.home.name}.old" / "data").exists()
        server.remove()
        assert not server.home.exists()
    finally:
        shutil.rmtree(homes)
