"""What a place looked like, and whether it still does, whatever the light.

Only edges are compared: three bottles taken from a table went from 0.7 and more to 0.5 and less
this way, where the correlation of the pixels stayed at 0.8 (docs/behaviours.md, theft).
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detection.domain.geometry import Box

MARGIN: Final = 0.25  # of the box on each side: the outline tells more than the inside
SAME, CHANGED = 0.65, 0.45
WHOLE_SCENE_SAME: Final = 0.25  # below, the camera was moved or the light went out
LEAST_EDGES: Final = 2.0  # grey levels: flatter places look like everything
LEAST_SIDE: Final = 5  # pixels
SCENE_STEP: Final = 8
REFRESH: Final = 0.2

Grey = NDArray[np.uint8]
Patch = NDArray[np.float32]


class Sight(Enum):
    """What a picture says of a place."""

    SAME = "same"
    CHANGED = "changed"
    UNCLEAR = "unclear"


@dataclass(slots=True, eq=False)
class Look:
    """A place as it was while what stood there was seen."""

    box: Box
    patch: Patch
    scene: Patch
    shape: tuple[int, ...]  # of the whole picture

    @classmethod
    def of(cls, picture: Grey, box: Box) -> "Look | None":
        """None where the place is too small or too flat to be known again."""
        patch = _cut(picture, box)
        if min(patch.shape) < LEAST_SIDE or float(np.abs(_edges(patch)).mean()) < LEAST_EDGES:
            return None
        return cls(box, patch, _scene(picture), picture.shape)

    def refresh(self, picture: Grey) -> None:
        """Follow the light while the thing is seen at its place."""
        if picture.shape == self.shape:
            self.patch += REFRESH * (_cut(picture, self.box) - self.patch)
            self.scene = _scene(picture)

    def compare(self, picture: Grey) -> Sight:
        """Whether the place looks as it did."""
        if picture.shape != self.shape or _likeness(_scene(picture), self.scene) < WHOLE_SCENE_SAME:
            return Sight.UNCLEAR
        likeness = max(  # a camera on a mast sways by a pixel
            _likeness(self.patch, _cut(picture, self.box, right, down))
            for right in (-1, 0, 1)
            for down in (-1, 0, 1)
        )
        if likeness >= SAME:
            return Sight.SAME
        return Sight.CHANGED if likeness < CHANGED else Sight.UNCLEAR


def _cut(picture: Grey, box: Box, right: int = 0, down: int = 0) -> Patch:
    height, width = picture.shape
    across, along = MARGIN * box.width, MARGIN * box.height
    rows = _span(box.y1 - along, box.y2 + along, height, down)
    columns = _span(box.x1 - across, box.x2 + across, width, right)
    return picture[rows, columns].astype(np.float32)


def _span(first: float, last: float, length: int, moved: int) -> slice:
    return slice(max(0, int(first * length) + moved), max(0, int(last * length) + 1 + moved))


def _scene(picture: Grey) -> Patch:
    return picture[::SCENE_STEP, ::SCENE_STEP].astype(np.float32)


def _edges(patch: Patch) -> Patch:
    corner = patch[1:, 1:]
    return np.stack([corner - patch[1:, :-1], corner - patch[:-1, 1:]])


def _likeness(a: Patch, b: Patch) -> float:
    """The correlation of the edges, -1 to 1; 0 where the patches cannot be laid upon each other."""
    if a.shape != b.shape:
        return 0.0
    ours, theirs = _edges(a), _edges(b)
    scale = float(np.sqrt((ours * ours).sum() * (theirs * theirs).sum()))
    return float((ours * theirs).sum()) / scale if scale > 0 else 0.0
