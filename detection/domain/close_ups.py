"""Pixels of a place where people are near each other, cut out to be looked at closely."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.domain.geometry import Box
from detection.domain.moments import Keypoints


@dataclass(frozen=True, slots=True, eq=False)
class CloseUp:
    """One place over the last two seconds, cut from each picture by the same square.

    `times` are seconds in rising order, of each picture a crop (side, side) grey and the boxes
    (k, 4) of the place's people in the crop's pixels. `place` is where those people were and
    `square` what the crops show, both as shares of the detector's input; the square may reach over
    its edge.
    """

    place: Box
    square: Box
    times: tuple[float, ...]
    crops: NDArray[np.uint8]  # (n, side, side)
    people: tuple[NDArray[np.float32], ...]

    @property
    def side(self) -> int:
        return int(self.crops.shape[1])

    def box_in_input(self, box: NDArray[np.float32]) -> Box:
        """From the crop's pixels to shares of the detector's input."""
        (x1, y1), (x2, y2) = self._in_input(box.reshape(2, 2)).tolist()
        return Box(x1, y1, x2, y2)

    def keypoints_in_input(self, keypoints: Keypoints) -> Keypoints:
        """From the crop's pixels to shares of the detector's input."""
        places = self._in_input(keypoints[:, :2])
        return np.hstack([places, keypoints[:, 2:]]).astype(np.float32)

    def _in_input(self, points: NDArray[np.floating]) -> NDArray[np.floating]:
        square = self.square
        scale = np.array([square.width, square.height]) / self.side
        return np.asarray(points * scale + np.array([square.x1, square.y1]))
