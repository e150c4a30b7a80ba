"""No Docker daemon and no systemd are at hand in the tests, so their files are held to the code."""

import ast
import importlib
import importlib.util
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
import yaml
from celery.bin.celery import celery
from django.core.management import get_commands, load_command_class
from django.urls import resolve
from gunicorn.config import Config  # type: ignore[import-untyped]  # has no types
from urllib3.util.retry import RequestHistory, Retry

from crimeops.celery import ROUTES
from crimeops.environment import Environment
from crimeops.urls import healthz
from detection import pipeline
from detection.services.claims import LEASE_SECONDS
from integrations.laravel.client import LaravelOptions
from integrations.services import outbox
from simulators.laravel.cameras import load_cameras
from simulators.tapo import fleet

REPOSITORY = Path(__file__).resolve().parents[2]
UNITS = sorted((REPOSITORY / "deploy" / "systemd").iterdir())
SERVICE_UNITS = [unit for unit in UNITS if unit.suffix == ".service"]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()
# What the images of others and the simulators read; everything else is a setting of ours.
FOREIGN_VARIABLES = {
    "POSTGRES_USER",
    "POSTGRES_DB",
    "POSTGRES_PASSWORD_FILE",
    "CUDA_VISIBLE_DEVICES",
    "DEMO_CAMERA_PASSWORD",
}
LOOPBACK = "127.0.0.1:"


class _ComposeLoader(yaml.SafeLoader):
    """YAML with Compose's own tag."""


_ComposeLoader.add_constructor("!reset", lambda _loader, _node: "RESET")


def _load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((REPOSITORY / name).read_text(), _ComposeLoader)
    return loaded


COMPOSE = _load("docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: s for name, s in SERVICES.items() if "build" in s}


@dataclass(frozen=True)
class Command:
    """One command line and the file and name it was found under."""

    where: str
    words: tuple[str, ...]

    @property
    def program(self) -> str:
        return Path(self.words[0]).name


def _unit_values(unit: Path, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit.read_text(), re.MULTILINE)


def _as_systemd_reads(text: str) -> str:
    """Specifiers resolved, with %% kept from being taken for one; `%h` would be a home folder."""
    parts = text.split("%%")
    assert not re.search(r"%(?!i)", "".join(parts)), f"{text}: only %i and %% are meant"
    return "%".join(part.replace("%i", "1") for part in parts)


def _commands() -> Iterator[Command]:
    for name, service in OURS.items():
        yield Command(f"compose-{name}", tuple(service["command"]))
        if "healthcheck" in service:
            kind, *words = service["healthcheck"]["test"]
            assert kind == "CMD"
            yield Command(f"compose-{name}-health", tuple(words))
    for unit in SERVICE_UNITS:
        for line in _unit_values(unit, "ExecStart"):
            yield Command(unit.name, tuple(shlex.split(_as_systemd_reads(line))))


COMMANDS = list(_commands())
CELERY_COMMANDS = [command for command in COMMANDS if command.program == "celery"]


def _of(program: str) -> pytest.MarkDecorator:
    """One run of a test for each command of this program."""
    chosen = [command for command in COMMANDS if command.program == program]
    assert chosen
    return pytest.mark.parametrize("command", chosen, ids=[c.where for c in chosen])


def _parse(command: click.Command, words: list[str]) -> tuple[dict[str, Any], list[str]]:
    context = click.Context(command, **command.context_settings)
    options, rest, _ = command.make_parser(context).parse_args(args=list(words))
    return dict(options), list(rest)


def _parse_celery(command: Command) -> tuple[str, dict[str, Any]]:
    """The subcommand and its options, by Celery's own parsers. Raises click.UsageError."""
    options, (name, *rest) = _parse(celery, list(command.words[1:]))
    assert options == {"app": "crimeops"}
    found, unknown = _parse(celery.commands[name], rest)
    assert not unknown, f"{command.where}: celery {name} does not know {unknown}"
    return name, found


def _workers(where: str) -> dict[str, dict[str, Any]]:
    parsed = {c.where: _parse_celery(c) for c in CELERY_COMMANDS if c.where.startswith(where)}
    return {place: options for place, (name, options) in parsed.items() if name == "worker"}


# --- commands ----------------------------------------------------------------------------------


@_of("celery")
def test_celery_knows_the_command_and_its_options(command: Command) -> None:
    name, _ = _parse_celery(command)
    assert name in {"worker", "beat", "flower"}


@_of("gunicorn")
def test_gunicorn_knows_the_options_and_finds_the_application(command: Command) -> None:
    config = Config()
    arguments = config.parser().parse_args(list(command.words[1:]))
    for name, value in vars(arguments).items():
        if name != "args" and value is not None:
            config.set(name.lower(), value)
    assert arguments.args == ["crimeops.wsgi"]
    assert importlib.util.find_spec("crimeops.wsgi")


@_of("python")
def test_what_python_is_told_to_run_is_there(command: Command) -> None:
    match list(command.words[1:]):
        case ["-m", module, *rest]:
            _accepts(module, rest)
        case ["manage.py", name, *rest]:
            made = load_command_class(get_commands()[name], name)
            made.create_parser("manage.py", name).parse_args(rest)
        case ["-c", code]:
            _imports_resolve(code)
        case words:
            pytest.fail(f"{command.where}: python {words} is not held to anything")


def _accepts(module: str, words: list[str]) -> None:
    """Run the simulator's own argument parser."""
    main = importlib.import_module(f"{module}.__main__")
    read = getattr(main, "_arguments", None) or main._options
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", [module, *words])
        read()


def _imports_resolve(code: str) -> None:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            assert node.module
            module = importlib.import_module(node.module)
            assert all(hasattr(module, alias.name) for alias in node.names)


@pytest.mark.parametrize("where", ["compose-", "crimeops-"])
def test_all_queues_are_consumed_and_no_other(where: str) -> None:
    consumed = [queue for w in _workers(where).values() for queue in w["queues"].split(",")]
    assert sorted(consumed) == sorted(set(ROUTES.values()))


@pytest.mark.parametrize("where", ["compose-", "crimeops-"])
def test_each_worker_has_a_name_of_its_own_on_each_host(where: str) -> None:
    names = [options["hostname"] for options in _workers(where).values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(-1)?@%h", name) for name in names)


def test_each_process_of_the_units_is_in_compose_too() -> None:
    names = {re.sub(r"crimeops-(\w+)@?\.service", r"\1", unit.name) for unit in SERVICE_UNITS}
    assert names == {"web", "beat", "flower", "streams", "gpu", "alarms", "reports"}
    assert names <= OURS.keys()


# --- settings ----------------------------------------------------------------------------------


def _known_variables() -> set[str]:
    settings = {name.upper() for name in Environment.model_fields}
    return settings | {f"{name}_FILE" for name in settings} | FOREIGN_VARIABLES


def _named_variables() -> dict[str, set[str]]:
    compose = (REPOSITORY / "docker-compose.yml").read_text()
    example = (REPOSITORY / ".env.example").read_text()
    named = {
        "compose environment": {n for s in SERVICES.values() for n in s.get("environment", {})},
        "compose ${}": set(re.findall(r"\$\{(\w+)", compose)),
        ".env.example": set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)),
    }
    for unit in SERVICE_UNITS:
        named[unit.name] = {v.partition("=")[0] for v in _unit_values(unit, "Environment")}
    return named


@pytest.mark.parametrize("place", _named_variables())
def test_each_variable_is_a_setting_of_ours_or_known_to_an_image(place: str) -> None:
    assert _named_variables()[place] <= _known_variables()


def test_inside_compose_the_broker_and_the_database_are_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "database_url"
    secret.write_text("postgres://crimeops:from-the-secret@postgres:5432/crimeops\n")
    # The operator's own .env, for use without Docker, reaches the container first.
    monkeypatch.setenv("DATABASE_URL", "sqlite:///elsewhere.sqlite3")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere:6379/0")
    for name, value in SERVICES["streams"]["environment"].items():
        if "${" not in value:
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATABASE_URL_FILE", str(secret))

    environment = Environment()

    assert environment.database_url == secret.read_text().strip()
    assert urlsplit(environment.database_url).hostname in SERVICES
    assert urlsplit(environment.redis_url).hostname in SERVICES
    assert environment.instance_address == ""


def test_the_health_check_is_always_an_allowed_host() -> None:
    assert SERVICES["web"]["environment"]["ALLOWED_HOSTS"].split(",")[-1] == "127.0.0.1"
    (url,) = re.findall(r"http://[^\"]+", SERVICES["web"]["healthcheck"]["test"][-1])
    assert urlsplit(url).netloc == "127.0.0.1:8080"
    assert resolve(urlsplit(url).path).func is healthz


def test_the_secrets_come_from_files() -> None:
    for secret in COMPOSE["secrets"].values():
        assert set(secret) == {"file"}
        assert secret["file"].startswith("var/secrets/")
    used = {name for s in SERVICES.values() for name in s.get("secrets", [])}
    assert used == COMPOSE["secrets"].keys()
    assert all("database_url" in OURS[name]["secrets"] for name in _need_the_database())


def test_no_file_holds_a_password() -> None:
    files = [REPOSITORY / "Dockerfile", REPOSITORY / "docker-compose.yml"]
    files += [REPOSITORY / ".env.example", *UNITS, *(REPOSITORY / "deploy").glob("*.*")]
    in_address = re.compile(r"://[\w%]+:(?P<secret>[^@\s/]+)@")
    assigned = re.compile(
        r"(?i)[\w-]*(?:password|secret_key|credentials_key|api_key|basic_auth)\"?\s*[=:][ \"']*"
        r"(?P<secret>[^\s\"',]+)"
    )
    harmless = re.compile(r"\$.*|%s|/run/secrets/\w+|var/secrets/\w+|password")
    for file in files:
        for line in re.sub(r"\$\{[^}]*\}", "$", file.read_text()).splitlines():
            for found in [*in_address.finditer(line), *assigned.finditer(line)]:
                assert harmless.fullmatch(found["secret"]), f"{file.name}: {line}"


# --- Compose -----------------------------------------------------------------------------------


def _need_the_database() -> set[str]:
    commands = {c.where.removeprefix("compose-"): c for c in COMMANDS}
    return {
        name
        for name in OURS
        if commands[name].program == "gunicorn"
        or commands[name].words[:4] == ("celery", "-A", "crimeops", "worker")
    }


@pytest.mark.parametrize("name", sorted(_need_the_database() | {"beat"}))
def test_what_uses_the_database_waits_for_its_migration(name: str) -> None:
    waits = SERVICES[name]["depends_on"]
    assert waits["migrate"] == {"condition": "service_completed_successfully"}
    assert waits["postgres"] == waits["redis"] == {"condition": "service_healthy"}


def test_whatever_a_service_refers_to_is_declared() -> None:
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", {})) <= SERVICES.keys(), name
        assert set(service["networks"]) <= COMPOSE["networks"].keys(), name
        assert {c["source"] for c in service.get("configs", [])} <= COMPOSE["configs"].keys()
        for waited, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[waited], f"{name} waits for the health of {waited}"


def test_each_mount_is_of_a_declared_volume_at_a_folder_the_image_has() -> None:
    made = re.findall(r"install -d -o crimeops -g crimeops (.*)", DOCKERFILE)
    folders = {f"/app/{folder}" for line in made for folder in line.split()}
    for name, service in SERVICES.items():
        for mount in service.get("volumes", []):
            source, target, *_ = mount.split(":")
            assert source in COMPOSE["volumes"]
            assert name == "postgres" or target in folders, f"{name}: {mount}"


def test_each_process_finds_what_it_reads_and_keeps_what_it_writes() -> None:
    mounts = {n: {m.split(":")[1] for m in s.get("volumes", [])} for n, s in OURS.items()}
    settings = SERVICES["streams"]["environment"]
    evidence, models, spool = (settings[f"{n}_DIR"] for n in ("EVIDENCE", "MODEL", "SPOOL"))
    assert {evidence, models, spool} <= mounts["streams"] & mounts["migrate"]
    assert evidence in mounts["web"]
    assert models in mounts["gpu"]
    writers = {n for n, s in OURS.items() if not s.get("read_only")}
    assert writers == {n for n, s in OURS.items() if s.get("profiles") == ["demo"]}


def test_each_build_target_is_a_stage_and_the_last_is_the_product() -> None:
    stages = re.findall(r"^FROM (\S+)(?: AS (\S+))?$", DOCKERFILE, re.MULTILINE)
    assert {s["build"]["target"] for s in OURS.values()} <= {name for _, name in stages}
    assert stages[-1] == ("runtime", "")
    assert {parent for parent, _ in stages} - {name for _, name in stages} == {"python:3.11-slim"}
    for stage in re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE):
        users = re.findall(r"^USER (.*)$", stage, re.MULTILINE)
        assert not users or users[-1] == "10001:10001", stage
    assert "USER 10001:10001" in DOCKERFILE


def test_what_the_image_copies_exists_and_is_let_into_the_build() -> None:
    copies = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    sources = {source for line in copies for source in line.split()[:-1]}
    assert {"crimeops", "detection", "integrations", "manage.py"} <= sources
    lines = (REPOSITORY / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    shut_out = [rule for rule in rules[1:] if not rule.startswith("!")]
    for source in sources:
        assert (REPOSITORY / source).exists(), source
        assert source.split("/")[0] in let_in, source
    assert let_in == {source.split("/")[0] for source in sources}
    assert all(any(fnmatch(f"crimeops/{n}", r) for r in shut_out) for n in (".env", ".env.local"))


def test_a_gpu_is_reserved_and_the_override_takes_it_back() -> None:
    (device,) = SERVICES["gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert all("deploy" not in s for name, s in SERVICES.items() if name != "gpu")
    assert _load("deploy/compose.cpu.yml") == {"services": {"gpu": {"deploy": "RESET"}}}


def test_nothing_is_published_beyond_loopback() -> None:
    ports = {name: s["ports"] for name, s in SERVICES.items() if "ports" in s}
    assert ports.keys() == {"web", "flower"}
    assert all(port.startswith(LOOPBACK) for listed in ports.values() for port in listed)
    assert SERVICES["redis"]["networks"] == SERVICES["postgres"]["networks"] == ["data"]
    assert COMPOSE["networks"]["data"] == {"internal": True}
    assert not any(s.get("network_mode") or s.get("privileged") for s in SERVICES.values())


def test_pixels_are_not_written_to_disk_by_the_broker() -> None:
    words = SERVICES["redis"]["command"]
    assert words[words.index("--appendonly") + 1] == "no"
    assert words[words.index("--maxmemory-policy") + 1] == "noeviction"


def test_the_simulators_take_their_cameras(tmp_path: Path) -> None:
    def content(name: str) -> str:
        text: str = COMPOSE["configs"][name]["content"]
        return text.replace("${DEMO_CAMERA_PASSWORD:-}", "for-this-test")

    file = tmp_path / "cameras.json"
    file.write_text(content("backend_cameras"))
    (listed,) = load_cameras(file)
    (simulated,) = json.loads(content("tapo_cameras"))
    assert fleet.REQUIRED <= simulated.keys() <= fleet.KNOWN
    assert simulated["user"] == listed.user_name
    assert listed.ip_address in SERVICES
    address = urlsplit(listed.rtsp_url)
    assert (address.hostname, address.port) == (listed.ip_address, simulated["rtsp_port"])
    assert simulated["control_port"] == Environment.model_fields["tapo_control_port"].default
    assert simulated["clip"] in SERVICES["simulated-scene"]["command"][-1]


# --- stopping ----------------------------------------------------------------------------------


def _backend_seconds() -> float:
    """One call to a back end that never answers, with all its retries."""
    options = LaravelOptions(base_url="", api_key="")
    retry = Retry(total=options.retries, backoff_factor=options.backoff_factor)
    seconds = options.timeout_seconds
    for _ in range(options.retries):
        retry = retry.new(
            history=(*retry.history, RequestHistory(None, None, None, 503, None)),
        )
        seconds += retry.get_backoff_time() + options.timeout_seconds
    return seconds


def _release_seconds() -> float:
    """How long a watch task takes at most to end where only the back end is away."""
    return (
        pipeline.COLLECT_SECONDS
        + pipeline.READER_GOODBYE_SECONDS
        + outbox.GOODBYE_SECONDS
        + _backend_seconds()
    )


def test_a_release_at_a_silent_back_end_takes_what_the_runbook_says() -> None:
    assert _release_seconds() == pytest.approx(26.5)


def _graces() -> dict[str, float]:
    graces = {}
    for name, service in SERVICES.items():
        if name in _need_the_database():
            text = service["stop_grace_period"]
            assert text.endswith("s")
            graces[f"compose {name}"] = float(text[:-1])
    for unit in SERVICE_UNITS:
        (text,) = _unit_values(unit, "TimeoutStopSec")
        graces[unit.name] = float(text)
    return graces


@pytest.mark.parametrize(("where", "grace_seconds"), _graces().items())
def test_the_grace_is_longer_than_what_must_end_in_it(where: str, grace_seconds: float) -> None:
    needed = max(LEASE_SECONDS, _backend_seconds())
    if "streams" in where:
        needed = 2 * _release_seconds()  # the database or the broker may be slow as well
    if "web" in where:
        needed = float(Config().settings["graceful_timeout"].get())
    assert grace_seconds > needed


def test_watchers_stop_before_those_who_tell_their_last_reports() -> None:
    assert {"alarms", "reports"} <= SERVICES["streams"]["depends_on"].keys()
    (after,) = _unit_values(REPOSITORY / "deploy/systemd/crimeops-streams@.service", "After")
    assert {"crimeops-alarms.service", "crimeops-reports.service"} <= set(after.split())


@pytest.mark.parametrize("name", sorted(OURS))
def test_signals_reach_the_process_and_it_gains_no_rights(name: str) -> None:
    service = OURS[name]
    assert service["init"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    once = name in {"migrate", "simulated-scene"}
    assert service["restart"] == ("no" if once else "unless-stopped")


# --- systemd -----------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", SERVICE_UNITS, ids=lambda unit: unit.name)
def test_a_unit_restarts_stops_gently_and_is_shut_in(unit: Path) -> None:
    wanted = {
        "User": "crimeops",
        "WorkingDirectory": "/opt/crimeops",
        "EnvironmentFile": "/opt/crimeops/.env",
        "KillSignal": "SIGTERM",
        "KillMode": "mixed",
        "Restart": "always",
        "RestartPreventExitStatus": "78",
        "NoNewPrivileges": "true",
        "ProtectSystem": "strict",
        "ReadWritePaths": "/opt/crimeops/var",
        "PrivateTmp": "true",
        "PartOf": "crimeops.target",
        "WantedBy": "crimeops.target",
    }
    for key, value in wanted.items():
        assert _unit_values(unit, key) == [value], key
    # The gpu worker must see /dev/nvidia*.
    shut = _unit_values(unit, "PrivateDevices")
    assert shut == ([] if "gpu" in unit.name else ["true"])
    (start,) = _unit_values(unit, "ExecStart")
    assert start.startswith("/opt/crimeops/.venv/bin/")


WORKER_UNITS = [unit for unit in SERVICE_UNITS if " worker " in unit.read_text()]


@pytest.mark.parametrize("unit", WORKER_UNITS, ids=lambda unit: unit.name)
def test_a_worker_that_hangs_as_a_whole_is_killed_but_none_that_restarts_itself(unit: Path) -> None:
    (seconds,) = _unit_values(unit, "WatchdogSec")
    fields = Environment.model_fields
    assert float(seconds) > fields["deaf_seconds"].default + 2 * fields["canary_interval"].default


def test_the_health_of_a_worker_is_the_age_of_its_canary() -> None:
    workers = [name for name, service in OURS.items() if "worker" in service["command"]]
    assert len(workers) == len(WORKER_UNITS)
    for name in workers:
        file = SERVICES[name]["environment"]["CANARY_FILE"]
        assert f'os.stat("{file}")' in SERVICES[name]["healthcheck"]["test"][-1]


def test_templates_and_only_they_use_their_instance() -> None:
    for unit in SERVICE_UNITS:
        uses = "%i" in unit.read_text()
        assert uses == ("@" in unit.name) == bool(_unit_values(unit, "DefaultInstance"))


def test_flower_listens_on_loopback_where_no_container_shuts_it_in() -> None:
    assert Environment.model_fields["flower_address"].default == "127.0.0.1"
    assert (
        "FLOWER_ADDRESS" not in (REPOSITORY / "deploy/systemd/crimeops-flower.service").read_text()
    )
