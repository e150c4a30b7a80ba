"""The stream side's half of “newest wins”: at most one frame of a camera is in flight.

A frame that still waits in the mailbox is replaced by a newer one; while one is being analysed, the
newest is held here and posted when the answer comes.
"""

import time
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from detection.domain.frames import Answer, Frame
from detection.domain.letterbox import Letterbox
from detection.ports import FrameMailbox, TransportError


@dataclass(frozen=True, slots=True)
class SampledPicture:
    """A sampled frame with the original pixels (height, width, 3) BGR and the way back to them."""

    frame: Frame
    original: NDArray[np.uint8]
    letterbox: Letterbox


class Outbound:
    """Posts sampled frames and matches answers to them. Used by the reader and the watch task."""

    def __init__(self, mailbox: FrameMailbox, camera_id: int, max_age_seconds: float) -> None:
        self._mailbox = mailbox
        self._camera_id = camera_id
        self._max_age_seconds = max_age_seconds
        self._lock = Lock()
        self._in_flight: SampledPicture | None = None
        self._posted_at = 0.0
        self._held: SampledPicture | None = None
        self.skipped = 0
        self.fault = ""

    def offer(self, sampled: SampledPicture) -> None:
        """Post the frame, or put it in place of an older one that has not been taken."""
        with self._lock:
            self._give_up_on_the_lost()
            if self._in_flight is None:
                self._post(sampled)
            elif self._replace(sampled):
                self.skipped += 1
            else:
                self.skipped += self._held is not None
                self._held = sampled

    def collect(self, timeout_seconds: float) -> tuple[Answer, SampledPicture] | None:
        """Wait for an answer and post the held frame, if any. Raises TransportError."""
        answer = self._mailbox.collect(self._camera_id, timeout_seconds)
        if answer is None:
            return None
        with self._lock:
            asked = self._in_flight
            if asked is None or asked.frame.sequence != answer.sequence:
                return None  # an answer to a frame that was given up
            self._in_flight = None
            held, self._held = self._held, None
            if held is not None:
                self._post(held)
        return answer, asked

    def _post(self, sampled: SampledPicture) -> None:
        try:
            self._mailbox.post(sampled.frame, replace=False)
        except TransportError as error:
            self.skipped += 1
            self.fault = str(error)
            return
        self.fault = ""
        self._in_flight = sampled
        self._posted_at = time.monotonic()

    def _replace(self, sampled: SampledPicture) -> bool:
        try:
            replaced = self._mailbox.post(sampled.frame, replace=True)
        except TransportError as error:
            self.fault = str(error)
            return False
        if replaced:
            self._in_flight = sampled
        return replaced

    def _give_up_on_the_lost(self) -> None:
        """A frame whose answer never came (a worker or the broker died) blocks nothing for long."""
        if self._in_flight and time.monotonic() - self._posted_at > 2 * self._max_age_seconds + 1:
            self.skipped += 1 + (self._held is not None)
            self._in_flight = self._held = None
