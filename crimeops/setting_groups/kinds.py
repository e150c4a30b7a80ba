"""What several groups of settings share: bounds, and how a value is taken from its text."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

BASE_DIR = Path(__file__).resolve().parent.parent.parent

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Amount = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Days = Annotated[float, Field(ge=1, le=36_500, allow_inf_nan=False)]
# The crimes of `detection.domain.crimes`, which the door does not import; a test holds them equal.
CrimeWord = Literal[
    "theft", "assault", "vandalism", "break_in", "suspicious_activity", "robbery", "trespassing",
    "fighting", "weapon",
]  # fmt: skip


def split_by_comma(value: object) -> object:
    """The parts of a text; a list as it is."""
    return [h.strip() for h in value.split(",") if h.strip()] if isinstance(value, str) else value


def readable_address(url: str) -> str:
    """Raises ValueError without a word of the address: what cannot be read may be a password."""
    try:
        parts = urlsplit(url)
        _ = (parts.port, parts.hostname)
    except ValueError:
        raise ValueError(
            "cannot be read: write the special characters of user and password as %40 and the like"
        ) from None
    return url
