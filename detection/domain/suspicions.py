"""What a rule says about one moment."""

from dataclasses import dataclass

from detection.domain.crimes import CrimeType


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A rule's belief, at one moment, that a crime is under way."""

    crime_type: CrimeType
    confidence: float  # 0..100
    track_ids: tuple[int, ...]
    reason: str
