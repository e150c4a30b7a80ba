"""Whose keypoints are whose: the pose network looks at places, the tracker knows identities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from detection.domain.geometry import Box
from detection.domain.moments import Keypoints
from detection.domain.tracks import Track

LEAST_OVERLAP: Final = 0.3  # of two boxes that may be one person's


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Somebody whom the pose network has looked at, and the box it took them by."""

    box: Box
    keypoints: Keypoints


def keypoints_by_track(tracks: Sequence[Track], poses: Sequence[Pose]) -> dict[int, Keypoints]:
    """The keypoints of those people of whom there are any; who overlaps most comes first."""
    pairs = sorted(
        (
            (-overlap(track.box, pose.box), track.id, number)
            for track in tracks
            if track.is_person
            for number, pose in enumerate(poses)
        ),
    )
    found: dict[int, int] = {}
    for negative, track_id, number in pairs:
        if -negative < LEAST_OVERLAP:
            break
        if track_id not in found and number not in found.values():
            found[track_id] = number
    return {track_id: poses[number].keypoints for track_id, number in found.items()}


def overlap(a: Box, b: Box) -> float:
    """The boxes' intersection over their union, 0 to 1."""
    width, height = min(a.x2, b.x2) - max(a.x1, b.x1), min(a.y2, b.y2) - max(a.y1, b.y1)
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / (a.width * a.height + b.width * b.height - common)
