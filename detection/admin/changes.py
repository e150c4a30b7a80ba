"""What a form changed, from what to what, as the audit trail keeps it: never a secret."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.forms import BaseForm
from django.utils import translation

SECRET_NAMES = ("password", "stream_url", "username", "secret", "token", "key")
HIDDEN_CHANGE = "changed"


class ChangeMessage(list[dict[str, Any]]):
    """Django's own description of a change, and ours beside it."""

    details: dict[str, Any]


def describe(form: BaseForm, formsets: Iterable[Any]) -> dict[str, Any]:
    """Old and new value of each changed field, also of the rows below the form; in English."""
    with translation.override("en"):
        return _described(form, formsets)


def _described(form: BaseForm, formsets: Iterable[Any]) -> dict[str, Any]:
    described: dict[str, Any] = {}
    if changed := changed_fields(form):
        described["fields"] = changed
    for formset in formsets or ():
        rows = _rows(formset)
        if rows:
            described[str(formset.model._meta.verbose_name_plural)] = rows
    return described


def changed_fields(form: Any) -> dict[str, Any]:
    return {name: _values(form, name) for name in form.changed_data}


def is_secret(name: str) -> bool:
    """Whether a form's field takes a credential; the name of a user of ours is none."""
    return name != "username" and any(part in name for part in SECRET_NAMES)


def _values(form: Any, name: str) -> Any:
    if is_secret(name) or name not in form.fields:  # a password form calls its two inputs one
        return HIDDEN_CHANGE
    return [_plain(form.get_initial_for_field(form.fields[name], name)), _plain(_new(form, name))]


def _new(form: Any, name: str) -> Any:
    return getattr(form, "cleaned_data", {}).get(name)


def _plain(value: Any) -> Any:
    """A value as JSON; rows of a relation as their names."""
    if isinstance(value, (QuerySet, list, tuple, set)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, dict)):
        return value
    return str(value)


def _rows(formset: Any) -> list[dict[str, Any]]:
    forms = {id(form.instance): form for form in formset.forms}
    written = [("added", row) for row in formset.new_objects]
    written += [("changed", row) for row, _ in formset.changed_objects]
    rows: list[dict[str, Any]] = [
        {word: str(row), "fields": changed_fields(forms[id(row)])} for word, row in written
    ]
    return rows + [{"deleted": str(row)} for row in formset.deleted_objects]
