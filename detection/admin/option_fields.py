"""Options of a rule as fields of a form: empty is inherited, and shows what is inherited."""

from collections.abc import Callable
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from django import forms
from django.utils.translation import gettext as _
from pydantic.fields import FieldInfo

from crimeops.translations import words_of

INPUT = {"class": "co-input"}


def form_field(info: FieldInfo, inherited: Any) -> forms.Field:
    """The field in which an option is set."""
    common: dict[str, Any] = {
        "required": False,
        "help_text": _(info.description) if info.description else "",
    }
    kind = _without_none(info.annotation)
    hint = spell(inherited)
    if kind is bool:
        return _choice([("true", _("yes")), ("false", _("no"))], hint, _truth, common)
    if kind in (int, float):
        return _number(kind, info, hint, common)
    if choices := _choices_of(kind):
        return _choice(choices, hint, str, common)
    if get_origin(kind) in (tuple, list, set, frozenset):
        inner = _choices_of(get_args(kind)[0])
        if inner:
            return forms.MultipleChoiceField(
                choices=inner, widget=forms.CheckboxSelectMultiple, **common
            )
        return _Words(widget=forms.TextInput(INPUT | {"placeholder": hint}), **common)
    if kind is str:
        return forms.CharField(widget=forms.TextInput(INPUT | {"placeholder": hint}), **common)
    return forms.JSONField(widget=forms.TextInput(INPUT | {"placeholder": hint}), **common)


def percent_field(inherited: float) -> forms.Field:
    """The field of a threshold."""
    attrs = INPUT | {"placeholder": spell(inherited), "step": "any"}
    return forms.FloatField(
        required=False, min_value=0, max_value=100, widget=forms.NumberInput(attrs)
    )


def spell(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return _("none")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (tuple, list, set, frozenset)):
        is_typed = any(not isinstance(one, StrEnum) for one in value)  # as it is to be written
        return (", " if is_typed else _(", ")).join(map(spell, value)) or _("none")
    return _(words_of(str(value))) if isinstance(value, StrEnum) else str(value)


def initial_of(value: Any) -> Any:
    """A stored value as its field shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else value


def stored(value: Any) -> Any:
    """What a field gives, as the layer keeps it; None where it is inherited."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None if value in ("", [], None) else value


def takes(field: forms.Field) -> str:
    """What a field takes, in a word: a script makes JSON of it."""
    if isinstance(field, forms.TypedChoiceField):
        return "truth" if field.coerce is _truth else "word"
    kinds = (
        (forms.MultipleChoiceField, "many"),
        (forms.IntegerField, "number"),
        (_Words, "words"),
        (forms.JSONField, "json"),
    )
    return next((word for kind, word in kinds if isinstance(field, kind)), "word")


class _Words(forms.CharField):
    """Words with commas between them."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        text: str = super().clean(value)
        return [word.strip() for word in text.split(",") if word.strip()]


def _truth(value: str) -> bool:
    return value == "true"


def _choice(
    choices: list[tuple[str, str]], hint: str, coerce: Callable[[str], Any], common: dict[str, Any]
) -> forms.Field:
    return forms.TypedChoiceField(
        choices=[("", _("inherited: %(value)s") % {"value": hint}), *choices],
        coerce=coerce,
        empty_value=None,
        widget=forms.Select(INPUT),
        **common,
    )


def _number(kind: Any, info: FieldInfo, hint: str, common: dict[str, Any]) -> forms.Field:
    """What a bound leaves out (above 0) is said by the option itself."""
    limits: dict[str, Any] = {}
    for bound in info.metadata:
        if isinstance(bound, annotated_types.Ge):
            limits["min_value"] = bound.ge
        elif isinstance(bound, annotated_types.Le):
            limits["max_value"] = bound.le
    step = "1" if kind is int else "any"
    widget = forms.NumberInput(INPUT | {"placeholder": hint, "step": step})
    field = forms.IntegerField if kind is int else forms.FloatField
    return field(widget=widget, **limits, **common)


def _choices_of(kind: Any) -> list[tuple[str, str]]:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return [(member.value, _(words_of(member.value))) for member in kind]
    if get_origin(kind) is Literal:
        return [(str(value), _(words_of(str(value)))) for value in get_args(kind)]
    return []


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (Union, UnionType):
        kinds = [part for part in get_args(kind) if part is not NoneType]
        return kinds[0] if len(kinds) == 1 else kind
    return kind
