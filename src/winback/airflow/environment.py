"""The environment variables under which Airflow runs for Winback: local, private, quiet, quick."""

import json
import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from winback import paths
from winback.machine import free_port, is_free, write_private

LOCAL_SETTINGS = Path(__file__).parent / "local_settings"  # on PYTHONPATH, where Airflow looks for its hook
NO_TELEMETRY = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "SCARF_ANALYTICS": "false",
}


def _secret() -> str:
    return secrets.token_urlsafe(64)


@dataclass(frozen=True)
class Login:
    """What is generated once per state folder: the API's port and the secrets of Airflow."""

    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    jwt_secret: str = field(default_factory=_secret)
    api_secret: str = field(default_factory=_secret)
    fernet_key: str = field(default_factory=lambda: urlsafe_b64encode(secrets.token_bytes(32)).decode())

    @property
    def url(self) -> str:
        """Return the address of Airflow's UI and API."""
        return f"http://127.0.0.1:{self.port}"


def login(state_dir: Path | None = None) -> Login:
    """Return the login of this state folder, generated at first; its files have mode 0600.

    A port that another program has taken is replaced by `renew_port`, not here: Airflow may run on it.
    """
    file = _file(state_dir)
    if not file.exists():
        _keep(file, Login())
    return Login(**json.loads(file.read_text()))


def renew_port(state_dir: Path | None = None) -> Login:
    """Return the login, with another port if its own is taken; call it only while Airflow is stopped."""
    known = login(state_dir)
    if not is_free(known.port):
        known = Login(**asdict(known) | {"port": free_port()})
        _keep(_file(state_dir), known)
    return known


def _file(state_dir: Path | None) -> Path:
    return (state_dir or paths.state_dir()) / "airflow" / "login.json"


def _keep(file: Path, known: Login) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file.with_name("passwords.json"), json.dumps({"admin": known.password}))
    write_private(file, json.dumps(asdict(known)))


def environment(
    known: Login,
    *,
    home: Path,
    dags: Path,
    metadata_url: str,
    cores: int,
    inherited: Mapping[str, str],
) -> dict[str, str]:
    """Return the whole environment of Airflow's processes; `AIRFLOW__*` variables of the user's own win.

    Python's bytecode is always cached: else each process compiles 2,000 modules, which takes 3.5 seconds.

    Args:
        known: port and secrets.
        home: AIRFLOW_HOME, for task logs and the password file.
        dags: the folder of DAG files.
        metadata_url: `postgresql://…`, the database that Airflow keeps its own records in.
        cores: of the machine; twice as many tasks may run at once, since most wait for the database.
        inherited: usually `os.environ`.
    """
    database = metadata_url.split("://", 1)[1]
    chosen = {
        "CORE": {
            "DAGS_FOLDER": str(dags),
            "EXECUTOR": "LocalExecutor",
            "PARALLELISM": str(max(4, 2 * cores)),
            "LOAD_EXAMPLES": "False",
            "DAGS_ARE_PAUSED_AT_CREATION": "False",
            "HOSTNAME_CALLABLE": "socket.gethostname",  # the default asks a name server, and may wait for it
            "FERNET_KEY": known.fernet_key,
            "EXECUTION_API_SERVER_URL": f"{known.url}/execution/",
            "SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
            "SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        },
        "DATABASE": {
            "SQL_ALCHEMY_CONN": f"postgresql+psycopg://{database}",
            "SQL_ALCHEMY_CONN_ASYNC": f"postgresql+psycopg_async://{database}",  # asyncpg is not installed
            "CHECK_MIGRATIONS": "False",  # done once, before the processes start
        },
        "API": {
            "HOST": "127.0.0.1",
            "PORT": str(known.port),
            "BASE_URL": known.url,
            "SECRET_KEY": known.api_secret,
            "INSTANCE_NAME": "Winback",
        },
        "API_AUTH": {"JWT_SECRET": known.jwt_secret},
        "LOGGING": {
            "BASE_LOG_FOLDER": str(home / "logs"),
            "DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(home / "logs" / "dag_processor"),
            "COLORED_CONSOLE_LOG": "False",
            "UVICORN_LOGGING_LEVEL": "WARNING",
            "NAMESPACE_LEVELS": "great_expectations=WARNING http.access=WARNING",
            "FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
            "FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
        },
        # A task's supervisor that misses its end holds the place till it looks again: after this time.
        "WORKERS": {"MIN_HEARTBEAT_INTERVAL": "1"},
        "SCHEDULER": {"SCHEDULER_IDLE_SLEEP_TIME": "0.3"},
        "DAG_PROCESSOR": {"REFRESH_INTERVAL": "30", "MIN_FILE_PROCESS_INTERVAL": "60"},
    }
    ours = {
        f"AIRFLOW__{section}__{key}": value for section, keys in chosen.items() for key, value in keys.items()
    }
    python_path = os.pathsep.join(filter(None, (str(LOCAL_SETTINGS), inherited.get("PYTHONPATH"))))
    proxy_exceptions = inherited.get("NO_PROXY", inherited.get("no_proxy"))
    no_proxy = ",".join(filter(None, ("127.0.0.1,localhost", proxy_exceptions)))
    fixed = {
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": python_path,
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        "OPENBLAS_NUM_THREADS": "1",  # tasks are forks, and forks and threads do not mix
    }
    theirs = {name: value for name, value in inherited.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return ours | theirs | NO_TELEMETRY | fixed
