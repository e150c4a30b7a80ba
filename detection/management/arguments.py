"""Kinds of command line arguments, refused in words that say what to give."""

import re
from argparse import ArgumentTypeError
from datetime import datetime

from django.utils import timezone


def positive(text: str) -> float:
    if re.fullmatch(r"\d+\.?\d*|\.\d+", text) and (value := float(text)) > 0:
        return value
    raise ArgumentTypeError("give a number above 0")


def count(text: str) -> int:
    if text.isdecimal() and (value := int(text)) > 0:
        return value
    raise ArgumentTypeError("give a whole number from 1")


def moment(text: str) -> datetime:
    """ISO 8601; without an offset by the clock of the site."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("give a time like 2026-03-01T22:00") from None
    return given if given.tzinfo else timezone.make_aware(given)
