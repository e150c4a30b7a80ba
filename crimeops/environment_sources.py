"""Where settings come from besides the environment: `.env`, and files that hold secrets."""

import os
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic.fields import FieldInfo
from pydantic_settings import DotEnvSettingsSource, PydanticBaseSettingsSource


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
