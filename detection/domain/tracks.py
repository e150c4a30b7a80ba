"""An object followed over time."""

from dataclasses import dataclass

from detection.domain.geometry import Box

PERSON = "person"  # the label of people


@dataclass(frozen=True, slots=True)
class Track:
    """One object as it stands in the current frame, under the identity its tracker gave it."""

    id: int
    label: str
    confidence: float  # 0..1, the detector's
    box: Box

    @property
    def is_person(self) -> bool:
        return self.label == PERSON
