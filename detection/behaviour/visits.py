"""People at work on a protected place, and what they leave behind."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from detection.behaviour.appearance import Appearance, Cells

LONGEST_STEP_SECONDS: Final = 1.2  # counted of the time between two moments
WORK_SECONDS: Final = 1.5  # of fast motion; less is a gesture
FLICKER_SECONDS: Final = 2.0  # a change that is gone for longer is none
# After so long, a change would have shown, or the light has changed for good.
PATIENCE_SECONDS: Final = 20.0
LONGEST_VISIT_SECONDS: Final = 600.0
# A shadow has edges, which look like a change, and a middle, which does not.
SHADE_SHARE: Final = 0.4
TOLD_SECONDS: Final = 12.0  # a change is told for so long, then it is the normal look
MOST_VISITORS: Final = 5


@dataclass(slots=True)
class Visit:
    """People in front of a protected place, from the first who stops there; times in seconds."""

    since: float
    touched: Cells
    foreign: Cells  # where something stood that may have come or gone, like a car
    last_at: float
    dwell_seconds: float = 0.0
    work_seconds: float = 0.0
    visitors: dict[int, None] = field(default_factory=dict)
    changed_since: float | None = None
    _last_changed_at: float = 0.0

    @classmethod
    def begin(cls, at: float, shape: tuple[int, ...]) -> "Visit":
        return cls(at, np.zeros(shape, bool), np.zeros(shape, bool), at)

    def go_on(self, at: float, visitors: list[int], reached: Cells, *, at_work: bool) -> None:
        """They stand there now and reach these cells of the place."""
        step = min(max(0.0, at - self.last_at), LONGEST_STEP_SECONDS)
        self.last_at = at
        self.dwell_seconds += step
        self.work_seconds += step if at_work else 0.0
        self.touched |= reached
        for visitor in visitors:
            self.visitors.pop(visitor, None)
            self.visitors[visitor] = None
        while len(self.visitors) > MOST_VISITORS:
            self.visitors.pop(next(iter(self.visitors)))

    def changes(self, appearance: Appearance) -> Cells:
        """The cells that they reached and that look different."""
        return np.asarray(appearance.changed & self.touched & ~self.foreign)

    def judge(self, appearance: Appearance, at: float, least_cells: float) -> float | None:
        """For how long the place has looked different; None where it does not."""
        changed = np.count_nonzero(self.changes(appearance))
        shaded = np.count_nonzero(appearance.shaded() & self.touched)
        enough = changed >= least_cells and shaded < SHADE_SHARE * changed
        if enough and not appearance.has_other_light(self.touched):
            self.changed_since = at if self.changed_since is None else self.changed_since
            self._last_changed_at = at
        elif at - self._last_changed_at > FLICKER_SECONDS:
            self.changed_since = None
        return None if self.changed_since is None else at - self.changed_since

    def is_over(self, at: float, told_after: float) -> bool:
        """Whether nothing more is to be learnt from it; a change is told from `told_after` on."""
        if self.changed_since is not None:
            return at - self.changed_since > told_after + TOLD_SECONDS
        if self.work_seconds < WORK_SECONDS and at - self.last_at > FLICKER_SECONDS:
            return True
        return at - self.last_at > PATIENCE_SECONDS or at - self.since > LONGEST_VISIT_SECONDS
