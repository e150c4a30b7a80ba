"""Where in the picture people are near each other for a while: the part that is worth a look."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.behaviour.sights import Boxes, Sight, near, near_each_other, overlap

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
    nearby = [
        Member(number, box)
        for number, sight in enumerate(sights)
        for box in near_each_other(sight.boxes)
    ]
    others = [
        Member(number, box)
        for number, sight in enumerate(sights)
        for box in range(len(sight.boxes))
        if Member(number, box) not in nearby
    ]
    groups = _connected(sights, nearby)
    groups.sort(key=lambda group: -len({member.sight for member in group}))
    return [
        Region(_extent(sights, group), tuple(group + _same_people(sights, group, others)))
        for group in groups[:MOST_REGIONS]
    ]


def _same_people(
    sights: Sequence[Sight], group: Sequence[Member], others: Sequence[Member]
) -> list[Member]:
    return [
        other
        for other in others
        if any(
            abs(sights[other.sight].at - sights[member.sight].at) <= SAME_PERSON_SECONDS
            and overlap(_box(sights, other), _box(sights, member)) > SAME_PERSON_OVERLAP
            for member in group
        )
    ]


def _connected(sights: Sequence[Sight], members: Sequence[Member]) -> list[list[Member]]:
    leader = list(range(len(members)))

    def find(number: int) -> int:
        while leader[number] != number:
            number = leader[number]
        return number

    for i, one in enumerate(members):
        for j in range(i):
            if _belong_together(sights, one, members[j]):
                leader[find(i)] = find(j)
    groups: dict[int, list[Member]] = {}
    for number, member in enumerate(members):
        groups.setdefault(find(number), []).append(member)
    return list(groups.values())


def _belong_together(sights: Sequence[Sight], one: Member, other: Member) -> bool:
    a, b = _box(sights, one), _box(sights, other)
    if one.sight == other.sight:
        return near(a, b)
    apart = abs(sights[one.sight].at - sights[other.sight].at)
    return apart <= SAME_PLACE_SECONDS and overlap(a, b) > SAME_PLACE_OVERLAP


def _box(sights: Sequence[Sight], member: Member) -> NDArray[np.float32]:
    box: NDArray[np.float32] = sights[member.sight].boxes[member.box]
    return box


def _extent(sights: Sequence[Sight], group: Sequence[Member]) -> NDArray[np.float32]:
    """Without the outermost tenth: one stray box must not make everything else small."""
    boxes = np.array([_box(sights, member) for member in group])
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
