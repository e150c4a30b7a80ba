"""What a rule says about one moment."""

from dataclasses import dataclass

from detection.domain.crimes import CrimeType
from detection.domain.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A rule's belief, at one moment, that a crime is under way.

    `zone` names the zone that it is about, where it is about one; `thresholds` are that zone's own.
    """

    crime_type: CrimeType
    confidence: float  # 0..100
    track_ids: tuple[int, ...]
    reason: str
    zone: str = ""
    thresholds: Thresholds | None = None
