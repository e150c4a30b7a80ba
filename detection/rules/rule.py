"""What every behaviour rule is given and must answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone


@dataclass(frozen=True, slots=True)
class RuleOptions:
    """Site-wide settings of the rules; a zone may override its dwell."""

    alert_threshold: float = 50.0
    crime_threshold: float = 80.0
    trespassing_dwell_seconds: float = 4.0
    loitering_dwell_seconds: float = 60.0
    loitering_radius: float = 0.15  # normalised: how far a loiterer may wander


class Rule(Protocol):
    """One instance watches one camera and keeps what it must remember of it."""

    def __init__(self, zones: Sequence[Zone], options: RuleOptions) -> None: ...

    def observe(self, tracks: Sequence[Track], at: datetime) -> list[Suspicion]:
        """Judge the tracks of the frame captured `at`; frames come in order."""
        ...


def rising(seconds: float, full_seconds: float, floor: float, ceiling: float) -> float:
    """Confidence that climbs in a straight line from `floor` to `ceiling` in `full_seconds`."""
    share = min(1.0, max(0.0, seconds / full_seconds)) if full_seconds > 0 else 1.0
    return floor + (ceiling - floor) * share
