"""Whether a stream shows the same picture again and again."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

SAME_SHARE = 0.2  # of the smallest change that is normal for the camera
LONGEST_QUIET_SECONDS = 20.0  # believed of a camera of which nothing is known
QUIET_MEMORY_SECONDS = 600.0
RING_SECONDS = 10.0
PATIENCE_SECONDS = 6.0


class Stillness:
    """How long the picture has shown nothing that was not there in the last seconds.

    A sensor always has noise, so a real camera's picture never repeats; a drawn one may stand
    still for as long as it has been seen to.
    """

    def __init__(self) -> None:
        self._ring: deque[tuple[float, NDArray[np.int16]]] = deque()
        self._changes: deque[float] = deque(maxlen=240)
        self._lived = 0.0
        self._quiet_since: float | None = None
        self._longest_quiet = 0.0
        self._last_at: float | None = None

    def interrupt(self) -> None:
        self._ring.clear()
        self._quiet_since = self._last_at = None

    def look(self, luma: NDArray[np.uint8], at: float) -> float | None:
        """Since when the picture has been frozen; None while it lives."""
        picture = luma[::2, ::2].astype(np.int16)
        change = self._change(picture)
        self._ring.append((at, picture))
        while self._ring[0][0] < at - RING_SECONDS:
            self._ring.popleft()
        elapsed = 0.0 if self._last_at is None else at - self._last_at
        self._last_at = at
        if change is None:
            return None
        if change > SAME_SHARE * self._least_normal_change():
            self._live(change, at, elapsed)
            return None
        if self._quiet_since is None:
            self._quiet_since = at - elapsed
        return self._quiet_since if at - self._quiet_since >= self._patience() else None

    def is_unusual(self, at: float) -> bool:
        """Whether the picture has stood still for longer than it ever does."""
        known = self._lived >= LONGEST_QUIET_SECONDS and self._quiet_since is not None
        return known and at - (self._quiet_since or at) > max(1.0, self._longest_quiet)

    def _change(self, picture: NDArray[np.int16]) -> float | None:
        """Mean distance to the likest picture of the last seconds, in grey levels."""
        if not self._ring:
            return None
        return min(float(np.abs(picture - old).mean()) for _, old in reversed(self._ring))

    def _live(self, change: float, at: float, elapsed: float) -> None:
        self._changes.append(change)
        self._lived += elapsed
        quiet = 0.0 if self._quiet_since is None else at - self._quiet_since
        if quiet >= self._patience():
            quiet = min(1.5 * self._longest_quiet, LONGEST_QUIET_SECONDS)  # it was frozen, perhaps
        faded = self._longest_quiet * (1 - min(1.0, elapsed / QUIET_MEMORY_SECONDS))
        self._longest_quiet = max(quiet, faded)
        self._quiet_since = None

    def _patience(self) -> float:
        known = self._lived >= LONGEST_QUIET_SECONDS
        return max(PATIENCE_SECONDS, 3 * (self._longest_quiet if known else LONGEST_QUIET_SECONDS))

    def _least_normal_change(self) -> float:
        return float(np.percentile(self._changes, 10)) if len(self._changes) >= 10 else 0.0
