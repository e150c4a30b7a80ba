"""Where in the picture people are near each other for a while: the part that is worth a look."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.behaviour.sights import Boxes, Sight, all_near, near_each_other, overlaps

MOST_REGIONS: Final = 4
SAME_PLACE_SECONDS: Final = 1.0  # for so long an undetected person is expected where they were
SAME_PLACE_OVERLAP: Final = 0.1
SAME_PERSON_SECONDS: Final = 0.5
SAME_PERSON_OVERLAP: Final = 0.3
CROP_SIDE: Final = 256
MARGIN: Final = 1.15
PAD_VALUE: Final = 114


@dataclass(frozen=True, slots=True)
class Member:
    """A person of a region: the number of the sight in its window and of the box in that sight."""

    sight: int
    box: int


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A place (x1 y1 x2 y2, pixels) where people stayed near each other, and who they were."""

    box: NDArray[np.float32]
    members: tuple[Member, ...]


def regions_of(sights: Sequence[Sight]) -> list[Region]:
    """The places of nearness in a window, the longest-lasting first, at most four.

    Who is near nobody in one sight, but was in another, still belongs: two who grapple are often
    seen as one. A single sight shows no motion and so has no region.
    """
    if len(sights) < 2:
        return []
    nearby, others = _by_nearness(sights)
    groups = _connected(sights, nearby)
    groups.sort(key=lambda group: -len({member.sight for member in group}))
    return [
        Region(_extent(sights, group), tuple(group + _same_people(sights, group, others)))
        for group in groups[:MOST_REGIONS]
    ]


def _by_nearness(sights: Sequence[Sight]) -> tuple[list[Member], list[Member]]:
    """Who has somebody near in the same sight, and who has not."""
    nearby: list[Member] = []
    others: list[Member] = []
    for number, sight in enumerate(sights):
        has_somebody = set(near_each_other(sight.boxes))
        for box in range(len(sight.boxes)):
            (nearby if box in has_somebody else others).append(Member(number, box))
    return nearby, others


def _same_people(
    sights: Sequence[Sight], group: Sequence[Member], others: Sequence[Member]
) -> list[Member]:
    if not others:
        return []
    apart = np.abs(_times(sights, others)[:, np.newaxis] - _times(sights, group))
    shared = overlaps(_boxes(sights, others), _boxes(sights, group))
    same = (apart <= SAME_PERSON_SECONDS) & (shared > SAME_PERSON_OVERLAP)
    return [others[number] for number in np.flatnonzero(np.any(same, axis=1)).tolist()]


def _connected(sights: Sequence[Sight], members: Sequence[Member]) -> list[list[Member]]:
    """Groups of members who belong together, be it over others, each in the order given."""
    if not members:
        return []
    related = _belong_together(sights, members)
    groups: list[list[Member]] = []
    left = np.ones(len(members), bool)
    while left.any():
        group = np.zeros(len(members), bool)
        fresh = np.arange(len(members)) == np.argmax(left)
        while fresh.any():
            group |= fresh
            fresh = related[fresh].any(axis=0) & ~group
        left &= ~group
        groups.append([members[number] for number in np.flatnonzero(group).tolist()])
    return groups


def _belong_together(sights: Sequence[Sight], members: Sequence[Member]) -> NDArray[np.bool_]:
    """For all pairs at once: ten people in a window are some hundred members."""
    boxes, times = _boxes(sights, members), _times(sights, members)
    numbers = np.array([member.sight for member in members])
    apart = np.abs(times[:, np.newaxis] - times)
    stay = (apart <= SAME_PLACE_SECONDS) & (overlaps(boxes, boxes) > SAME_PLACE_OVERLAP)
    return np.where(numbers[:, np.newaxis] == numbers, all_near(boxes), stay)


def _times(sights: Sequence[Sight], members: Sequence[Member]) -> NDArray[np.float64]:
    return np.array([sights[member.sight].at for member in members])


def _boxes(sights: Sequence[Sight], members: Sequence[Member]) -> Boxes:
    return np.array([sights[member.sight].boxes[member.box] for member in members], np.float32)


def _extent(sights: Sequence[Sight], group: Sequence[Member]) -> NDArray[np.float32]:
    """Without the outermost tenth: one stray box must not make everything else small."""
    boxes = _boxes(sights, group)
    low, high = np.percentile(boxes, 10, axis=0), np.percentile(boxes, 90, axis=0)
    return np.array([low[0], low[1], high[2], high[3]], np.float32)


@dataclass(frozen=True, slots=True)
class Crop:
    """The square around a region as the pose network sees it, the same for a whole window."""

    centre_x: float
    centre_y: float
    scale: float  # crop pixels for each picture pixel

    @classmethod
    def around(cls, region: Region) -> "Crop":
        x1, y1, x2, y2 = (float(value) for value in region.box)
        side = MARGIN * max(x2 - x1, y2 - y1, 1.0)
        return cls((x1 + x2) / 2, (y1 + y2) / 2, CROP_SIDE / side)

    @property
    def square(self) -> tuple[float, float, float, float]:
        """What it shows: left, top, right, bottom in the picture's pixels."""
        half = CROP_SIDE / 2 / self.scale
        x, y = self.centre_x, self.centre_y
        return x - half, y - half, x + half, y + half

    def cut(self, grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The crop (256, 256) uint8; grey where it reaches over the edge."""
        middle, scale = CROP_SIDE / 2, self.scale
        matrix = np.array(
            [
                [scale, 0, middle - scale * self.centre_x],
                [0, scale, middle - scale * self.centre_y],
            ]
        )
        how = cv2.INTER_LINEAR if scale > 0.5 else cv2.INTER_AREA
        return np.asarray(
            cv2.warpAffine(grey, matrix, (CROP_SIDE, CROP_SIDE), flags=how, borderValue=PAD_VALUE),
            np.uint8,
        )

    def inside(self, boxes: Boxes) -> Boxes:
        """Boxes of the picture in the crop's pixels."""
        centre = np.array([self.centre_x, self.centre_y] * 2, np.float32)
        return ((boxes - centre) * self.scale + CROP_SIDE / 2).astype(np.float32)
