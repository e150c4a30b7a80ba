"""Says a worker's English sentence in the reader's language, where it is one that is known."""

import re
from functools import lru_cache

from django.utils.translation import get_language, gettext

from detection.admin.sentences import CODES, SENTENCES

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
LONG = {"what", "why", "text"}  # may hold sentences of their own
WORDS = {"what", "why", "who", "kind"}  # are themselves translated
AND = "; "


def told(text: str) -> str:
    """The same in the reader's language; what nobody has foreseen stays as it was written."""
    if not text or (get_language() or "en").startswith("en"):
        return text
    return _as_one(text) or _part_by_part(text)


def _as_one(text: str) -> str:
    """The whole text as one sentence, or empty."""
    known = _recognised(text)
    if known is None:
        return ""
    sentence, values = known
    said = {name: _word(value) if name in WORDS else value for name, value in values.items()}
    return gettext(sentence) % said if said else gettext(sentence)


def _part_by_part(text: str) -> str:
    """Several reasons in a row, and such as begin with a word for machines or for their way."""
    code, colon, rest = text.partition(": ")
    if AND not in text:
        if not colon or " " in code or not (said := _as_one(rest)):
            return text
        return said if code in CODES else f"{code}: {said}"
    if code in CODES and (said := _as_one(rest)):
        return said
    parts = text.split(AND)
    said_of = [_as_one(part) or _part_by_part(part) for part in parts]
    return text if said_of == parts else gettext("; ").join(said_of)


def _word(value: str) -> str:
    """A name of a rule, a crime, a profile or a thing, several of them, or again a sentence."""
    said = told(value)
    if said != value:
        return said
    names = (name[:1].lower() + name[1:] for name in value.split(" and "))
    return gettext(" and ").join(gettext(name) if name else name for name in names)


@lru_cache(maxsize=4096)
def _recognised(text: str) -> tuple[str, dict[str, str]] | None:
    for sentence, pattern in _patterns():
        if found := pattern.fullmatch(text):
            return sentence, found.groupdict()
    return None


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((sentence, _pattern(sentence)) for sentence in SENTENCES)


def _pattern(sentence: str) -> re.Pattern[str]:
    pieces = PLACEHOLDER.split(sentence)  # text, name, text, name, …, text
    parts = [
        f"(?P<{piece}>{'.+' if piece in LONG else '[^;]+?'})" if odd % 2 else re.escape(piece)
        for odd, piece in enumerate(pieces)
    ]
    return re.compile("".join(parts), re.DOTALL)
