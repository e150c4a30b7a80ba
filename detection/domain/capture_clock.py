"""Turns the timestamps of a stream into moments in UTC.

A frame's arrival says when we got it, not when it was taken: networks and decoders delay. The
stream's own line (PTS) keeps the true distances, so it is anchored once, to the RTCP wall clock
where the camera gives a believable one, else to the earliest arrival seen, and followed after that.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

# A camera whose clock differs more than this is not believed: its evidence would be cut wrongly.
BELIEVABLE_OFFSET_SECONDS = 5.0
# PTS that disagree with the arrival by more than this have jumped (camera restart, clock set).
JUMP_SECONDS = 10.0
# How fast the anchor follows a camera clock that runs slower than ours (share of each deviation).
DRIFT_SHARE = 0.001


@dataclass(slots=True)
class CaptureClock:
    """The clock of one connection. All inputs in seconds; `wall` is POSIX time of PTS 0."""

    _anchor: float | None = None  # POSIX time of PTS 0, as we believe now
    _delay: float = 0.0  # what the way from the camera takes, where its clock tells
    _from_camera: bool = False
    _last: tuple[float, float, float] | None = None  # PTS, arrival, moment of capture
    jumps: int = 0

    def captured_at(self, pts: float | None, arrived: float, wall: float | None = None) -> datetime:
        """When the frame was taken, aware UTC; the arrival where the stream gives no PTS."""
        if pts is None:
            return datetime.fromtimestamp(arrived, UTC)
        captured = self._follow(pts, arrived, wall) + pts
        if not self._from_camera:
            captured = min(captured, arrived)
        self._last = (pts, arrived, captured)
        return datetime.fromtimestamp(captured, UTC)

    def _follow(self, pts: float, arrived: float, wall: float | None) -> float:
        observed = arrived - pts
        if self._anchor is None or self._has_jumped(pts, observed):
            self.jumps += self._anchor is not None
            self._anchor = self._after_a_jump(pts, arrived)
            self._delay, self._from_camera = max(0.0, observed - self._anchor), False
        elif not self._from_camera and observed < self._anchor:
            self._anchor = observed  # this frame was delayed less than any before it
        else:
            # The first frame may have waited: the least delay ever seen is the way's own.
            self._delay = max(0.0, min(self._delay, observed - self._anchor))
            self._anchor += (observed - self._delay - self._anchor) * DRIFT_SHARE
        believable = wall is not None and abs(observed - wall) <= BELIEVABLE_OFFSET_SECONDS
        if wall is not None and believable and not self._from_camera and not self.jumps:
            # The report is read once; after that the camera's clock is followed by its arrivals.
            self._anchor, self._delay, self._from_camera = wall, observed - wall, True
        return self._anchor

    def _has_jumped(self, pts: float, observed: float) -> bool:
        """Frames come in their order: a PTS below the last one is a clock that was set back."""
        assert self._anchor is not None
        back = self._last is not None and pts < self._last[0]
        return back or abs(observed - self._delay - self._anchor) > JUMP_SECONDS

    def _after_a_jump(self, pts: float, arrived: float) -> float:
        """Where the camera's clock jumped, time goes on without a break; this host's is followed.

        The host's arrivals go on steadily in the first case, and jump themselves in the second.
        """
        if self._last is not None and 0 <= arrived - self._last[1] <= JUMP_SECONDS:
            return self._last[2] + (arrived - self._last[1]) - pts
        return arrived - pts
