"""Whether all who quarrel take part, or one is down or retreats: fighting or assault."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import atan2, degrees, exp, hypot
from typing import Final

from detection.domain.geometry import Box, Point
from detection.domain.moments import Keypoints, Moment
from detection.domain.tracks import Track

# Who is down: lying as wide as this against their height, or with the trunk tilted so far.
LYING_RATIO: Final = 1.2
LYING_DEGREES, UPRIGHT_DEGREES = 60.0, 35.0
# Who has fallen: this small against their height a moment ago, and no longer upright.
FALLEN_SHARE, FALLEN_RATIO = 0.6, 0.8
TILT_HOLDS_SECONDS: Final = 0.8  # the pose network looks only now and then
# Who retreats goes this far in a step of time, in body heights, while the other comes after.
STEP_SECONDS: Final = 1.2
RETREAT_HEIGHTS, FOLLOW_HEIGHTS = 0.5, 0.3
FARTHEST_HEIGHTS: Final = 2.0
MEMORY_SECONDS: Final = 3.0
LEAST_KEYPOINT_CONFIDENCE: Final = 0.35
SHOULDERS, HIPS = (5, 6), (11, 12)
PICTURE_EDGE: Final = 0.99  # who is cut off by the lower edge looks wide

# One side only, once that was so for about 0.7 s; both again after about 1.6 s without a sign.
SETTLING_SECONDS: Final = 1.0
LONGEST_STEP_SECONDS: Final = 0.4  # one frame decides nothing, also where frames are rare
BECOMES_ONE_SIDED, BECOMES_MUTUAL = 0.5, 0.2


@dataclass(slots=True)
class _Course:
    boxes: list[tuple[datetime, Box]] = field(default_factory=list)
    tilt: float = 0.0
    tilt_at: datetime | None = None


class Courses:
    """How people have moved in the last seconds."""

    def __init__(self) -> None:
        self._courses: dict[int, _Course] = {}

    def follow(self, moment: Moment) -> None:
        for person in moment.people:
            course = self._courses.setdefault(person.id, _Course())
            course.boxes.append((moment.at, person.box))
            tilt = _tilt(moment.bodies.get(person.id), moment.aspect)
            if tilt is not None:
                course.tilt, course.tilt_at = tilt, moment.at
        for track_id, course in list(self._courses.items()):
            course.boxes = [b for b in course.boxes if _apart(b[0], moment.at) <= MEMORY_SECONDS]
            if not course.boxes:
                del self._courses[track_id]

    def one_sided(self, people: Sequence[Track], moment: Moment) -> str:
        """Who only suffers it, in words; empty where that cannot be said of anybody."""
        down = [person for person in people if self._is_down(person, moment)]
        if down and len(down) < len(people):
            return f"person {down[0].id} is down"
        for victim in people:
            for other in people:
                if other.id != victim.id and self._follows(other, victim, moment):
                    return f"person {victim.id} retreats from person {other.id}"
        return ""

    def _is_down(self, person: Track, moment: Moment) -> bool:
        course = self._courses[person.id]
        if course.tilt_at and _apart(course.tilt_at, moment.at) <= TILT_HOLDS_SECONDS:
            if course.tilt >= LYING_DEGREES:
                return True
            if course.tilt <= UPRIGHT_DEGREES:
                return False
        if person.box.y2 > PICTURE_EDGE:
            return False
        ratio = person.box.width * moment.aspect / max(person.box.height, 1e-6)
        tallest = max(box.height for _, box in course.boxes)
        has_fallen = person.box.height < FALLEN_SHARE * tallest and ratio > FALLEN_RATIO
        return has_fallen or ratio > LYING_RATIO

    def _follows(self, other: Track, victim: Track, moment: Moment) -> bool:
        before = self._before(other, moment.at), self._before(victim, moment.at)
        if before[0] is None or before[1] is None:
            return False
        height = (other.box.height + victim.box.height) / 2
        there, here = _place(before[1], moment), _place(before[0], moment)
        away = there.x - here.x, there.y - here.y
        length = hypot(*away)
        now = _place(victim.box, moment), _place(other.box, moment)
        gap = hypot(now[0].x - now[1].x, now[0].y - now[1].y)
        if not 0 < length <= FARTHEST_HEIGHTS * height or gap > FARTHEST_HEIGHTS * height:
            return False
        retreat = _along(there, now[0], away) / length
        follow = _along(here, now[1], away) / length
        return retreat > RETREAT_HEIGHTS * height and follow > FOLLOW_HEIGHTS * height

    def _before(self, person: Track, at: datetime) -> Box | None:
        """Where they were a step ago."""
        boxes = self._courses[person.id].boxes
        known = [box for when, box in boxes if _apart(when, at) <= STEP_SECONDS]
        return known[0] if len(known) > 1 else None


@dataclass(slots=True)
class Sidedness:
    """Decides slowly, and returns more slowly, so that a stumble is no assault."""

    is_one_sided: bool = False
    reason: str = ""
    _share: float = 0.0

    def note(self, reason: str, seconds: float) -> None:
        """A frame came so long after the one before; `reason` says who only suffers it, if so."""
        step = 1 - exp(-min(seconds, LONGEST_STEP_SECONDS) / SETTLING_SECONDS)
        self._share += step * (bool(reason) - self._share)
        self.reason = reason or self.reason
        limit = BECOMES_MUTUAL if self.is_one_sided else BECOMES_ONE_SIDED
        self.is_one_sided = self._share >= limit


def _tilt(keypoints: Keypoints | None, aspect: float) -> float | None:
    """Degrees of the trunk from upright; None where it is not seen."""
    if keypoints is None:
        return None
    joints = keypoints[[*SHOULDERS, *HIPS]]
    if (joints[:, 2] < LEAST_KEYPOINT_CONFIDENCE).any():
        return None
    shoulders, hips = joints[:2, :2].mean(axis=0), joints[2:, :2].mean(axis=0)
    return degrees(
        atan2(abs(float(hips[0] - shoulders[0])) * aspect, float(hips[1] - shoulders[1]))
    )


def _place(box: Box, moment: Moment) -> Point:
    """In heights of the picture."""
    return Point(box.centre.x * moment.aspect, box.centre.y)


def _along(before: Point, now: Point, way: tuple[float, float]) -> float:
    return (now.x - before.x) * way[0] + (now.y - before.y) * way[1]


def _apart(before: datetime, now: datetime) -> float:
    return (now - before).total_seconds()
