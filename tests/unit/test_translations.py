"""Every text that a person reads is in each catalogue, translated, and compiled."""

import ast
import re
from typing import Any

import pytest
from babel.messages.catalog import Catalog

from crimeops import catalogue

PLACEHOLDER = re.compile(r"%\(\w+\)[sdf]|%[sdf%]|\{\w*\}")

each_language = pytest.mark.parametrize("language", catalogue.languages())


@pytest.fixture(scope="module")
def wanted() -> Catalog:
    return catalogue.template()


def test_there_is_an_arabic_catalogue() -> None:
    assert "ar" in catalogue.languages()


@each_language
def test_every_text_is_in_the_catalogue(language: str, wanted: Catalog) -> None:
    known = catalogue.read(language)
    missing = [
        message.id
        for message in wanted
        if message.id and known.get(message.id, message.context) is None
    ]
    assert missing == [], "run `make messages` and translate what it finds"


@each_language
def test_nothing_is_left_to_translate(language: str) -> None:
    assert catalogue.untranslated(catalogue.read(language)) == []


@each_language
def test_a_translation_has_the_placeholders_of_its_text(language: str) -> None:
    """A form for one or two may leave the number out: Arabic says it by the word itself."""
    wrong = []
    for message in catalogue.read(language):
        if not message.id:
            continue
        string: Any = message.string
        forms = string if isinstance(string, tuple) else (string,)
        texts: Any = message.id if isinstance(message.id, tuple) else (message.id,)
        holders = set(PLACEHOLDER.findall(texts[-1]))
        least = holders if len(forms) == 1 else set()
        wrong += [
            (texts[-1], form)
            for form in forms
            if not least <= set(PLACEHOLDER.findall(form)) <= holders
        ]
    assert wrong == []


@each_language
def test_what_django_reads_is_what_was_translated(language: str) -> None:
    compiled = catalogue.compiled(catalogue.read(language))
    assert catalogue.path_of(language, "mo").read_bytes() == compiled, "run `make messages`"


def test_texts_are_found_in_templates() -> None:
    source = """{% load i18n %}
    <p>{% translate "It's on" %}</p>
      {% if x %}{% blocktranslate trimmed count n=n %}one {{ name }}{% plural %}{{ n }} of
         them{% endblocktranslate %}{% endif %}"""
    found = [text for text, _ in catalogue.texts_of(source, is_template=True)]
    assert found == ["It's on", ("one %(name)s", "%(n)s of them")]


def test_texts_are_found_in_modules() -> None:
    source = 'a = _("Open" " now")\nb = ngettext_lazy("%d day", "%d days", n)\nc = "not this"'
    found = [text for text, _ in catalogue.texts_of(source, is_template=False)]
    assert found == ["Open now", ("%d day", "%d days")]


def test_no_text_is_translated_before_its_reader_is_known() -> None:
    """At import nobody reads yet: what is said there must be lazy."""
    found = [
        f"{path.relative_to(catalogue.ROOT)}:{line}"
        for source in catalogue.SOURCES
        for path in (catalogue.ROOT / source).rglob("*.py")
        for line in _said_at_import(ast.parse(path.read_text()))
    ]
    assert found == []


def _said_at_import(module: ast.Module) -> list[int]:
    """Lines outside of functions that call what is no lazy translation."""
    at_once = {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in {"gettext", "ngettext", "pgettext", "npgettext"}
    }
    waiting: list[ast.AST] = [module]
    lines = []
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                waiting += node.decorator_list  # its body speaks when it is called
            elif not isinstance(node, ast.Lambda):
                waiting.append(node)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in at_once:
                lines.append(node.lineno)
    return lines
