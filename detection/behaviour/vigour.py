"""How fast people's limbs move while they stay where they are; 1 is as fast as blows.

Told by the joints where the pose network has looked, and by how much of the picture changes around
the upper body from frame to frame, which needs no network.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detection.behaviour.bodies import Body, person_features
from detection.domain.geometry import Box
from detection.domain.moments import Keypoints, Moment
from detection.domain.tracks import Track

LONGEST_STEP_SECONDS: Final = 1.2  # frames further apart tell nothing of speed
LEAST_PIXELS: Final = 24  # of height: in smaller people noise looks like limbs
REACH: Final = 0.25  # heights, to each side: arms and legs leave the box
OVERHEAD: Final = 0.1
UPPER_PART: Final = 0.55  # legs of somebody who walks towards the camera move in one place, too
# Of people in surveillance clips who stay in one place, 13 % pass it over 1.5 s where there is a
# fight, 2.5 % where there is none.
FAST_SHARE: Final = 0.75
USUAL_STEP_SECONDS: Final = 0.2  # at which it was measured; the share grows as the step's root
UPPER_AREA: Final = 0.2  # of the height squared: about a person's upper part
LEAST_CHANGE: Final = 14.0  # grey levels
NOISES: Final = 6.0
FAST_LIMB: Final = 0.8  # body sizes a second, against the trunk; walkers' stay below 0.6
WRIST_SPEED, LEG_SPEED = 3, 5  # of PERSON_FEATURES
POSE_SCALE: Final = 1000.0  # bodies are measured in pixels
Bounds = tuple[slice, slice]


class Vigour:
    """One camera's people; remembers the last frame and the last pose of each."""

    def __init__(self) -> None:
        self._last: Moment | None = None
        self._poses: dict[int, tuple[float, Keypoints, Body]] = {}

    def observe(self, moment: Moment, people: Sequence[Track]) -> dict[int, float]:
        """The vigour of these people, as far as it can be told, by track id."""
        before, self._last = self._last, moment
        found = self._by_joints(moment)
        if before is None or before.picture is None or moment.picture is None:
            return found
        earlier = {track.id: track for track in before.tracks}
        known = [person for person in people if person.id in earlier]
        seconds = (moment.at - before.at).total_seconds()
        if not known or not 0 < seconds <= LONGEST_STEP_SECONDS:
            return found
        if before.picture.shape != moment.picture.shape:
            return found
        changed = _changed(before.picture, moment.picture)
        for person in known:
            share = _share(changed, person, earlier[person.id], [*before.tracks, *moment.tracks])
            if share is not None:
                vigour = share / FAST_SHARE / (seconds / USUAL_STEP_SECONDS) ** 0.5
                found[person.id] = max(found.get(person.id, 0.0), vigour)
        return found

    def _by_joints(self, moment: Moment) -> dict[int, float]:
        at, found = moment.at.timestamp(), {}
        boxes = {person.id: person.box for person in moment.people}
        for track_id in [known for known in self._poses if known not in boxes]:
            del self._poses[track_id]
        for track_id, keypoints in moment.bodies.items():
            if track_id not in boxes:
                continue
            since, old_keypoints, old = self._poses.get(track_id, (at, keypoints, None))
            if old is not None and np.array_equal(old_keypoints, keypoints):
                continue  # the same look again
            body = _body(boxes[track_id], keypoints, moment.aspect)
            self._poses[track_id] = (at, keypoints, body)
            if old is not None and 0 < at - since <= LONGEST_STEP_SECONDS:
                speeds = np.array(person_features(old, body, at - since))[[WRIST_SPEED, LEG_SPEED]]
                if not np.isnan(speeds).all():
                    found[track_id] = float(np.nanmax(speeds)) / FAST_LIMB
        return found


def _body(box: Box, keypoints: Keypoints, aspect: float) -> Body:
    scale = np.array([aspect, 1.0], np.float32) * POSE_SCALE
    places = (keypoints[:, :2] * scale).astype(np.float32)
    return Body(
        (np.array(box, np.float32) * np.tile(scale, 2)).astype(np.float32),
        np.hstack([places, keypoints[:, 2:]]).astype(np.float32),
    )


def _changed(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where more changed than noise and than the light of the whole picture."""
    steps = now.astype(np.int16) - before
    steps -= np.int16(np.median(steps))
    np.abs(steps, out=steps)
    noise = 1.48 * float(np.median(steps))
    return np.asarray(steps > max(LEAST_CHANGE, NOISES * noise))


def _share(
    changed: NDArray[np.bool_], person: Track, earlier: Track, tracks: Sequence[Track]
) -> float | None:
    """How much changed around the upper body, in upper bodies; None where too small to tell."""
    height, width = changed.shape
    pixels = person.box.height * height
    if pixels < LEAST_PIXELS:
        return None
    reach = REACH * pixels / width
    box, old = person.box, earlier.box
    around = Box(
        min(box.x1, old.x1) - reach,
        min(box.y1, old.y1) - OVERHEAD * box.height,
        max(box.x2, old.x2) + reach,
        box.y1 + UPPER_PART * box.height,
    )
    rows, columns = _pixels(around, changed.shape)
    moved = changed[rows, columns].copy()
    for other in tracks:
        if other.id != person.id and other.is_person and _meet(other.box, around):
            _blank(moved, other.box, (rows, columns), changed.shape)
    return float(np.count_nonzero(moved) / (UPPER_AREA * pixels**2))


def _meet(a: Box, b: Box) -> bool:
    return a.x1 < b.x2 and b.x1 < a.x2 and a.y1 < b.y2 and b.y1 < a.y2


def _blank(part: NDArray[np.bool_], box: Box, bounds: Bounds, shape: tuple[int, ...]) -> None:
    """What others do is theirs."""
    rows, columns = _pixels(box, shape)
    top, left = bounds[0].start, bounds[1].start
    part[
        max(0, rows.start - top) : max(0, rows.stop - top),
        max(0, columns.start - left) : max(0, columns.stop - left),
    ] = False


def _pixels(box: Box, shape: tuple[int, ...]) -> Bounds:
    height, width = shape
    top, bottom = (min(height, max(0, round(y * height))) for y in (box.y1, box.y2))
    left, right = (min(width, max(0, round(x * width))) for x in (box.x1, box.x2))
    return slice(top, max(top, bottom)), slice(left, max(left, right))
