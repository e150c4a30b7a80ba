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

    _anchor: float | None = None
    _from_camera: bool = False
    jumps: int = 0

    def captured_at(self, pts: float | None, arrived: float, wall: float | None = None) -> datetime:
        """When the frame was taken, aware UTC; the arrival where the stream gives no PTS."""
        if pts is None:
            return datetime.fromtimestamp(arrived, UTC)
        self._follow(pts, arrived, wall)
        assert self._anchor is not None  # _follow has just set it
        return datetime.fromtimestamp(min(self._anchor + pts, arrived), UTC)

    def _follow(self, pts: float, arrived: float, wall: float | None) -> None:
        if wall is not None and abs(arrived - (wall + pts)) <= BELIEVABLE_OFFSET_SECONDS:
            self._anchor, self._from_camera = wall, True
            return
        observed = arrived - pts
        if self._anchor is None:
            self._anchor = observed
        elif abs(observed - self._anchor) > JUMP_SECONDS:
            self._anchor, self._from_camera = observed, False
            self.jumps += 1
        elif observed < self._anchor and not self._from_camera:
            self._anchor = observed  # this frame was delayed less than any before it
        elif not self._from_camera:
            self._anchor += (observed - self._anchor) * DRIFT_SHARE
