"""A marked area of a camera's picture and what it means."""

from dataclasses import dataclass
from enum import StrEnum

from detection.domain.geometry import Polygon


class ZoneKind(StrEnum):
    """Which rules look at a zone."""

    RESTRICTED = "restricted"  # nobody may stand here: trespassing
    LOITERING = "loitering"  # people may pass but not linger: suspicious_activity


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone as the rules see it. `dwell_seconds` overrides the rule's own where it is set."""

    name: str
    kind: ZoneKind
    polygon: Polygon
    dwell_seconds: float | None = None
