"""What the models say about themselves, made translatable without a word in the models.

Names of fields, help texts and labels of choices are plain English where they are declared. When
all models are loaded each becomes a lazy translation of itself: a new field cannot be forgotten,
and migrations see what they always saw. `crimeops.catalogue` collects the same texts.
"""

import inspect
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db.models import Field, Model
from django.utils import translation
from django.utils.translation import gettext_lazy

OURS = ("detection", "integrations")


def translate_models() -> None:
    """Make the texts of our models translatable; called when the apps are ready."""
    for model in _models():
        for name in ("verbose_name", "verbose_name_plural"):
            setattr(model._meta, name, gettext_lazy(_plain(getattr(model._meta, name))))
        for field in _fields(model):
            field.verbose_name = gettext_lazy(_plain(field.verbose_name))
            if field.help_text:
                field.help_text = gettext_lazy(_plain(field.help_text))
            if choices := _choices(field):
                field.choices = [(value, _lazy(label)) for value, label in choices]


def model_texts() -> Iterator[tuple[str, str]]:
    """Each English text of a model, with the name of the model."""
    for model in _models():
        where = model._meta.label
        yield _plain(model._meta.verbose_name), where
        yield _plain(model._meta.verbose_name_plural), where
        yield from ((str(name), where) for _, name in model._meta.permissions)
        for field in _fields(model):
            texts = (field.verbose_name, field.help_text, *(label for _, label in _choices(field)))
            yield from ((_plain(text), where) for text in texts if text)


def words_of(name: str) -> str:
    """The name of a rule, an option or a member of an enumeration as people read it."""
    return name.replace("_", " ").replace(".", ": ")


def told_by(rule: type) -> str:
    """What a rule says it looks for: its docstring in one line."""
    return (inspect.getdoc(rule) or "").replace("\n", " ").replace("`", "")


def _lazy(label: Any) -> Any:
    return gettext_lazy(_plain(label))


def _choices(field: Any) -> list[tuple[Any, Any]]:
    return [] if field.name == "language" else list(field.choices or ())


def _plain(text: Any) -> str:
    """The English words, also of a text that would be translated."""
    with translation.override(None):
        return str(text)


def _models() -> Iterator[type[Model]]:
    for label in OURS:
        yield from apps.get_app_config(label).get_models()


def _fields(model: type[Model]) -> Iterator["Field[Any, Any]"]:
    yield from model._meta.local_fields
