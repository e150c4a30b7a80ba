"""How near boxes are to each other, in heights of the picture, and what hides what."""

from collections.abc import Iterable
from math import hypot, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detection.domain.geometry import Box

ARM: Final = 0.3  # of a person's height: what is no farther away can be picked up
HIDDEN_SHARE: Final = 0.15  # of a thing that is covered so far, the picture tells nothing


def apart(a: Box, b: Box, aspect: float) -> float:
    """The gap between two boxes; 0 where they touch."""
    across = max(0.0, a.x1 - b.x2, b.x1 - a.x2) * aspect
    along = max(0.0, a.y1 - b.y2, b.y1 - a.y2)
    return hypot(across, along)


def gaps(boxes: NDArray[np.float64], aspect: float) -> NDArray[np.float64]:
    """The same for all pairs of many boxes (…, n, 4): (…, n, n)."""
    a, b = boxes[..., :, np.newaxis, :], boxes[..., np.newaxis, :, :]
    away = np.maximum(a[..., :2] - b[..., 2:], b[..., :2] - a[..., 2:]).clip(min=0.0)
    return np.asarray(np.hypot(away[..., 0] * aspect, away[..., 1]))


def within_reach(person: Box, thing: Box, aspect: float) -> bool:
    """Whether the person could pick the thing up without a step."""
    return apart(person, thing, aspect) <= ARM * person.height


def shift(a: Box, b: Box, aspect: float) -> float:
    """How far the middles of two boxes are apart."""
    return hypot((a.centre.x - b.centre.x) * aspect, a.centre.y - b.centre.y)


def size(box: Box, aspect: float) -> float:
    """The side of a square as large as the box."""
    return sqrt(box.width * aspect * box.height)


def is_hidden(thing: Box, by: Iterable[Box]) -> bool:
    """Whether anything of this may stand before the place of a thing."""
    return any(_covered(thing, box) > HIDDEN_SHARE for box in by)


def _covered(thing: Box, by: Box) -> float:
    width = min(thing.x2, by.x2) - max(thing.x1, by.x1)
    height = min(thing.y2, by.y2) - max(thing.y1, by.y1)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / max(thing.width * thing.height, 1e-9)
