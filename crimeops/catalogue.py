"""Finds every text that a person may read and writes the catalogues of translations.

`make messages` runs it: new texts come into `crimeops/locale/<language>/LC_MESSAGES/django.po`
with an empty translation, texts that are gone leave, and the `.mo` that Django reads is compiled.
By Babel alone: no gettext needs to be installed.
"""

import io
import os
import sys
from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations
from pathlib import Path

import django
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation.template import templatize

from crimeops.translations import model_texts, told_by, words_of

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("crimeops", "detection", "integrations")
KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# Said by name only: whose word a setting is, levels, marks of a chart, what is wrong with a view.
WORDS = (
    *("environment", "default", "site", "camera", "alert", "crime", "before", "today", "suggested"),
    *("stream damaged", "degraded", "view", "size changed"),
)
Text = str | tuple[str, ...]
Found = tuple[Text, str, str | None]  # the text, where it stands, its context


def languages() -> list[str]:
    """Those that need a catalogue: English is the key."""
    return [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def path_of(language: str, suffix: str = "po") -> Path:
    return Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / f"django.{suffix}"


def template() -> Catalog:
    """Every text to be translated, with the files that it stands in."""
    catalog = Catalog(project="CrimeOps", charset="utf-8", fuzzy=False)
    for text, where, context in sorted(_all_texts(), key=lambda found: (found[1], str(found[0]))):
        known = catalog.get(text, context)
        places = known.locations if known else []
        if (where, 0) not in places:
            catalog.add(text, locations=[(where, 0)], context=context)
    return catalog


def _all_texts() -> Iterator[Found]:
    for name in SOURCES:
        yield from _texts_below(ROOT / name, ROOT)
    for text, where in (*model_texts(), *_rule_texts()):
        yield text, where, None
    yield from _texts_that_django_leaves()


def _texts_below(folder: Path, root: Path) -> Iterator[Found]:
    for path in sorted(folder.rglob("*")) if folder.is_dir() else (folder,):
        if path.suffix in {".py", ".html"} and not {"migrations", "locale"} & set(path.parts):
            where = path.relative_to(root).as_posix()
            for text, context in texts_of(path.read_text(), is_template=path.suffix == ".html"):
                yield text, where, context


def texts_of(source: str, *, is_template: bool) -> Iterator[tuple[Text, str | None]]:
    """The texts marked for translation in a module or a template."""
    if is_template:
        # What is no text becomes x's; inside brackets Python minds no indentation.
        source = f"(\n{templatize(source)}\n)"
    found = extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS)
    for _, message, _, context in found:
        if message:
            yield message, context


def _rule_texts() -> Iterator[tuple[str, str]]:
    """What a rule and its options say of themselves on the settings pages."""
    for word in WORDS:
        yield word, "crimeops.catalogue"
    for path in settings.DETECTION_RULES.values():
        rule = import_string(path)
        where = path.rpartition(".")[0]
        yield words_of(rule.NAME), where
        yield told_by(rule), where
        for name, field in rule.Options.model_fields.items():
            yield words_of(name), where
            if field.description:
                yield field.description, where


def _texts_that_django_leaves() -> Iterator[Found]:
    """The theme's texts, and Django's own, where Django's catalogues have no Arabic for them."""
    import unfold  # only here: it is the theme of the admin, and no module of ours

    packages = Path(django.__file__).parent
    theme = Path(unfold.__file__).parent
    folders = [
        *(path for path in theme.iterdir() if path.name != "contrib"),
        theme / "contrib/filters",
        *(packages / name for name in ("contrib/admin", "contrib/auth", "contrib/messages")),
        *(packages / name for name in ("forms", "core/validators.py", "utils/timesince.py")),
        packages / "db/models",
    ]
    for folder in folders:
        for text, where, context in _texts_below(folder, packages.parent):
            if not _django_has(text, context):
                yield text, where, context


def _django_has(text: Text, context: str | None) -> bool:
    first = text if isinstance(text, str) else text[0]
    key = first if context is None else f"{context}\x04{first}"
    return all(
        any(
            key in known._catalog or (key, 0) in known._catalog  # type: ignore[attr-defined]  # no other way to ask
            for known in _django_catalogues(language)
        )
        for language in languages()
    )


@cache
def _django_catalogues(language: str) -> list[GNUTranslations]:
    packages = Path(django.__file__).parent
    names = ("conf", "contrib/admin", "contrib/auth", "contrib/contenttypes")
    paths = [packages / name / "locale" / language / "LC_MESSAGES/django.mo" for name in names]
    return [GNUTranslations(io.BytesIO(path.read_bytes())) for path in paths if path.is_file()]


def read(language: str) -> Catalog:
    """The catalogue as it lies there, or an empty one."""
    path = path_of(language)
    if not path.is_file():
        return Catalog(locale=language, project="CrimeOps", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def compiled(catalog: Catalog) -> bytes:
    """The bytes of the `.mo`."""
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def untranslated(catalog: Catalog) -> list[str]:
    """Texts of the catalogue that have no translation, or only a guessed one."""
    return [
        str(message.id)
        for message in catalog
        if message.id and (message.fuzzy or not message.string or not all(message.string))
    ]


def main() -> None:
    """Bring each catalogue up to date and say what is left to translate."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crimeops.settings")
    django.setup()
    wanted = template()
    for language in languages():
        catalog = read(language)
        created = catalog.creation_date
        catalog.update(wanted, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        catalog.creation_date = created  # a file that says nothing new must not differ
        path = path_of(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, catalog, include_lineno=False, omit_header=False, width=100)
        path_of(language, "mo").write_bytes(compiled(catalog))
        left = untranslated(catalog)
        sys.stdout.write(f"{path}: {len(catalog)} texts, {len(left)} to translate\n")


if __name__ == "__main__":
    main()
