"""Which frames of a stream are sampled, and when those of a file were taken."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from detection.ports import never

DEFAULT_FRAME_SECONDS = 1 / 25
# So often a place is looked at where more than the usual frames are wanted: what the fight model
# was trained on.
HURRY_SECONDS = 1 / 5


@dataclass(slots=True)
class Sampling:
    """Takes every `frame_skip`-th frame, or where there is a `rate`, as many a second.

    While `hurry` says so, it takes at least five a second of them besides.
    """

    frame_skip: int
    rate: float | None = None
    hurry: Callable[[], bool] = never
    _left: int = 0  # frames to be skipped
    _taken_at: datetime | None = None
    _seen_at: datetime | None = None
    _due: datetime | None = None

    def takes(self, at: datetime) -> bool:
        """Whether the frame captured `at`, the next one, is sampled."""
        if self.rate is None:
            return self._takes_in_turn(at)
        step = timedelta(seconds=1 / self.rate)
        if self._due is not None and self._due - step <= at < self._due:
            return False
        behind = self._due is None or not self._due <= at < self._due + step
        # From when it was due, not from now: frames come in steps, and the rate is to be kept.
        self._due = at + step if behind or self._due is None else self._due + step
        return True

    def _takes_in_turn(self, at: datetime) -> bool:
        before, self._seen_at = self._seen_at, at
        if self._left > 0 and not self._is_late(before, at):
            self._left -= 1
            return False
        self._left, self._taken_at = self.frame_skip - 1, at
        return True

    def _is_late(self, before: datetime | None, at: datetime) -> bool:
        """Whether more is wanted and the last one is long ago; rather a little early than late."""
        if before is None or self._taken_at is None or not self.hurry():
            return False
        return at - self._taken_at >= timedelta(seconds=HURRY_SECONDS) - (at - before) / 2


@dataclass(slots=True)
class Playback:
    """The place in a file of each of its frames, in seconds from the first; it always rises.

    By the file's time stamps; where one is missing or steps back, by the distance of its frames.
    """

    frame_seconds: float = DEFAULT_FRAME_SECONDS
    seconds: float = 0.0
    _origin: float | None = None

    def follow(self, stamp: float | None) -> float:
        """The place of the next frame. `stamp` is its own time in seconds, if it has one."""
        if self._origin is None:
            self._origin = stamp or 0.0
            return self.seconds
        place = None if stamp is None else stamp - self._origin
        if place is None or place <= self.seconds:
            place = self.seconds + self.frame_seconds
            self._origin = self._origin if stamp is None else stamp - place
        self.seconds = place
        return place
