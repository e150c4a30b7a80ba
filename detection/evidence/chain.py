"""What a link of the chain of evidence is. Standard library alone, so that anybody can check it.

A link is the SHA-256 over the link before and all that is said of a file, its own SHA-256 among it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

# What a link holds. Nothing of it can be changed unseen.
SAID = (
    "episode",
    "sequence",
    "kind",
    "name",
    "content_type",
    "size",
    "sha256",
    "facts",
    "kept_at",
    "previous",
)


def link_of(said: Mapping[str, Any]) -> str:
    """The link that belongs to what is said of a file; `kept_at` in UTC with microseconds."""
    ordered = {name: said[name] for name in SAID} | {"facts": _as_databases_keep_it(said["facts"])}
    return hashlib.sha256(json.dumps(ordered, sort_keys=True).encode()).hexdigest()


def removal_of(link: str, removed_at: str, removed_why: str) -> str:
    """What proves when and why a file was removed: SHA-256 over its link and that."""
    return hashlib.sha256(f"{link} {removed_at} {removed_why}".encode()).hexdigest()


def faults_of(
    files: Sequence[Mapping[str, Any]], *, links: int, head: str
) -> list[tuple[int, str]]:
    """What is wrong with a chain, each with the sequence it is wrong at, in order."""
    found: list[tuple[int, str]] = []
    previous, expected = "", 1
    for file in files:
        sequence = int(file["sequence"])
        if sequence > expected:
            found.append((expected, _removed_between(expected, sequence - 1)))
        elif file["previous"] != previous:
            found.append((sequence, "it does not continue the link before it"))
        if link_of(file) != file["link"]:
            found.append((sequence, "its row was changed: the link does not belong to it"))
        at, why, removal = (file[name] for name in ("removed_at", "removed_why", "removal"))
        if removal != (removal_of(file["link"], at, why) if at else "") or (why and not at):
            found.append((sequence, "when or why it was removed was changed"))
        previous, expected = file["link"], sequence + 1
    if expected <= links:
        found.append((expected, f"the chain is cut: its last links up to {links} are gone"))
    elif (expected - 1, previous) != (links, head):
        found.append((expected - 1, "the chain does not end as its episode says"))
    return found


def _removed_between(first: int, last: int) -> str:
    return f"row {first} was removed" if first == last else f"rows {first} to {last} were removed"


def _as_databases_keep_it(facts: Any) -> Any:
    """PostgreSQL gives 1e16 back as a whole number, and SQLite does not."""

    def number(text: str) -> int | float:
        value = float(text)
        return int(value) if value.is_integer() else value

    return json.loads(json.dumps(facts), parse_float=number)
