"""Permissions as their reader calls them: Django keeps their names in English, in the database."""

from typing import Any

from django.contrib.auth.models import Permission
from django.utils.translation import gettext, gettext_noop

VERBS = (
    gettext_noop("Can add %(what)s"),
    gettext_noop("Can change %(what)s"),
    gettext_noop("Can delete %(what)s"),
    gettext_noop("Can view %(what)s"),
)


def in_words(field: Any) -> Any:
    """The field of a form that offers permissions, each by its name in the reader's language."""
    if field is not None:
        field.label_from_instance = label_of
    return field


def label_of(permission: Permission) -> str:
    return f"{permission.content_type} | {_may(permission.name)}"


def _may(name: str) -> str:
    for verb in VERBS:
        beginning = verb.partition("%")[0]
        if name.startswith(beginning):
            return gettext(verb) % {"what": gettext(name.removeprefix(beginning))}
    return gettext(name)
