"""What one sampled picture showed: the people in it and the grey picture they moved in.

All places are pixels of the picture that the detector was given; sizes are relative to people, so
that neither the camera's resolution nor their distance matters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

# People who grapple are seen with little confidence: at 0.25 a fifth of all fights had no pair.
LEAST_CONFIDENCE: Final = 0.1
MOST_PEOPLE: Final = 10
SAME_PERSON_OVERLAP: Final = 0.65
# Near: nobody could stand between them, and about equally far from the camera.
NEAR_ACROSS: Final = 0.8
NEAR_ALONG: Final = 0.4
MOST_SIZE_RATIO: Final = 3.0
WINDOW_SECONDS: Final = 2.0
LONGEST_SINGLE_WINDOW: Final = 2.5  # what is hardly longer is judged as a whole
WINDOW_STEP_SECONDS: Final = 1.0
# Closer pictures tell nothing more and each costs an inference.
LEAST_SPACING_SECONDS: Final = 0.15

Boxes = NDArray[np.float32]  # (n, 4): x1 y1 x2 y2


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A picture (height, width) uint8 at a time in seconds, and the boxes (n, 4) of its people."""

    at: float
    grey: NDArray[np.uint8]
    boxes: Boxes

    @classmethod
    def of(cls, at: float, bgr: NDArray[np.uint8], rows: NDArray[np.float32]) -> "Sight":
        """From a picture (h, w, 3) and its detections of people: x1 y1 x2 y2 confidence …."""
        grey = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)
        return cls(at, grey, people_in(rows))


def people_in(rows: NDArray[np.float32]) -> Boxes:
    """The distinct people among detections (k, 5 or more), the surest first."""
    kept: list[NDArray[np.float32]] = []
    for row in rows[np.argsort(-rows[:, 4], kind="stable")][:MOST_PEOPLE]:
        if row[4] >= LEAST_CONFIDENCE and all(
            overlap(row[:4], other) < SAME_PERSON_OVERLAP for other in kept
        ):
            kept.append(row[:4])
    return np.array(kept, np.float32).reshape(-1, 4)


def overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """The boxes' intersection over their union, 0 to 1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return float(width * height / (areas - width * height))


def overlaps(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """The same for each of (n, 4) with each of (m, 4): (n, m)."""
    one, other = a[:, np.newaxis], b[np.newaxis]
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    common = np.where((sides > 0).all(axis=2), sides[..., 0] * sides[..., 1], 0)
    sizes = [(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in (a, b)]
    union = sizes[0][:, np.newaxis] + sizes[1] - common
    shares = np.zeros(common.shape, np.float32)
    np.divide(common, union, out=shares, where=common > 0)
    return shares.astype(np.float64)


def size_of(box: NDArray[np.float32]) -> float:
    """About the height of the person if upright; the same for one who lies or bends."""
    return float(np.sqrt(max((box[2] - box[0]) * (box[3] - box[1]), 1.0) * 2.5))


def near(a: NDArray[np.float32], b: NDArray[np.float32]) -> bool:
    """Whether two people could touch each other."""
    return bool(all_near(np.stack([a, b]))[0, 1])


def all_near(boxes: Boxes) -> NDArray[np.bool_]:
    """The same for each two of many people (n, 4): (n, n)."""
    sizes = np.array([size_of(box) for box in boxes])
    one, other = sizes[:, np.newaxis], sizes
    mean = (one + other) / 2
    low = np.maximum(boxes[:, np.newaxis, :2], boxes[:, :2])
    high = np.minimum(boxes[:, np.newaxis, 2:], boxes[:, 2:])
    apart = low - high
    return np.asarray(
        (np.maximum(one, other) < MOST_SIZE_RATIO * np.minimum(one, other))
        & (apart[..., 0] < NEAR_ACROSS * mean)
        & (apart[..., 1] < NEAR_ALONG * mean)
    )


def near_each_other(boxes: Boxes) -> list[int]:
    """The numbers of the people who have somebody near."""
    close = all_near(boxes)
    np.fill_diagonal(close, False)
    return [int(number) for number in np.flatnonzero(close.any(axis=1))]


def thinned(sights: Sequence[Sight]) -> list[Sight]:
    """The sights, in order of time, without those that follow another too closely."""
    kept: list[Sight] = []
    for sight in sights:
        if not kept or sight.at - kept[-1].at >= LEAST_SPACING_SECONDS - 1e-6:
            kept.append(sight)
    return kept


def windows(sights: Sequence[Sight]) -> list[list[Sight]]:
    """Cut what was seen into overlapping windows; the last one ends with the last sight."""
    if not sights:
        return []
    began, ended = sights[0].at, sights[-1].at
    if ended - began <= LONGEST_SINGLE_WINDOW:
        return [list(sights)]
    ends = [*np.arange(began + WINDOW_SECONDS, ended, WINDOW_STEP_SECONDS).tolist(), ended]
    return [[s for s in sights if end - WINDOW_SECONDS <= s.at <= end] for end in ends]
