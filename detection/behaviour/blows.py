"""Fast motion of limbs beside something, again and again: kicks and blows."""

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from detection.behaviour.protection import reach_of
from detection.domain.geometry import Box, Point, Polygon
from detection.domain.tracks import Track

WINDOW_SECONDS: Final = 6.0
LONGEST_STEP_SECONDS: Final = 0.6  # what one frame can count for
FEWEST_BLOWS: Final = 4  # frames with fast motion
SAMPLES: Final = 6  # of a box, across and along, looked for in an area


@dataclass(frozen=True, slots=True)
class Effort:
    """Seconds of fast motion in the last six, and whose it was."""

    seconds: float
    people: tuple[int, ...]


@dataclass(slots=True)
class _Blows:
    last_at: datetime
    step: float = 0.0  # seconds that the moment at `last_at` stands for; 0 once they are counted
    fast: deque[tuple[datetime, float, int]] = field(default_factory=deque)


class Blows:
    """By what is struck, not by who strikes: trackers confuse those who move fast."""

    def __init__(self) -> None:
        self._targets: dict[Hashable, _Blows] = {}

    def note(self, target: Hashable, person: int, at: datetime, *, fast: bool) -> Effort | None:
        """Somebody stands beside the target; says how much effort there was, if it was repeated."""
        blows = self._targets.setdefault(target, _Blows(at))
        if at > blows.last_at:
            blows.step = min((at - blows.last_at).total_seconds(), LONGEST_STEP_SECONDS)
            blows.last_at = at
        if fast and blows.step > 0:
            blows.fast.append((at, blows.step, person))
            blows.step = 0.0
        if len(blows.fast) < FEWEST_BLOWS:
            return None
        people = tuple(dict.fromkeys(who for _, _, who in blows.fast))
        return Effort(sum(seconds for _, seconds, _ in blows.fast), people)

    def forget(self, at: datetime) -> None:
        """Drop what is older than the window."""
        for target, blows in list(self._targets.items()):
            while blows.fast and (at - blows.fast[0][0]).total_seconds() > WINDOW_SECONDS:
                blows.fast.popleft()
            if not blows.fast and (at - blows.last_at).total_seconds() > WINDOW_SECONDS:
                del self._targets[target]


def stands_beside(person: Track, thing: Track, aspect: float) -> bool:
    """Whether a person's limbs reach a thing that stands on the same ground."""
    reach, box = reach_of(person, aspect), thing.box
    same_ground = box.centre.y <= person.box.y2 <= box.y2 + 0.35 * person.box.height
    return same_ground and _overlap(reach, box)


def stands_at(person: Track, area: Polygon, aspect: float) -> bool:
    """Whether a person's limbs reach into an area."""
    box = reach_of(person, aspect)
    steps = [(number + 0.5) / SAMPLES for number in range(SAMPLES)]
    return any(
        area.contains(Point(box.x1 + x * box.width, box.y1 + y * box.height))
        for y in steps
        for x in steps
    )


def is_struggling(person: Track, people: Sequence[Track]) -> bool:
    """Whether somebody else is so close that the blows may be for them."""
    return any(other.id != person.id and _overlap(person.box, other.box) for other in people)


def _overlap(a: Box, b: Box) -> bool:
    return min(a.x2, b.x2) > max(a.x1, b.x1) and min(a.y2, b.y2) > max(a.y1, b.y1)
