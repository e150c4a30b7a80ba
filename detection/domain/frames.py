"""A sampled picture on its way to the detector, and what the detector saw in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from detection.domain.close_ups import CloseUp
from detection.domain.moments import Opinion
from detection.domain.poses import Pose


@dataclass(frozen=True, slots=True)
class Frame:
    """One sampled frame, letterboxed to the detector's input.

    `captured_at` is the camera's clock line and dates evidence; `received_at` is this cluster's
    clock (POSIX seconds) and judges age, because a camera's clock may be minutes off. A close-up
    travels with the frame that is posted next; it shows what was seen before that.
    """

    camera_id: int
    sequence: int
    captured_at: datetime
    received_at: float
    pixels: NDArray[np.uint8]  # (height, width, 3), BGR
    waits_since: float = 0.0  # POSIX seconds: since when its camera waits, told to whoever takes it
    close_up: CloseUp | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a frame: rows (k, 6) of x1 y1 x2 y2 confidence class, in input pixels.

    `names` gives the name of each class number in `rows`. `rows` is None where the frame was not
    analysed; `refusal` then says why. `pace` is how many seconds apart the camera's frames should
    come from now on; 0: as it likes. Places of `opinions` and `bodies` are shares of the input's
    width and height, padding included: the whole input is the whole picture.
    """

    sequence: int
    rows: NDArray[np.float32] | None
    names: Mapping[int, str] = field(default_factory=dict)
    refusal: str = ""
    pace: float = 0.0
    opinions: tuple[Opinion, ...] = ()
    bodies: tuple[Pose, ...] = ()


@dataclass(frozen=True, slots=True)
class Detections:
    """The objects of one frame in normalised picture coordinates (letterbox undone)."""

    boxes_xyxy: NDArray[np.float32]  # (n, 4), 0..1
    confidences: NDArray[np.float32]  # (n,), 0..1
    class_ids: NDArray[np.int64]  # (n,)

    def __len__(self) -> int:
        return len(self.class_ids)
