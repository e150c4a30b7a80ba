"""Finds the errors in a cluster's logs that nobody reckoned with: each traceback is one.

What the product reckons with it says in a line. A traceback is written where an outermost ring
caught what should never have come so far, or where a process died of it.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

BEGINS = "Traceback (most recent call last):"
# Celery itself tells with tracebacks that its broker is away.
BROKER_AWAY = (
    "redis.exceptions.",
    "kombu.exceptions.",
    "celery.beat.SchedulingError",
    "billiard.exceptions.RestartFreqExceeded",
    "ConnectionRe",
    "OSError",
    "TimeoutError",
)
DATABASE_AWAY = ("django.db.utils.", "psycopg.")
INDENTED = re.compile(r"\s|$")
_LINES_BEFORE = 2
_CHAINED = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)


def assert_nothing_unforeseen(logs: Path, foreseen: Sequence[str] = ()) -> None:
    """Fail with each traceback whose error does not begin as one that the test provokes.

    Where it provokes any, the libraries may stumble over that in ways of their own.
    """
    found = [
        f"{log.name}:\n{story}"
        for log in sorted(logs.glob("*.log"))
        for error, story in tracebacks(log.read_text(errors="replace"))
        if not error.startswith(tuple(foreseen)) and not (foreseen and _is_librarys(story))
    ]
    assert not found, f"{len(found)} tracebacks:\n" + "\n".join(found[:5])


def _is_librarys(story: str) -> bool:
    """Whether none of our own code is on the way to the error."""
    places = re.findall(r'File "([^"]+)"', story)
    return bool(places) and all("/lib/python" in place or "/bin/" in place for place in places)


def tracebacks(text: str) -> Iterator[tuple[str, str]]:
    """Each one's error, and the whole with what was said before it.

    Of errors that were raised while others were handled only the last got as far as the log.
    """
    lines = text.splitlines()
    began = [number for number, line in enumerate(lines) if line.endswith(BEGINS)]
    for number, following in zip_longest(began, began[1:], fillvalue=len(lines)):
        line = lines[number]
        if any(chained in lines[number:following] for chained in _CHAINED):
            continue
        indent = line[: len(line) - len(BEGINS)] if line.strip() == BEGINS else ""
        end = number + 1
        while end < len(lines) and INDENTED.match(lines[end].removeprefix(indent)):
            end += 1
        error = lines[end].removeprefix(indent) if end < len(lines) else ""
        yield error, "\n".join(lines[max(0, number - _LINES_BEFORE) : end + 1])
