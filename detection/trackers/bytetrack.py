"""ByteTrack for one camera, by Ultralytics' implementation (AGPL-3.0).

A tracker of its own for each camera: a shared one mixes their identities.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.domain.frames import Detections
from detection.domain.geometry import Box
from detection.domain.objects import Group, group_of
from detection.domain.poses import overlap
from detection.domain.tracks import Track
from detection.quiet_imports import import_ultralytics

# The Kalman filter's noise is meant for pixels: normalised boxes are blown up to this and back.
_SCALE = 640.0
# Lost tracks are kept this many frames: about 5 s at three analysed frames a second.
_BUFFER_FRAMES = 15
# Analysed frames are so far apart that the boxes of one walker hardly overlap: they are compared
# with a margin of as much of their height as a person runs in that time.
_HEIGHTS_PER_SECOND = 2.0
_WIDEST_HEIGHTS = 2.0
# Boxes of one group that share so much are of one object.
_SAME_OVERLAP = 0.75


class ByteTracker:
    """Gives the detections of one camera lasting identities, group by group.

    People, vehicles, things and weapons are followed apart: else somebody who walks up to a bag
    takes over its identity. What belongs to no group is dropped; `own_labels` are followed too.
    """

    def __init__(self, folder: Path, own_labels: Collection[str] = ()) -> None:
        import_ultralytics(folder)
        self._own_labels = frozenset(own_labels)
        self._identities = count(1)
        self._followers = {group: _Follower(self._identities) for group in Group}

    def update(
        self, detections: Detections, names: Mapping[int, str], seconds: float = 0.0
    ) -> list[Track]:
        """Follow the objects into the next frame, that many seconds after the one before.

        Only those seen in it are returned. No identity is ever given twice.
        """
        groups = [
            group_of(names.get(class_id, str(class_id)), self._own_labels)
            for class_id in detections.class_ids.tolist()
        ]
        boxes = _Boxes.of(detections)
        tracks: list[Track] = []
        for group, follower in self._followers.items():
            members = [number for number, found in enumerate(groups) if found is group]
            distinct = _distinct(members, detections)
            tracks += follower.update(boxes[distinct], names, seconds)
        return tracks


class _Follower:
    """Ultralytics' tracker for one group of one camera."""

    def __init__(self, identities: Iterator[int]) -> None:
        # Imported on first use: it brings torch, which only stream workers need to pay for.
        from ultralytics.trackers import byte_tracker
        from ultralytics.trackers.utils import matching

        self._identities = identities
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

    def update(self, boxes: "_Boxes", names: Mapping[int, str], seconds: float) -> list[Track]:
        """Follow the objects of the group into the next frame."""
        self._margin = min(_WIDEST_HEIGHTS, seconds * _HEIGHTS_PER_SECOND)
        self._tracker.update(boxes)
        return [
            self._track(found, names)
            for found in self._tracker.tracked_stracks
            if found.is_activated
        ]

    def _track(self, found: Any, names: Mapping[int, str]) -> Track:
        """What is followed keeps the identity and the votes for its labels on itself.

        Its `track_id` will not do: other groups count the same numbers, and BYTETracker's answer
        rounds them to 32 bit floats.
        """
        if not hasattr(found, "identity"):
            found.identity, found.votes = next(self._identities), Counter[str]()
        found.votes[names.get(int(found.cls), str(int(found.cls)))] += float(found.score)
        label = found.votes.most_common(1)[0][0]
        x1, y1, x2, y2 = (float(value) for value in np.clip(found.xyxy / _SCALE, 0.0, 1.0))
        return Track(found.identity, label, float(found.score), Box(x1, y1, x2, y2))

    def _distances(self, tracks: Any, detections: Any) -> Any:
        """BYTETracker's own measure, on boxes with a margin (https://arxiv.org/abs/2211.14317)."""
        boxes = [[self._widened(one.xyxy) for one in many] for many in (tracks, detections)]
        return self._matching.fuse_score(self._matching.iou_distance(*boxes), detections)

    def _widened(self, xyxy: NDArray[Any]) -> NDArray[Any]:
        margin = self._margin * (xyxy[3] - xyxy[1])
        return np.asarray(xyxy + np.array([-margin, -margin, margin, margin]))


def _distinct(members: Sequence[int], detections: Detections) -> NDArray[np.int64]:
    """Without those that a network without suppression of its own sees a second time."""
    kept: list[int] = []
    boxes = {number: Box(*detections.boxes_xyxy[number].tolist()) for number in members}
    for number in sorted(members, key=lambda one: -float(detections.confidences[one])):
        if all(overlap(boxes[number], boxes[other]) < _SAME_OVERLAP for other in kept):
            kept.append(number)
    return np.array(sorted(kept), np.int64)


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
