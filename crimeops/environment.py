"""Every setting an operator can make, typed, with its default: the one reader of the environment.

`.env.example` is generated from this class (`make env-example`), so the two cannot differ.
The settings stand in `setting_groups`, by subject.
A variable `NAME` may also be given as `NAME_FILE`, the path of a file that holds the value, as
container secrets are.
"""

import difflib
import os
import sys
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from crimeops.environment_sources import DotEnv, EnvironmentFault, SecretFiles
from crimeops.setting_groups.keeping import KeepingSettings
from crimeops.setting_groups.kinds import BASE_DIR, CrimeWord
from crimeops.setting_groups.people import FlowerSettings, PeopleSettings
from crimeops.setting_groups.site import SiteSettings
from crimeops.setting_groups.telling import AlarmSettings, BackendSettings
from crimeops.setting_groups.watching import WatchingSettings

__all__ = [
    "BASE_DIR",
    "CrimeWord",
    "Environment",
    "EnvironmentFault",
    "password_in",
    "read_environment",
    "read_environment_or_exit",
]


# The order in which an operator meets them, from the last to the first: pydantic reads it so.
class Environment(
    FlowerSettings,
    KeepingSettings,
    AlarmSettings,
    WatchingSettings,
    BackendSettings,
    PeopleSettings,
    SiteSettings,
    BaseSettings,
):
    """All settings, in the order an operator meets them."""

    model_config = SettingsConfigDict(
        env_file=os.environ.get("CRIMEOPS_ENV_FILE", str(BASE_DIR / ".env")),
        extra="forbid",
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,
    )

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


def read_environment() -> Environment:
    """Read and check every setting.

    Raises:
        EnvironmentFault: one message for all faults, each with the variable's name.
    """
    try:
        return Environment()
    except ValidationError as error:
        lines = [_explain(str(*fault["loc"][:1]), fault) for fault in error.errors()]
        raise EnvironmentFault("\n".join(lines)) from None


def read_environment_or_exit() -> Environment:
    """For start-up: print the faults without a traceback and end."""
    try:
        return read_environment()
    except EnvironmentFault as fault:
        print(f"CrimeOps cannot start; mend these settings:\n{fault}", file=sys.stderr)
        raise SystemExit(78) from None  # EX_CONFIG


def _explain(name: str, fault: Any) -> str:
    if not name:  # of several settings together, which the message names
        return f"  {fault['msg'].removeprefix('Value error, ')}"
    variable = name.upper()
    field = Environment.model_fields.get(name)
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, Environment.model_fields, n=1)
        hint = f"; did you mean {near[0].upper()}?" if near else "; see .env.example"
        return f"  {variable}: no such setting{hint}"
    if fault["type"] == "missing":
        return f"  {variable}: is required. {field.description if field else ''}"
    return f"  {variable}: {fault['msg']}. {field.description if field else ''}"
