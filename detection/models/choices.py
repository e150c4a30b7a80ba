"""The domain's enumerations as choices of a field."""

from typing import Any


def choices_of(enum: Any) -> list[tuple[str, str]]:
    """The members of a domain's enumeration, as a field offers them."""
    return [(member.value, member.value.replace("_", " ")) for member in enum]
