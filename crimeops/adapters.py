"""Loads adapters by name from the tables in settings, on first use, once in a process."""

from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


class UnknownAdapter(LookupError):
    """No table names such an adapter; the message lists those there are."""


@cache
def load(table: str, name: str) -> Any:
    """The adapter `name` of the settings table `table`, built from the environment.

    Each adapter offers `from_environment`, which makes its own frozen options.
    """
    names: dict[str, str] = getattr(settings, table)
    if name not in names:
        raise UnknownAdapter(f"{table} has no “{name}”; it has {', '.join(sorted(names))}")
    return import_string(names[name]).from_environment(settings.ENVIRONMENT)
