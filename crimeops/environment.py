"""Every setting an operator can make, typed, with its default: the one reader of the environment.

`.env.example` is generated from this class (`make env-example`), so the two cannot differ.
A variable `NAME` may also be given as `NAME_FILE`, the path of a file that holds the value, as
container secrets are.
"""

import difflib
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from cryptography.fernet import Fernet, MultiFernet
from dotenv import dotenv_values
from pydantic import AnyHttpUrl, Field, ValidationError, field_validator
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
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


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
        min_length=32, description="Django's signing key; `make setup` writes one."
    )
    credentials_key: str = Field(
        min_length=44,
        description="Fernet key(s) for camera passwords, newest first; `make setup` writes one.",
    )
    debug: bool = Field(False, description="Django's debug pages. Never on a real site.")
    allowed_hosts: Annotated[list[str], NoDecode] = Field(
        ["127.0.0.1", "localhost"], description="Host names the admin answers to, comma-separated."
    )
    behind_tls: bool = Field(
        False, description="The admin is served over HTTPS: secure cookies, HSTS, redirects."
    )
    time_zone: str = Field("UTC", description="Time zone of the admin's pages.")
    database_url: str = Field(
        f"sqlite:///{BASE_DIR / 'var' / 'crimeops.sqlite3'}",
        description="postgres://user:password@host:port/name, or sqlite:///path for one host.",
    )
    redis_url: str = Field(
        "redis://127.0.0.1:6379/0", description="Broker, mailbox and doorbell: Redis or Valkey."
    )
    evidence_dir: Path = Field(
        BASE_DIR / "var" / "evidence", description="Where snapshots are kept; never served openly."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="How much the logs say."
    )

    # --- Laravel back end (names and defaults of its contract) ----------------------------------
    backend_url: AnyHttpUrl = Field(
        AnyHttpUrl("http://localhost:8000"), description="Address of the Laravel back end."
    )
    model_api_key: str = Field("", description="Sent as X-Model-Api-Key with every request.")
    max_cameras: Count = Field(10, description="Cameras an instance may hold.")
    alert_threshold: Percent = Field(50.0, description="Confidence % that raises an alert.")
    crime_threshold: Percent = Field(80.0, description="Confidence % that confirms a crime.")
    heartbeat_interval: Seconds = Field(60.0, description="Seconds between heartbeats.")
    rtsp_transport: Literal["tcp", "udp"] = Field("tcp", description="tcp is more reliable.")
    frame_skip: Count = Field(5, description="Analyse every N-th frame.")

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

    # --- Reports ----------------------------------------------------------------------------------
    backend_timeout: Seconds = Field(5.0, description="Seconds to wait for the back end.")
    delivery_max_backoff: Seconds = Field(
        60.0, description="Longest pause between attempts to deliver a report."
    )

    # --- Flower -----------------------------------------------------------------------------------
    flower_basic_auth: str = Field(
        "", description="user:password for Flower; without it Flower is not started."
    )
    flower_address: str = Field("127.0.0.1", description="Where Flower listens.")
    flower_port: Annotated[int, Field(ge=1, le=65535)] = Field(5555, description="Flower's port.")

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        return (
            [h.strip() for h in value.split(",") if h.strip()] if isinstance(value, str) else value
        )

    @field_validator("time_zone")
    @classmethod
    def _known_time_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("is no time zone; take one like Europe/Berlin")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, value: str) -> str:
        if not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("is no Redis address: begin with redis:// or rediss://")
        return value

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
