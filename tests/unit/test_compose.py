"""docker-compose.yml says what it should: no engine is needed to read it."""

import base64
import json
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from winback import paths
from winback.airflow.environment import Login, environment

AIRFLOW = {"init", "api-server", "scheduler", "dag-processor", "triggerer"}
INNERMOST = re.compile(r"\$\{(\w+)(?::([-?])([^${}]*))?\}")  # ${NAME}, ${NAME:-default}, ${NAME:?error}
TEXT = (paths.ROOT / "docker-compose.yml").read_text()


@pytest.fixture
def env_file(tmp_path):
    """Return the .env that a newcomer makes, in a copy of the checkout."""
    (tmp_path / "docker").mkdir()
    for name in (".env.example", "docker/make-env.sh", "docker-compose.yml"):
        shutil.copy(paths.ROOT / name, tmp_path / name)
    subprocess.run(["sh", tmp_path / "docker" / "make-env.sh"], check=True, capture_output=True)
    return tmp_path / ".env"


def variables(file):
    lines = (line for line in file.read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def interpolated(values):
    """Fill in variables as compose does; KeyError for one that must be set and is not."""

    def value(found):
        name, operator, otherwise = found.groups()
        if operator == "-":
            return values.get(name) or otherwise
        return values[name]

    text = TEXT
    while (filled := INNERMOST.sub(value, text)) != text:
        text = filled
    return yaml.safe_load(text)


@pytest.fixture
def compose(env_file):
    return interpolated(variables(env_file))


@pytest.fixture
def services(compose):
    return compose["services"]


def test_has_every_part_and_nothing_else(services):
    assert set(services) == {"postgres", "mailpit"} | AIRFLOW
    assert services["postgres"]["image"].startswith("postgres:18")
    images = {name: service["image"] for name, service in services.items()}
    assert all(":" in image and not image.endswith(":latest") for image in images.values()), images


def test_every_part_that_stays_up_has_a_health_check_and_comes_back(services):
    for name in set(services) - {"init"}:
        assert services[name]["healthcheck"]["test"][0] == "CMD", name
        assert services[name]["restart"] == "unless-stopped", name


def test_parts_wait_for_what_they_need(services):
    for name in AIRFLOW - {"init"}:
        waits = {needed: how["condition"] for needed, how in services[name]["depends_on"].items()}
        assert waits["postgres"] == "service_healthy", name
        assert waits["init"] == "service_completed_successfully", name
    assert services["scheduler"]["depends_on"]["api-server"]["condition"] == "service_healthy"
    assert set(services["init"]["depends_on"]) == {"postgres"}


def test_ports_are_open_to_this_machine_only(services):
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports), ports


def test_data_lie_in_named_volumes_and_own_files_are_read_only(compose):
    mounts = [mount for service in compose["services"].values() for mount in service.get("volumes", [])]
    assert len(mounts) >= len(compose["volumes"])
    for mount in mounts:
        source, *_, last = mount.split(":")
        assert source in compose["volumes"] or (source.startswith("./") and last == "ro"), mount
    assert "postgres:/var/lib/postgresql" in compose["services"]["postgres"]["volumes"]


def test_secrets_come_from_the_environment_and_must_be_there(env_file, compose):
    secret = re.compile(r"PASSWORD|SECRET|_KEY")
    named = set(re.findall(r"\$\{(\w+)", TEXT))
    secrets = {name for name in named if secret.search(name)}
    assert len(secrets) == 9
    for name in secrets:
        assert f"${{{name}:?" in TEXT, name
        assert re.search(rf"^{name}=$", (paths.ROOT / ".env.example").read_text(), re.MULTILINE), name
    for service in yaml.safe_load(TEXT)["services"].values():
        for key, value in service.get("environment", {}).items():
            if secret.search(key) and not key.endswith("_FILE"):
                assert str(value).startswith("${"), key
            assert not re.search(r"://\w+:(?!\$\{)[^@/]*@", str(value)), key
    for name in named:
        assert name in (paths.ROOT / ".env.example").read_text(), name
    with pytest.raises(KeyError):
        interpolated({})


def test_generated_secrets_are_long_private_and_different_each_time(env_file):
    values = variables(env_file)
    secrets = [value for name, value in values.items() if not name.endswith("_PORT")]
    assert len(set(secrets)) == len(secrets) == 9
    assert all(re.fullmatch(r"[\w-]{16,}=?", value) for value in secrets)  # fit for a URL as they are
    assert len(base64.urlsafe_b64decode(values["AIRFLOW_FERNET_KEY"])) == 32
    assert len(values["AIRFLOW_JWT_SECRET"]) >= 64
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    again = subprocess.run(
        ["sh", env_file.parent / "docker" / "make-env.sh"], capture_output=True, check=False
    )
    assert again.returncode == 1
    assert variables(env_file) == values


def test_only_the_scheduler_and_its_tasks_have_connections(services):
    holders = {
        name for name, service in services.items() if "WINBACK_WAREHOUSE_URL" in service["environment"]
    }
    assert holders == {"scheduler"}
    scheduler = services["scheduler"]["environment"]
    assert scheduler["WINBACK_CONN_SMTP"] == "smtp://mailpit:1025"
    assert scheduler["WINBACK_WAREHOUSE_URL"].startswith("postgresql://winback:")
    assert scheduler["WINBACK_WAREHOUSE_URL"].endswith("@postgres/warehouse")
    assert scheduler["WINBACK_CONN_DEMO_ERP"].endswith("@postgres/erp")


def test_airflow_is_set_as_on_a_laptop_but_for_its_place(services):
    laptop = environment(
        Login(), home=Path("/x"), dags=Path("/x"), metadata_url="postgresql://x", cores=4, inherited={}
    )
    container = services["scheduler"]["environment"]
    secret_or_place = re.compile(r"SECRET|KEY|CONN|HOST|PORT|URL|FOLDER|FILE|DIRECTORY|HOME|PATH|PROXY", re.I)
    common = [name for name in laptop.keys() & container.keys() if not secret_or_place.search(name)]
    assert len(common) >= 10
    assert {name: container[name] for name in common} == {name: laptop[name] for name in common}


def test_the_image_holds_what_it_needs_and_no_secrets():
    dockerfile = (paths.ROOT / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    named = {name for line in copied for name in line.split()}
    assert {"src", "dags", "dbt_project", "expectations", "reports", "requirements", "winback.yml"} <= named
    assert all((paths.ROOT / name).exists() for name in named), named
    ignored = (paths.ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*"
    assert {f"!{name}" for name in named} <= set(ignored)
    assert "--require-hashes" in dockerfile
    assert re.search(r"^USER (?!root)\w+$", dockerfile, re.MULTILINE)
    from_images = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert set(from_images) == {"python:3.12-slim-bookworm"}


def test_scripts_of_the_containers_are_there(services):
    scripts = {word for service in services.values() for word in service.get("command", []) if "/" in word}
    scripts |= {
        service["healthcheck"]["test"][2] for service in services.values() if "healthcheck" in service
    }
    found = {script for script in scripts if script.startswith("docker/")}
    assert found == {"docker/init-airflow.sh", "docker/health.py"}
    assert all((paths.ROOT / script).exists() for script in found)


def test_compose_itself_accepts_the_file(env_file):
    if (
        not shutil.which("docker")
        or subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip("docker compose is not installed")
    command = ["docker", "compose", "--project-directory", str(env_file.parent), "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["services"]) == {"postgres", "mailpit"} | AIRFLOW
