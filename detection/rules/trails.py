"""Where followed people were in the last seconds, measured in heights of their bodies.

A body's height is the one measure that every picture brings along: by it somebody near the camera
walks as fast as somebody at a distance.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from math import atan2, degrees, hypot
from statistics import median
from typing import NamedTuple

from detection.domain.geometry import Box
from detection.domain.moments import Moment

LEAST_HEIGHT = 0.01  # of the picture: below it a step is no measure of anything
CUT_SHARE = 0.75  # of the usual height: a box below it ends where something hides the legs
STEADY_HEAD = 0.2  # heights: whose head came down by more has stooped


class Move(NamedTuple):
    """How far somebody has come in some seconds: to the right and down, in body heights."""

    seconds: float
    right: float
    down: float

    @property
    def heights(self) -> float:
        return hypot(self.right, self.down)

    @property
    def speed(self) -> float:
        """Body heights a second: a walker makes about 0.8, a runner 2 and more."""
        return self.heights / self.seconds

    def leads(self, direction_degrees: float, tolerance_degrees: float) -> bool:
        """Whether it goes that way: 0 is to the right, 90 down in the picture."""
        off = degrees(atan2(self.down, self.right)) - direction_degrees
        return abs((off + 180) % 360 - 180) <= tolerance_degrees


class _Step(NamedTuple):
    at: datetime
    box: Box


@dataclass(slots=True)
class Trail:
    """The last steps of one track."""

    steps: deque[_Step] = field(default_factory=deque)

    @property
    def last_at(self) -> datetime:
        return self.steps[-1].at

    def move(self, seconds: float, aspect: float) -> Move | None:
        """From the last step that is at least so old until now; None where there is none.

        Of feet and head the one that moved less counts: somebody in front hides the feet of who
        stands still, and the box then ends at the knees.
        """
        now = self.steps[-1]
        before = next((s for s in reversed(self.steps) if _age(s, now) >= seconds), None)
        if before is None or before is now:
            return None
        height = max(LEAST_HEIGHT, median(step.box.height for step in self.steps))
        right = (now.box.centre.x - before.box.centre.x) * aspect / height
        down = min(now.box.y2 - before.box.y2, now.box.y1 - before.box.y1, key=abs) / height
        return Move(_age(before, now), right, down)

    def hides_feet(self) -> bool:
        """Whether something has come in front of the legs, so that the feet are not in the box.

        The box has become shorter only: who stoops lowers the head, who walks away grows narrower.
        """
        boxes, now = [step.box for step in self.steps], self.steps[-1].box
        height = max(LEAST_HEIGHT, median(box.height for box in boxes))
        return (
            now.height < CUT_SHARE * height
            and now.width > CUT_SHARE * median(box.width for box in boxes)
            and abs(now.y1 - median(box.y1 for box in boxes)) < STEADY_HEAD * height
        )


class Trails:
    """The trails of all people of a camera over the last seconds; who is gone is forgotten."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._trails: dict[int, Trail] = {}

    def follow(self, moment: Moment) -> None:
        """Take in who is where; moments come in order of time."""
        for person in moment.people:
            steps = self._trails.setdefault(person.id, Trail()).steps
            if not steps or moment.at > steps[-1].at:
                steps.append(_Step(moment.at, person.box))
        for track_id, trail in list(self._trails.items()):
            while trail.steps and self._is_old(trail.steps[0], moment.at):
                trail.steps.popleft()
            if not trail.steps:
                del self._trails[track_id]

    def of(self, track_id: int) -> Trail:
        """The trail of somebody who is in the moment that was taken in last."""
        return self._trails[track_id]

    def _is_old(self, step: _Step, at: datetime) -> bool:
        return abs((at - step.at).total_seconds()) > self._seconds


def _age(step: _Step, now: _Step) -> float:
    return (now.at - step.at).total_seconds()
