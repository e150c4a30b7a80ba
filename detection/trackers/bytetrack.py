"""ByteTrack for one camera, by Ultralytics' implementation (AGPL-3.0).

A tracker of its own for each camera: a shared one mixes their identities.
"""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.domain.frames import Detections
from detection.domain.geometry import Box
from detection.domain.tracks import Track
from detection.quiet_imports import import_ultralytics

# The Kalman filter's noise is meant for pixels: normalised boxes are blown up to this and back.
_SCALE = 640.0
# Lost tracks are kept this many frames: about 5 s at three analysed frames a second.
_BUFFER_FRAMES = 15
# Where frames are further apart than this, as under overload, boxes of one walker do not overlap:
# they are compared with a margin of as much of their height as a person walks in that time.
_OVERLAPPING_SECONDS = 0.5
_HEIGHTS_PER_SECOND = 1.0
_WIDEST_HEIGHTS = 2.0


class ByteTracker:
    """Gives the detections of one camera lasting identities."""

    def __init__(self, folder: Path) -> None:
        import_ultralytics(folder)
        # Imported on first use: it brings torch, which only stream workers need to pay for.
        from ultralytics.trackers import byte_tracker
        from ultralytics.trackers.utils import matching

        self._matching: Any = matching
        self._margin = 0.0  # heights
        tracker_type: Any = byte_tracker.BYTETracker
        self._tracker = tracker_type(
            SimpleNamespace(
                track_high_thresh=0.35,
                track_low_thresh=0.1,
                new_track_thresh=0.45,
                track_buffer=_BUFFER_FRAMES,
                match_thresh=0.85,
                fuse_score=True,
            )
        )
        self._tracker.get_dists = self._distances

    def update(
        self, detections: Detections, names: Mapping[int, str], seconds: float = 0.0
    ) -> list[Track]:
        """Follow the objects into the next frame, that many seconds after the one before.

        Only those seen in it are returned.
        """
        apart = seconds if seconds > _OVERLAPPING_SECONDS else 0.0
        self._margin = min(_WIDEST_HEIGHTS, apart * _HEIGHTS_PER_SECOND)
        return [_track(row, names) for row in self._tracker.update(_Boxes.of(detections))]

    def _distances(self, tracks: Any, detections: Any) -> Any:
        """BYTETracker's own measure, on boxes with a margin (https://arxiv.org/abs/2211.14317)."""
        boxes = [[self._widened(one.xyxy) for one in many] for many in (tracks, detections)]
        return self._matching.fuse_score(self._matching.iou_distance(*boxes), detections)

    def _widened(self, xyxy: NDArray[Any]) -> NDArray[Any]:
        margin = self._margin * (xyxy[3] - xyxy[1])
        return np.asarray(xyxy + np.array([-margin, -margin, margin, margin]))


def _track(row: NDArray[Any], names: Mapping[int, str]) -> Track:
    """A row of BYTETracker: x1 y1 x2 y2 id confidence class index, in its pixels."""
    x1, y1, x2, y2 = (float(value) for value in np.clip(row[:4] / _SCALE, 0.0, 1.0))
    track_id, confidence, class_id = int(row[4]), float(row[5]), int(row[6])
    return Track(track_id, names.get(class_id, str(class_id)), confidence, Box(x1, y1, x2, y2))


class _Boxes:
    """What BYTETracker reads of Ultralytics' own results."""

    def __init__(
        self, xywh: NDArray[np.float32], conf: NDArray[np.float32], cls: NDArray[np.int64]
    ) -> None:
        self.xywh, self.conf, self.cls = xywh, conf, cls

    @classmethod
    def of(cls, detections: Detections) -> "_Boxes":
        boxes = detections.boxes_xyxy * _SCALE
        centres, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
        return cls(np.hstack([centres, sizes]), detections.confidences, detections.class_ids)

    def __len__(self) -> int:
        return len(self.conf)

    def __getitem__(self, index: Any) -> "_Boxes":
        return _Boxes(self.xywh[index], self.conf[index], self.cls[index])
