"""How the bodies of people near each other move, in their own sizes per second."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, hypot, log, nan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detection.behaviour.sights import overlap, size_of

Keypoints = NDArray[np.float32]  # (17, 3): x y confidence, in the order of COCO
Point = NDArray[np.floating]

NOSE, WRISTS, ELBOWS, LEGS = 0, (9, 10), (7, 8), (13, 14, 15, 16)
SHOULDERS, HIPS = (5, 6), (11, 12)
LEAST_KEYPOINT_CONFIDENCE: Final = 0.35
FARTHEST_MATCH_SIZES: Final = 0.9
MOST_MATCH_GROWTH: Final = 0.7

PERSON_FEATURES: Final = (
    "speed", "height change", "width change", "wrist speed", "elbow speed", "leg speed",
    "tilt", "tilt change", "aspect",
)  # fmt: skip
PAIR_FEATURES: Final = (
    "distance", "overlap", "closing", "relative speed", "reach", "reach change",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """A person in one look: the box and, where the network saw one, the pose."""

    box: NDArray[np.float32]
    keypoints: Keypoints | None

    @property
    def size(self) -> float:
        return size_of(self.box)

    @property
    def centre(self) -> Point:
        return (self.box[:2] + self.box[2:]) / 2

    def point(self, number: int) -> Point | None:
        if self.keypoints is None or self.keypoints[number, 2] < LEAST_KEYPOINT_CONFIDENCE:
            return None
        return self.keypoints[number, :2]

    def middle(self, numbers: tuple[int, int]) -> Point | None:
        a, b = self.point(numbers[0]), self.point(numbers[1])
        return None if a is None or b is None else (a + b) / 2

    @property
    def torso(self) -> Point | None:
        shoulders, hips = self.middle(SHOULDERS), self.middle(HIPS)
        if shoulders is None or hips is None:
            return shoulders if hips is None else hips
        return (shoulders + hips) / 2

    @property
    def tilt(self) -> float:
        """Radians from upright; nan where the trunk is not seen."""
        shoulders, hips = self.middle(SHOULDERS), self.middle(HIPS)
        if shoulders is None or hips is None:
            return nan
        return atan2(abs(float(hips[0] - shoulders[0])), float(hips[1] - shoulders[1]))


def matched(before: Sequence[Body], now: Sequence[Body]) -> dict[int, int]:
    """Who of `now` is who of `before`: the closest first, each at most once."""
    candidates = []
    for j, new in enumerate(now):
        for i, old in enumerate(before):
            distance = _distance(old.centre, new.centre) / _mean_size(old, new)
            growth = abs(log(old.size / new.size))
            if distance < FARTHEST_MATCH_SIZES and growth < MOST_MATCH_GROWTH:
                cost = distance + growth / 2 - overlap(old.box, new.box)
                candidates.append((cost, i, j))
    found: dict[int, int] = {}
    for _, i, j in sorted(candidates):
        if j not in found and i not in found.values():
            found[j] = i
    return found


def person_features(old: Body | None, new: Body, seconds: float) -> list[float]:
    """PERSON_FEATURES of one person; nan for what cannot be told."""
    width, height = _sides(new)
    aspect = log(width / height)
    if old is None:
        return [nan] * 6 + [new.tilt, nan, aspect]
    old_width, old_height = _sides(old)
    size = _mean_size(old, new)
    return [
        _distance(old.centre, new.centre) / size / seconds,
        abs(log(height / old_height)) / seconds,
        abs(log(width / old_width)) / seconds,
        *(_limb_speed(old, new, part) / seconds for part in (WRISTS, ELBOWS, LEGS)),
        new.tilt,
        abs(new.tilt - old.tilt) / seconds,
        aspect,
    ]


def pair_features(
    olds: tuple[Body | None, Body | None], news: tuple[Body, Body], seconds: float
) -> list[float]:
    """PAIR_FEATURES of two people near each other; nan for what cannot be told."""
    a, b = news
    size = _mean_size(a, b)
    distance, reach = _distance(a.centre, b.centre) / size, _reach(a, b)
    old_a, old_b = olds
    if old_a is None or old_b is None:
        return [distance, overlap(a.box, b.box), nan, nan, reach, nan]
    old_distance = _distance(old_a.centre, old_b.centre) / size
    relative = (a.centre - old_a.centre) - (b.centre - old_b.centre)
    return [
        distance,
        overlap(a.box, b.box),
        abs(distance - old_distance) / seconds,
        float(np.hypot(*relative)) / size / seconds,
        reach,
        abs(reach - _reach(old_a, old_b)) / seconds,
    ]


def _sides(body: Body) -> tuple[float, float]:
    x1, y1, x2, y2 = (float(value) for value in body.box)
    return max(x2 - x1, 1.0), max(y2 - y1, 1.0)


def _distance(a: Point, b: Point) -> float:
    return hypot(float(a[0] - b[0]), float(a[1] - b[1]))


def _mean_size(a: Body, b: Body) -> float:
    return (a.size + b.size) / 2


def _limb_speed(old: Body, new: Body, numbers: Sequence[int]) -> float:
    """The fastest of some joints against the trunk, so that walking alone is no blow."""
    old_torso, new_torso = old.torso, new.torso
    if old_torso is None or new_torso is None:
        return nan
    size = _mean_size(old, new)
    speeds = [
        _distance(p - old_torso, q - new_torso) / size
        for p, q in ((old.point(number), new.point(number)) for number in numbers)
        if p is not None and q is not None
    ]
    return max(speeds, default=nan)


def _reach(a: Body, b: Body) -> float:
    """The least distance of a wrist of one from the head or trunk of the other."""
    size = _mean_size(a, b)
    distances = [
        _distance(wrist, target) / size
        for one, other in ((a, b), (b, a))
        for wrist in map(one.point, WRISTS)
        for target in (other.point(NOSE), other.middle(SHOULDERS), other.torso)
        if wrist is not None and target is not None
    ]
    return min(distances, default=nan)
