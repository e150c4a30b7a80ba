"""Every setting an operator can make, typed, with its default: the one reader of the environment.

`.env.example` is generated from this class (`make env-example`), so the two cannot differ.
A variable `NAME` may also be given as `NAME_FILE`, the path of a file that holds the value, as
container secrets are.
"""

import difflib
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import unquote, urlsplit
from zoneinfo import available_timezones

from cryptography.fernet import Fernet, MultiFernet
from dotenv import dotenv_values
from pydantic import AnyHttpUrl, Field, IPvAnyNetwork, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

BASE_DIR = Path(__file__).resolve().parent.parent

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Amount = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Days = Annotated[float, Field(ge=1, le=36_500, allow_inf_nan=False)]
# The crimes of `detection.domain.crimes`, which the door does not import; a test holds them equal.
CrimeWord = Literal[
    "theft", "assault", "vandalism", "break_in", "suspicious_activity", "robbery", "trespassing",
    "fighting", "weapon",
]  # fmt: skip


class EnvironmentFault(Exception):
    """A setting is missing or nonsense; the message names it and says what it takes."""


class SecretFiles(PydanticBaseSettingsSource):
    """Reads NAME from the file that NAME_FILE points to."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = f"{field_name.upper()}_FILE"
        path = os.environ.get(variable) or self._dotenv().get(variable)
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except UnicodeDecodeError:
            raise EnvironmentFault(
                f"{field_name.upper()}_FILE points to {path}, which holds no UTF-8 text"
            ) from None
        except OSError as error:
            raise EnvironmentFault(
                f"{field_name.upper()}_FILE points to {path}, unreadable: {error.strerror}"
            ) from error

    def _dotenv(self) -> dict[str, str | None]:
        path = self.settings_cls.model_config.get("env_file")
        return dotenv_values(str(path)) if path else {}

    def __call__(self) -> dict[str, Any]:
        values = {}
        for name, field in self.settings_cls.model_fields.items():
            value, key, _ = self.get_field_value(field, name)
            if value is not None:
                values[key] = value
        return values


class DotEnv(DotEnvSettingsSource):
    """Reads `.env`, and leaves its NAME_FILE lines to SecretFiles."""

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        return {
            name: value
            for name, value in super().__call__().items()
            if name.lower().removesuffix("_file") not in fields or name.lower() in fields
        }


class Environment(BaseSettings):
    """The settings, in the order an operator meets them."""

    model_config = SettingsConfigDict(
        env_file=os.environ.get("CRIMEOPS_ENV_FILE", str(BASE_DIR / ".env")),
        extra="forbid",
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,
    )

    # --- Django -------------------------------------------------------------------------------
    secret_key: str = Field(
        min_length=50, repr=False, description="Django's signing key; `make setup` writes one."
    )
    credentials_key: str = Field(
        min_length=44,
        repr=False,
        description="Fernet key(s) for camera passwords, newest first; `make setup` writes one.",
    )
    debug: bool = Field(False, description="Django's debug pages. Never on a real site.")
    allowed_hosts: Annotated[list[str], NoDecode] = Field(
        ["127.0.0.1", "localhost"], description="Host names the admin answers to, comma-separated."
    )
    behind_tls: bool = Field(
        False, description="The admin is served over HTTPS: secure cookies, HSTS, redirects."
    )
    time_zone: str = Field("UTC", description="Time zone of the admin's pages and of schedules.")
    database_url: str = Field(
        f"sqlite:///{BASE_DIR / 'var' / 'crimeops.sqlite3'}",
        repr=False,
        description="postgres://user:password@host:port/name, or sqlite:///path for one host.",
    )
    database_timeout: Annotated[float, Field(ge=1, allow_inf_nan=False)] = Field(
        5.0, description="Seconds after which a statement is given up (PostgreSQL)."
    )
    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        repr=False,
        description="Broker, mailbox and doorbell: Redis or Valkey.",
    )
    evidence_dir: Path = Field(
        BASE_DIR / "var" / "evidence", description="Where snapshots are kept; never served openly."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="How much the logs say."
    )

    # --- People -----------------------------------------------------------------------------------
    session_hours: Amount = Field(12.0, description="Hours after which everybody logs in again.")
    session_idle_minutes: Amount = Field(
        30.0, description="Minutes without an act after which a session ends."
    )
    login_failures: Count = Field(
        5,
        description="Failed logins of one user that lock the user out; five times as many lock "
        "out an address.",
    )
    login_lock_minutes: Amount = Field(
        15.0, description="Minutes over which failed logins count, and for which they lock."
    )
    audit_days: Amount = Field(365.0, description="Days for which it is kept who saw and did what.")

    # --- Laravel back end (names and defaults of its contract) ----------------------------------
    backend_url: AnyHttpUrl = Field(
        AnyHttpUrl("http://localhost:8000"),
        repr=False,
        description="Address of the Laravel back end.",
    )
    backend_ca_file: Path | None = Field(
        None, description="Certificates that vouch for the back end, where no public one does."
    )
    model_api_key: str = Field(
        "", repr=False, description="Sent as X-Model-Api-Key with every request."
    )
    max_cameras: Count = Field(10, description="Cameras an instance may hold.")
    alert_threshold: Percent = Field(50.0, description="Confidence % that raises an alert.")
    crime_threshold: Percent = Field(80.0, description="Confidence % that confirms a crime.")
    heartbeat_interval: Seconds = Field(60.0, description="Seconds between heartbeats.")
    rtsp_transport: Literal["tcp", "udp"] = Field("tcp", description="tcp is more reliable.")
    frame_skip: Count = Field(
        5,
        description="Analyse every N-th frame; at least 5 a second while people are near each "
        "other.",
    )

    # --- Watching -------------------------------------------------------------------------------
    instance_address: str = Field(
        "",
        description="Local address that claims, beats and releases; empty: the system chooses.",
    )
    camera_refresh_interval: Seconds = Field(
        30.0, description="Seconds between looks at the list of claimable cameras."
    )
    allow_file_sources: bool = Field(
        False, description="Let a camera's stream address be a file on this host (demo, tests)."
    )
    camera_networks: Annotated[list[IPvAnyNetwork], NoDecode] = Field(
        [],
        description="Networks in which cameras are, like 10.1.0.0/16, comma-separated; empty: any "
        "but link-local ones.",
    )
    open_timeout: Seconds = Field(5.0, description="Seconds to wait for a camera to answer.")
    read_timeout: Seconds = Field(5.0, description="Seconds without data after which a read fails.")
    stall_seconds: Seconds = Field(
        8.0, description="Age of the last frame at which a camera counts as stalled."
    )
    max_read_failures: Count = Field(
        10, description="Failures in a row before the camera is released."
    )
    retry_after: Seconds = Field(
        30.0, description="Seconds before a released camera is tried again."
    )
    frame_max_age: Seconds = Field(1.0, description="Seconds after which a frame is not analysed.")

    canary_interval: Seconds = Field(
        5.0, description="Seconds between the messages by which a worker tests its own hearing."
    )
    deaf_seconds: Seconds = Field(
        30.0, description="Seconds without one after which a worker restarts itself."
    )
    canary_file: str = Field(
        "", description="File touched while a worker is well, for health checks; empty: none."
    )

    # --- Detector -------------------------------------------------------------------------------
    model_weights: str = Field(
        "yolo26n.pt",
        description="A name of the catalogue, or a path: .pt, .onnx, OpenVINO folder, .engine.",
    )
    detector_runtime: Literal["auto", "torch", "openvino", "onnx", "tensorrt"] = Field(
        "auto", description="auto: half precision on a GPU, OpenVINO on a CPU."
    )
    model_dir: Path = Field(
        BASE_DIR / "var" / "models", description="Where weights and exports are kept."
    )
    batch_size: Annotated[int, Field(ge=1, le=64)] = Field(
        16, description="Most frames in one run of the model."
    )
    classifier_weights: str = Field(
        "",
        description="A classification model of your own (Ultralytics) that judges frames with "
        "people beside the detector; empty: none.",
    )
    crime_classes: Annotated[dict[str, CrimeWord], NoDecode] = Field(
        {},
        description="What classes of your own models mean, like gun=weapon,violence=fighting: a "
        "crime, or a weapon.",
    )
    fight_detection: bool = Field(
        True, description="Look closely at people near each other: poses and the fight model."
    )

    # --- Episodes and rules -----------------------------------------------------------------------
    persistence_seconds: Seconds = Field(
        0.6, description="How long suspicion must last before it raises an alert."
    )
    confirm_seconds: Seconds = Field(
        2.0, description="How long the crime threshold must hold before a crime is reported."
    )
    clear_seconds: Seconds = Field(
        5.0, description="How long it must be calm before the alert is stopped."
    )
    blind_grace_seconds: Seconds = Field(
        15.0, description="How long a camera may be blind before its episode is closed as lost."
    )
    trespassing_dwell_seconds: Seconds = Field(
        4.0, description="Dwell in a restricted zone that makes trespassing a crime."
    )
    loitering_dwell_seconds: Seconds = Field(
        60.0, description="Stay in one place after which a person is suspicious."
    )

    # --- Siren ------------------------------------------------------------------------------------
    siren_enabled: bool = Field(True, description="Sound the camera's siren on an alert.")
    siren_seconds: Seconds = Field(30.0, description="Longest time a siren sounds for one episode.")
    siren_rearm_seconds: Seconds = Field(
        2.0,
        description="A siren is sounded again after this long: new firmware is silent after 3 s.",
    )
    tapo_control_port: Annotated[int, Field(ge=1, le=65535)] = Field(
        443, description="HTTPS control port of the cameras."
    )
    onvif_port: Annotated[int, Field(ge=1, le=65535)] = Field(
        2020, description="ONVIF port of the cameras; many that are no Tapo take 80."
    )

    # --- Reports ----------------------------------------------------------------------------------
    backend_timeout: Seconds = Field(5.0, description="Seconds to wait for the back end.")
    delivery_max_backoff: Seconds = Field(
        60.0,
        description="Longest pause of a report that the back end, though there, does not take.",
    )
    deliveries_per_second: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = Field(
        10.0,
        description="Most reports a second to one back end, of all workers and hosts together.",
    )

    # --- What is kept for how long ----------------------------------------------------------------
    evidence_keep_days: Days = Field(90.0, description="Days for which pictures are kept.")
    evidence_max_gb: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        20.0, description="Most gigabytes of pictures; the oldest go first, confirmed crimes last."
    )
    episode_keep_days: Days = Field(365.0, description="Days for which episodes are kept.")
    confirmed_keep_days: Days = Field(
        1825.0,
        description="The same for crimes and their pictures, unless an officer dismissed them.",
    )
    delivery_keep_days: Days = Field(90.0, description="Days for which delivered reports are kept.")
    history_keep_days: Days = Field(
        365.0, description="Days for which the admin's history of changes is kept."
    )

    # --- Flower -----------------------------------------------------------------------------------
    flower_basic_auth: str = Field(
        "", repr=False, description="user:password for Flower; without it Flower is not started."
    )
    flower_address: str = Field("127.0.0.1", description="Where Flower listens.")
    flower_port: Annotated[int, Field(ge=1, le=65535)] = Field(5555, description="Flower's port.")

    @field_validator("allowed_hosts", "camera_networks", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        return (
            [h.strip() for h in value.split(",") if h.strip()] if isinstance(value, str) else value
        )

    @field_validator("crime_classes", mode="before")
    @classmethod
    def _split_classes(cls, value: object) -> object:
        return _read_classes(value) if isinstance(value, str) else value

    @field_validator("behind_tls")
    @classmethod
    def _no_debug_on_a_site(cls, value: bool, info: Any) -> bool:
        if value and info.data.get("debug"):
            raise ValueError("goes not with DEBUG, whose pages show settings: turn one off")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_time_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("is no time zone; take one like Europe/Berlin")
        return value

    @field_validator("backend_ca_file")
    @classmethod
    def _certificates(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("is no file")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, value: str) -> str:
        if not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("is no Redis address: begin with redis:// or rediss://")
        if "ssl_cert_reqs=" in value and "ssl_cert_reqs=required" not in value:
            raise ValueError("must check the certificate: name who vouches by ?ssl_ca_certs=/path")
        return _readable_address(value)

    @field_validator("database_url")
    @classmethod
    def _database_scheme(cls, value: str) -> str:
        if not value.startswith(("postgres://", "postgresql://", "sqlite:///")):
            raise ValueError("is no database: begin with postgres:// or sqlite:///")
        return _readable_address(value)

    @field_validator("flower_basic_auth")
    @classmethod
    def _user_and_password(cls, value: str) -> str:
        if value and not all(value.partition(":")):
            raise ValueError("give user:password")
        return value

    @field_validator("credentials_key")
    @classmethod
    def _fernet_keys(cls, value: str) -> str:
        try:
            MultiFernet([Fernet(key.strip()) for key in value.split(",")])
        except ValueError:
            raise ValueError(
                "is no Fernet key: make one with `python -m crimeops.envfile --new-key`"
            ) from None
        return value

    @field_validator("crime_threshold")
    @classmethod
    def _crime_above_alert(cls, value: float, info: Any) -> float:
        if value <= info.data.get("alert_threshold", 0):
            raise ValueError("must be above ALERT_THRESHOLD")
        return value

    @field_validator("deaf_seconds")
    @classmethod
    def _several_canaries(cls, value: float, info: Any) -> float:
        if value < 3 * info.data.get("canary_interval", 0):
            raise ValueError("must be at least three times CANARY_INTERVAL")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, SecretFiles(settings_cls), DotEnv(settings_cls)


def password_in(url: str) -> str:
    """The password of an address, decoded; empty where there is none."""
    return unquote(urlsplit(url).password or "")


def _read_classes(text: str) -> dict[str, str]:
    """Raises ValueError for what is no `class=crime`, an unknown crime, or a class given twice."""
    classes: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, meaning = (part.strip() for part in pair.rpartition("="))
        if not name:
            raise ValueError(f"“{pair}” is no class=crime, like gun=weapon")
        if meaning not in get_args(CrimeWord):
            known = ", ".join(get_args(CrimeWord))
            raise ValueError(f"{name}={meaning}: no crime “{meaning}”; there are {known}")
        if name.casefold() in map(str.casefold, classes):
            raise ValueError(f"“{name}” is given twice")
        classes[name] = meaning
    return classes


def _readable_address(url: str) -> str:
    """Raises ValueError without a word of the address: what cannot be read may be a password."""
    try:
        parts = urlsplit(url)
        _ = (parts.port, parts.hostname)
    except ValueError:
        raise ValueError(
            "cannot be read: write the special characters of user and password as %40 and the like"
        ) from None
    return url


def read_environment() -> Environment:
    """Read and check every setting.

    Raises:
        EnvironmentFault: one message for all faults, each with the variable's name.
    """
    try:
        return Environment()
    except ValidationError as error:
        lines = [_explain(str(fault["loc"][0]), fault) for fault in error.errors()]
        raise EnvironmentFault("\n".join(lines)) from None


def read_environment_or_exit() -> Environment:
    """For start-up: print the faults without a traceback and end."""
    try:
        return read_environment()
    except EnvironmentFault as fault:
        print(f"CrimeOps cannot start; mend these settings:\n{fault}", file=sys.stderr)
        raise SystemExit(78) from None  # EX_CONFIG


def _explain(name: str, fault: Any) -> str:
    variable = name.upper()
    field = Environment.model_fields.get(name)
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, Environment.model_fields, n=1)
        hint = f"; did you mean {near[0].upper()}?" if near else "; see .env.example"
        return f"  {variable}: no such setting{hint}"
    if fault["type"] == "missing":
        return f"  {variable}: is required. {field.description if field else ''}"
    return f"  {variable}: {fault['msg']}. {field.description if field else ''}"
