"""A private MariaDB for tests: made in a folder of its own, on 127.0.0.1 at a free port."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import pymysql

START_SECONDS = 60
PASSWORD = "s3cret:pass/word"
QUOTED_PASSWORD = "s3cret%3Apass%2Fword"


def is_installed() -> bool:
    """Tell whether MariaDB's programs are there; Debian keeps the server in /usr/sbin."""
    return _program("mariadbd") is not None and _program("mariadb-install-db") is not None


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin")


@dataclass
class MariaDb:
    """One server with one database, `shop`, and a user `reader` who may do anything in it."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="mariadb-")))
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Make the data once, start the server and wait until it answers."""
        self.folder.chmod(0o755)
        if not (self.folder / "data").exists():
            self._install()
        self.port = self.port or _free_port()
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    str(_program("mariadbd")),
                    "--no-defaults",
                    *self._as_user(),
                    f"--datadir={self.folder / 'data'}",
                    f"--socket={self.folder / 'data' / 'socket'}",
                    f"--pid-file={self.folder / 'data' / 'pid'}",
                    f"--port={self.port}",
                    f"--init-file={self.folder / 'first.sql'}",
                    "--bind-address=127.0.0.1",
                    "--skip-name-resolve",
                    "--default-time-zone=+00:00",
                    "--innodb-buffer-pool-size=64M",
                    "--innodb-flush-log-at-trx-commit=0",
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        self._wait()

    def stop(self) -> None:
        """Stop the server; its data stay."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def remove(self) -> None:
        """Stop the server and delete its data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, password: str = QUOTED_PASSWORD) -> str:
        """Return the URL of the reader."""
        return f"mysql://reader:{password}@127.0.0.1:{self.port}/shop"

    def execute(self, *statements: str) -> None:
        """Run statements in the database as the reader."""
        with self._connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def _connect(self) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user="reader",
            password=PASSWORD,
            database="shop",
            charset="utf8mb4",
            autocommit=True,
        )

    def _install(self) -> None:
        first = self.folder / "first.sql"
        first.write_text(
            "create database if not exists shop;\n"
            f"create user if not exists reader@'127.0.0.1' identified by '{PASSWORD}';\n"
            "grant all on shop.* to reader@'127.0.0.1';\n"
        )
        first.chmod(0o644)
        (self.folder / "data").mkdir()
        if self._as_user():
            shutil.chown(self.folder / "data", "nobody")
        subprocess.run(
            [
                str(_program("mariadb-install-db")),
                "--no-defaults",
                *self._as_user(),
                f"--datadir={self.folder / 'data'}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            check=True,
            capture_output=True,
        )

    @staticmethod
    def _as_user() -> list[str]:
        """MariaDB refuses to run as root."""
        return ["--user=nobody"] if os.geteuid() == 0 else []

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            try:
                self._connect().close()
                return
            except pymysql.OperationalError:
                time.sleep(0.1)
        raise RuntimeError(f"MariaDB did not start: {(self.folder / 'log').read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
