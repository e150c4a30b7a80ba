"""How much of a stream arrives damaged or not at all, over its last seconds.

A decoder hides what is missing: it smears the last good picture over the gap, and a camera that
sends nothing but rubbish would look as alive as any other.
"""

from collections import deque
from itertools import pairwise

WINDOW_SECONDS = 6.0
LEAST_SECONDS = 2.0  # of a stream, before anything is said of it
LEAST_FRAMES = 10
# The frames of a stream come at an even pace; the shortest steps tell which, also where most of
# its frames are missing. (Of these, a few are shorter by jitter.)
PACE_SHARE = 0.1
LONGEST_STEP_SECONDS = 5.0  # a longer one is a clock that jumped


class DamageGauge:
    """Counts frames by their fate; `counts_gaps` where packets can get lost (UDP)."""

    def __init__(self, *, counts_gaps: bool) -> None:
        self._counts_gaps = counts_gaps
        self._fates: deque[tuple[float, float | None, bool]] = deque()  # at, PTS, whole

    def note(self, at: float, pts: float | None, *, whole: bool) -> None:
        """A frame came at this moment (monotonic seconds), whole or not."""
        self._fates.append((at, pts, whole))
        while self._fates[0][0] < at - WINDOW_SECONDS:
            self._fates.popleft()

    def share(self) -> float:
        """The part of the last seconds' frames that was damaged or is missing, 0 to 1."""
        fates = self._fates
        if len(fates) < LEAST_FRAMES or fates[-1][0] - fates[0][0] < LEAST_SECONDS:
            return 0.0
        whole = sum(fate[2] for fate in fates)
        return 1.0 - whole / (len(fates) + (self._missing() if self._counts_gaps else 0))

    def _missing(self) -> int:
        times = [pts for _, pts, _ in self._fates if pts is not None]
        steps = sorted(b - a for a, b in pairwise(times) if 0 < b - a < LONGEST_STEP_SECONDS)
        if not steps:
            return 0
        pace = steps[int(len(steps) * PACE_SHARE)]
        return sum(round(step / pace) - 1 for step in steps)
