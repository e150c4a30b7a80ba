"""Loads adapters by name from the tables in settings, on first use, once in a process."""

from functools import cache
from threading import Lock
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

_loading = Lock()


class UnknownAdapter(LookupError):
    """No table names such an adapter; the message lists those there are."""


def load(table: str, name: str) -> Any:
    """The adapter `name` of the settings table `table`, built from the environment.

    Each adapter offers `from_environment`, which makes its own frozen options.
    """
    with _loading:  # a cache alone would build one for each thread that asks first
        return _load(table, name)


@cache
def _load(table: str, name: str) -> Any:
    names: dict[str, str] = getattr(settings, table)
    if name not in names:
        raise UnknownAdapter(f"{table} has no “{name}”; it has {', '.join(sorted(names))}")
    return import_string(names[name]).from_environment(settings.ENVIRONMENT)


def forget() -> None:
    """Build each anew when it is next asked for; after a change of the tables."""
    _load.cache_clear()
