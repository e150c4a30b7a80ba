"""The stream side's half of “newest wins”: at most one frame of a camera is in flight.

A frame that still waits in the mailbox is replaced by a newer one; while one is being analysed, the
newest is held here and posted when the answer comes. Where the detector is overloaded, answers
bring a pace, and no frame is sent before it is due.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.domain.close_ups import CloseUp
from detection.domain.frames import Answer, Frame
from detection.domain.letterbox import Letterbox
from detection.ports import FrameMailbox, TransportError

# Under a pace: a frame that waits this long has met a queue and is replaced by a newer one.
REFRESH_SECONDS = 0.3
GREY_WIDTH = 320
RETRY_SECONDS = 1.0  # a mailbox that failed is left alone: each try holds up the reader
PACE_EXPIRES_SECONDS = 5.0  # nobody answers any more: what was asked for then is forgotten


@dataclass(frozen=True, slots=True)
class SampledPicture:
    """A sampled frame with the original pixels (height, width, 3) BGR and the way back to them."""

    frame: Frame
    original: NDArray[np.uint8]
    letterbox: Letterbox
    posted_at: float = 0.0  # POSIX seconds

    @property
    def grey(self) -> NDArray[np.uint8]:
        """The whole picture, grey, about 320 wide."""
        shown = self.letterbox.inside(self.frame.pixels)
        size = (GREY_WIDTH, max(1, round(GREY_WIDTH * shown.shape[0] / shown.shape[1])))
        small = cv2.resize(shown, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)


def _no_close_up(_: float) -> CloseUp | None:
    return None


def _with(sampled: SampledPicture, close_up: CloseUp | None) -> SampledPicture:
    if close_up is None:
        return sampled
    return replace(sampled, frame=replace(sampled.frame, close_up=close_up))


class Outbound:
    """Posts sampled frames and matches answers to them. Used by the reader and the watch task.

    `next_close_up` is asked, with the frame's time in seconds, for what is to be looked at closely;
    not while there is a pace: where time is short, that is the first to go.
    """

    def __init__(
        self,
        mailbox: FrameMailbox,
        camera_id: int,
        max_age_seconds: float,
        next_close_up: Callable[[float], CloseUp | None] = _no_close_up,
    ) -> None:
        self._next_close_up = next_close_up
        self._mailbox = mailbox
        self._camera_id = camera_id
        self._max_age_seconds = max_age_seconds
        self._lock = Lock()
        self._in_flight: SampledPicture | None = None
        self._posted_at = self._sent_at = 0.0
        self._held: SampledPicture | None = None
        self._pace, self._paced_at = 0.0, 0.0
        self._beat = 0.0  # when the frame in flight was due
        self._failed_at = float("-inf")
        self._skipped = 0
        self.fault = ""

    def wants(self) -> bool:
        """Whether a frame has a place now; one that has none is counted as skipped."""
        with self._lock:
            now = time.monotonic()
            self._give_up_on_the_lost()
            if now - self._paced_at > PACE_EXPIRES_SECONDS:
                self._pace = 0.0
            if now - self._failed_at < RETRY_SECONDS:
                wanted = False
            elif self._in_flight is None:
                wanted = self._is_due(now)
            else:
                wanted = not self._pace or now - self._sent_at >= REFRESH_SECONDS
            self._skipped += not wanted
            return wanted

    def note_skipped(self) -> None:
        """A frame was answered, but not analysed."""
        with self._lock:
            self._skipped += 1

    def take_skipped(self) -> int:
        """How many frames were skipped since this was last asked."""
        with self._lock:
            skipped, self._skipped = self._skipped, 0
        return skipped

    def offer(self, sampled: SampledPicture) -> None:
        """Post the frame, or put it in place of an older one that has not been taken."""
        with self._lock:
            self._give_up_on_the_lost()
            if self._in_flight is None:
                self._post(sampled)
            elif self._replace(sampled):
                self._skipped += 1
            else:
                self._skipped += self._held is not None
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
            self._pace, self._paced_at = answer.pace, time.monotonic()
            held, self._held = self._held, None
            if held is not None and self._is_due(self._paced_at):
                self._post(held)
            else:
                self._skipped += held is not None
        return answer, asked

    def _post(self, sampled: SampledPicture) -> None:
        if not self._pace:
            sampled = _with(sampled, self._next_close_up(sampled.frame.captured_at.timestamp()))
        sampled = replace(sampled, posted_at=time.time())
        try:
            self._mailbox.post(sampled.frame, replace=False)
        except TransportError as error:
            self._skipped += 1
            self._note_failure(error)
            return
        self.fault = ""
        self._in_flight = sampled
        self._posted_at = self._sent_at = now = time.monotonic()
        # When it was due, not now: sampled frames come in steps, and a camera whose steps fall
        # badly must not send fewer than the others.
        self._beat = max(self._beat + self._pace, now - self._pace)

    def _note_failure(self, error: TransportError) -> None:
        self.fault, self._failed_at = str(error), time.monotonic()

    def _is_due(self, now: float) -> bool:
        return now >= self._beat + self._pace

    def _replace(self, sampled: SampledPicture) -> bool:
        self._sent_at = time.monotonic()
        if self._in_flight and not self._pace:
            sampled = _with(sampled, self._in_flight.frame.close_up)
        sampled = replace(sampled, posted_at=time.time())
        try:
            replaced = self._mailbox.post(sampled.frame, replace=True)
        except TransportError as error:
            self._note_failure(error)
            return False
        if replaced:
            self._in_flight = sampled
        return replaced

    def _give_up_on_the_lost(self) -> None:
        """A frame whose answer never came (a worker or the broker died) blocks nothing for long."""
        if self._in_flight and time.monotonic() - self._posted_at > 2 * self._max_age_seconds + 1:
            self._skipped += 1 + (self._held is not None)
            self._in_flight = self._held = None
