"""The watchdog of one camera: what it is judged to be, by its frames and never by a flag.

The reader's thread shows it pictures, the watch task asks for its finding. It costs no query.
"""

import time
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.domain.view_health import LOOK_SIZE, SAID, HealthKind, ViewHealth
from detection.models import CameraState
from detection.reader import ReaderStatus

# A connection that breaks and is there again at once is no lost camera.
LOST_SECONDS = 3.0
# Shares of a stream's frames that arrive damaged or not at all.
DAMAGE_TO_MENTION = 0.1
DAMAGE_TOO_MUCH = 0.4
DAMAGE_TO_RECOVER = 0.25  # below this a camera that had too much is watched again


@dataclass(frozen=True, slots=True)
class Finding:
    """The camera's state as it should be shown; none as long as nothing can be said."""

    state: CameraState | None
    reason: str = ""
    trouble: HealthKind | None = None  # with its view
    since: float = 0.0  # monotonic seconds: when that began
    is_stalled: bool = False  # this connection gives no frame any more, and nobody else noticed

    @property
    def watched(self) -> bool:
        """Whether somebody would be noticed now."""
        return self.state is CameraState.RUNNING and self.trouble is None


class Watchdog:
    """Judges one camera for as long as it is watched."""

    def __init__(self, status: ReaderStatus, stall_seconds: float) -> None:
        self._status = status
        self._stall_seconds = stall_seconds
        self._started_at = self.last_answer_at = time.monotonic()
        self._view = ViewHealth()
        self._shape = 0.0
        self._too_damaged = False
        self.analysed = False

    def see(self, pixels: NDArray[np.uint8]) -> None:
        """A sampled picture, BGR. Called by the reader's thread."""
        now = time.monotonic()
        if not self._view.is_due(now):
            return
        shape = pixels.shape[1] / pixels.shape[0]
        if abs(shape - self._shape) > 0.01:
            self._view.forget()  # another picture: a new resolution is no camera that was turned
            self._shape = shape
        small = cv2.resize(pixels, LOOK_SIZE, interpolation=cv2.INTER_AREA)
        self._view.look(np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8), now)

    def answered(self) -> None:
        """A frame came back analysed."""
        self.last_answer_at, self.analysed = time.monotonic(), True

    def find(self, unanswered: str) -> Finding:
        """Judge; `unanswered` says why no frame is analysed, should that be the matter."""
        status, now = self._status, time.monotonic()
        last = status.last_decoded_at or self._started_at
        if status.reason:
            lost = HealthKind.LOST if now - last > LOST_SECONDS else None
            return Finding(CameraState.ERROR, f"{status.reason}: {status.message}", lost, last)
        if now - last > self._stall_seconds and status.decoded:
            reason = "stalled: the stream is open, but no frame comes"
            return Finding(CameraState.ERROR, reason, HealthKind.LOST, last, is_stalled=True)
        if now - last > self._stall_seconds:
            reason = "no_video: no picture since it was opened"
            return Finding(CameraState.ERROR, reason, HealthKind.LOST, last)
        if not status.decoded:
            return Finding(None)
        return self._find_of_pictures(unanswered, now)

    def _find_of_pictures(self, unanswered: str, now: float) -> Finding:
        view = self._view.trouble
        kind, since = (view.kind, view.since) if view else (None, 0.0)
        if now - self.last_answer_at > self._stall_seconds:
            reason = f"not_analysed: {unanswered}"
            return Finding(CameraState.ERROR, reason, kind, since)
        damage = self._status.damage
        limit = DAMAGE_TO_RECOVER if self._too_damaged else DAMAGE_TOO_MUCH
        self._too_damaged = damage > limit
        if not self.analysed and not self._too_damaged:
            return Finding(None)  # a camera must not only seem watched
        if kind is not None and not self._too_damaged:
            return Finding(CameraState.RUNNING, f"{kind.value}: {SAID[kind]}", kind, since)
        if damage > DAMAGE_TO_MENTION:
            state = CameraState.ERROR if self._too_damaged else CameraState.RUNNING
            reason = f"damaged: about {round(damage, 1):.0%} of the frames are damaged or missing"
            return Finding(state, reason, kind, since)
        return Finding(CameraState.RUNNING)
