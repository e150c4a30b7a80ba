"""The clock of the clip: which picture is due, for all clients of a camera alike.

A camera does not begin anew for each viewer. The clock starts when the first client plays and
runs on without one, so several clients see the same picture at the same time.
"""

import asyncio
import bisect
import secrets
import time
from collections.abc import Callable
from typing import Protocol

from simulators.tapo.clip import AccessUnit, Clip
from simulators.tapo.rtp import CLOCK_RATE

REPORT_SECONDS = 4.0
# A loop that was held up this long goes on with what is due now instead of sending the backlog.
BACKLOG_SECONDS = 1.0


class Viewer(Protocol):
    def deliver(self, unit: AccessUnit, timestamp: int) -> None: ...

    def report(self, wall_seconds: float, timestamp: int) -> None: ...

    @property
    def hang_up(self) -> Callable[[], None]: ...


class Broadcast:
    def __init__(self, clip: Clip, *, loop: bool) -> None:
        self.clip = clip
        self.frozen = False
        self.started_at: float | None = None
        """Wall clock of position 0 of the present clip; None before anybody played it."""
        self._clock_offset = 0.0
        self._loops = loop
        self._origin = 0.0
        self._timestamp_base = secrets.randbits(32)
        self._segment_start = 0
        self._lap_start = 0
        self._index = 0
        self._viewers: list[Viewer] = []
        self._task: asyncio.Task[None] | None = None

    def join(self, viewer: Viewer) -> None:
        if self.started_at is None or self._is_over():
            self._origin, self.started_at = time.monotonic(), time.time()
            self._segment_start = 0
        if not self._viewers:
            self._catch_up()
        self._viewers.append(viewer)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def leave(self, viewer: Viewer) -> None:
        if viewer in self._viewers:
            self._viewers.remove(viewer)
        if not self._viewers and self._task is not None:
            self._task.cancel()
            self._task = None

    def switch(self, clip: Clip) -> None:
        """Go on with another clip, from its first picture, without a break in the timestamps."""
        self.clip = clip
        self._segment_start = 0
        if self.started_at is not None:
            self._segment_start = self._position()
            self.started_at = time.time()
        self._lap_start = self._segment_start
        self._index = 0

    def jump_clock(self, seconds: float) -> None:
        """Set the camera's clock: its timestamps and the wall clock of its reports jump."""
        self._clock_offset += seconds
        for viewer in self._viewers:
            self.report_to(viewer)

    def next_key_timestamp(self) -> int:
        """The RTP timestamp of the first picture that a client which joins now can decode."""
        if self.started_at is None or self._is_over():
            return self._timestamp(0)
        here = self._position() - self._segment_start
        lap, within = divmod(here, self.clip.duration)
        keys = [unit.position for unit in self.clip.units if unit.key]
        at = bisect.bisect_left(keys, within)
        offset = keys[at] if at < len(keys) else self.clip.duration
        return self._timestamp(self._segment_start + lap * self.clip.duration + offset)

    def report_to(self, viewer: Viewer) -> None:
        if not self.frozen:
            viewer.report(time.time() + self._clock_offset, self._timestamp(self._position()))

    async def _run(self) -> None:
        next_report = time.monotonic() + REPORT_SECONDS
        while True:
            if self._index == len(self.clip.units):
                if not self._loops:
                    return self._end()
                self._lap_start += self.clip.duration
                self._index = 0
            unit = self.clip.units[self._index]
            due = self._lap_start + unit.position
            wait = self._origin + due / CLOCK_RATE - time.monotonic()
            if wait < -BACKLOG_SECONDS:
                self._catch_up()
                continue
            if wait > 0:
                await asyncio.sleep(wait)
                if unit is not self._unit_due():
                    continue  # the clip was switched meanwhile
            self._index += 1
            if self.frozen:
                continue
            for viewer in tuple(self._viewers):
                viewer.deliver(unit, self._timestamp(due))
            if time.monotonic() >= next_report:
                next_report = time.monotonic() + REPORT_SECONDS
                for viewer in self._viewers:
                    self.report_to(viewer)

    def _unit_due(self) -> AccessUnit | None:
        return self.clip.units[self._index] if self._index < len(self.clip.units) else None

    def _catch_up(self) -> None:
        here = self._position() - self._segment_start
        lap, within = divmod(here, self.clip.duration)
        self._lap_start = self._segment_start + lap * self.clip.duration
        self._index = bisect.bisect_left(self.clip.units, within, key=lambda unit: unit.position)

    def _is_over(self) -> bool:
        played = self._position() - self._segment_start
        return not self._loops and not self._viewers and played >= self.clip.duration

    def _end(self) -> None:
        """A clip that is not to be repeated ends like a camera that is switched off."""
        self.started_at = None
        self._lap_start = self._index = 0
        for viewer in tuple(self._viewers):
            viewer.hang_up()

    def _position(self) -> int:
        return int((time.monotonic() - self._origin) * CLOCK_RATE)

    def _timestamp(self, position: int) -> int:
        jumped = int(self._clock_offset * CLOCK_RATE)
        return (self._timestamp_base + position + jumped) & 0xFFFFFFFF
