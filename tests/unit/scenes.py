"""A tiny language for scenes: one street of ten places, one letter for each frame.

    a b c d e f g h i j     places from left to right, a tenth of the picture apart
    .                       not seen in this frame

`"ddd.f"` is somebody who stands at d for three frames, is missed in one, and is then at f.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from detection.domain.geometry import Box, Polygon
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone, ZoneKind
from detection.rules.rule import Rule

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PLACES = {letter: 0.05 + 0.1 * number for number, letter in enumerate("abcdefghij")}


@dataclass(frozen=True)
class Walk:
    """What one track does, frame by frame."""

    steps: str
    id: int = 1
    label: str = "person"

    def at(self, number: int, moment: datetime) -> list[Track]:
        step = self.steps[number] if number < len(self.steps) else "."
        if step == ".":
            return []
        x = PLACES[step]
        return [Track(self.id, self.label, 0.9, Box(x - 0.02, 0.2, x + 0.02, 0.5))]


def zone(
    kind: ZoneKind, first: str, last: str, *, name: str = "yard", dwell: float | None = None
) -> Zone:
    """The stretch of the street from one place to another, both within."""
    left, right = PLACES[first] - 0.05, PLACES[last] + 0.05
    corners = [[left, 0.4], [right, 0.4], [right, 0.6], [left, 0.6]]
    return Zone(name, kind, Polygon.of(corners), dwell)


def play(rule: Rule, *walks: Walk, seconds: float = 1.0) -> Iterator[list[Suspicion]]:
    """What the rule suspects in each frame; frames come every so many seconds."""
    for number in range(max(len(walk.steps) for walk in walks)):
        moment = START + timedelta(seconds=number * seconds)
        tracks = [track for walk in walks for track in walk.at(number, moment)]
        yield rule.observe(tracks, moment)


def confidences(rule: Rule, *walks: Walk, seconds: float = 1.0) -> list[float | None]:
    """The strongest suspicion of each frame, None where there is none."""
    return [
        max((suspicion.confidence for suspicion in found), default=None)
        for found in play(rule, *walks, seconds=seconds)
    ]
