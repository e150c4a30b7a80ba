"""Each camera has its own picture size and the network only one: the way there and back.

Pixels go in scaled and padded, boxes come out in shares of the picture, so that zones and tracks
never learn which size the network takes.
"""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.domain.frames import Detections
from detection.domain.geometry import Box
from detection.domain.moments import Keypoints, Opinion
from detection.domain.poses import Pose

MODEL_INPUT_SIZE: Final = (640, 384)  # width, height: 16:9 pictures fit with little padding
PAD_VALUE: Final = 114  # the grey that YOLO networks were trained with around letterboxed pictures


class Letterbox:
    """Fits pictures of `source_size` into `target_size` (both width, height in pixels), centred.

    Raises ValueError where a size is not positive.
    """

    def __init__(self, source_size: tuple[int, int], target_size: tuple[int, int]) -> None:
        source_width, source_height = source_size
        target_width, target_height = target_size
        if min(*source_size, *target_size) < 1:
            raise ValueError(f"cannot letterbox {source_size} into {target_size}: sizes start at 1")
        scale = min(target_width / source_width, target_height / source_height)
        self.source_size = source_size
        self.target_size = target_size
        self._width = min(target_width, max(1, round(source_width * scale)))
        self._height = min(target_height, max(1, round(source_height * scale)))
        self._left = (target_width - self._width) // 2
        self._top = (target_height - self._height) // 2

    def apply(self, bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the picture (h, w, 3) uint8 at the target size, contiguous.

        A picture that fits already is handed back itself, not a copy; any other answer is a fresh
        array that the caller may keep. Raises ValueError where the picture is not of `source_size`.
        """
        source_width, source_height = self.source_size
        if bgr.shape != (source_height, source_width, 3):
            raise ValueError(
                f"picture of shape {bgr.shape} given to a letterbox for "
                f"{(source_height, source_width, 3)}: build a new one when the size changes"
            )
        if self.source_size == self.target_size:
            return np.ascontiguousarray(bgr)
        target_width, target_height = self.target_size
        boxed = np.full((target_height, target_width, 3), PAD_VALUE, dtype=np.uint8)
        inside = self.inside(boxed)
        if (self._width, self._height) == self.source_size:
            inside[...] = bgr
        else:
            inside[...] = cv2.resize(
                bgr, (self._width, self._height), interpolation=cv2.INTER_LINEAR
            )
        return boxed

    def inside(self, boxed: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The part of a boxed picture (h, w, 3) that shows the source, a view without padding."""
        return boxed[self._top : self._top + self._height, self._left : self._left + self._width]

    def undo(self, rows: NDArray[np.float32]) -> Detections:
        """Turn rows (k, 6) of x1 y1 x2 y2 confidence class in target pixels into `Detections`.

        Boxes are clipped to the picture; one that lies wholly in the padding is dropped.
        """
        left_top = np.array([self._left, self._top] * 2, dtype=np.float32)
        size = np.array([self._width, self._height] * 2, dtype=np.float32)
        boxes = np.clip((rows[:, :4] - left_top) / size, 0.0, 1.0).astype(np.float32)
        visible = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        return Detections(
            boxes_xyxy=boxes[visible],
            confidences=rows[visible, 4].astype(np.float32),
            class_ids=rows[visible, 5].astype(np.int64),
        )

    def undo_pixels(self, box: NDArray[np.float32]) -> Box:
        """A box x1 y1 x2 y2 in target pixels in shares of the picture."""
        return self._undo_box(box / np.array([*self.target_size] * 2))

    def undo_opinion(self, opinion: Opinion) -> Opinion:
        """From shares of the target to shares of the picture."""
        return replace(opinion, box=self._undo_box(opinion.box))

    def undo_pose(self, pose: Pose) -> Pose:
        """From shares of the target to shares of the picture."""
        places = self._undo_shares(pose.keypoints[:, :2].reshape(-1)).reshape(-1, 2)
        keypoints: Keypoints = np.hstack([places, pose.keypoints[:, 2:]]).astype(np.float32)
        return Pose(self._undo_box(pose.box), keypoints)

    def _undo_box(self, box: Box | NDArray[np.floating]) -> Box:
        shares = np.clip(self._undo_shares(np.array(box)), 0.0, 1.0)
        return Box(*(float(share) for share in shares))

    def _undo_shares(self, shares: NDArray[np.floating]) -> NDArray[np.floating]:
        """Of x y pairs in a row."""
        pairs = len(shares) // 2
        pixels = shares * np.array([*self.target_size] * pairs)
        inside = pixels - np.array([self._left, self._top] * pairs)
        return np.asarray(inside / np.array([self._width, self._height] * pairs))
