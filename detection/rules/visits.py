"""Somebody at an entrance: outside, on the threshold, in, gone again."""

from dataclasses import dataclass
from datetime import datetime

from detection.domain.geometry import Point
from detection.rules.entrances import Entrance, Side

FIRM_SECONDS = 1.0  # on the inner half of the threshold for so long is inside
LEFT_SECONDS = 1.5  # outside for so long, and not just swaying, is gone
LEAST_SIGHTS = 2  # inside: a box that was there once may have been wrong


@dataclass(slots=True)
class Visit:
    """What is known of one person at one entrance. `outside` is where they last stood before it."""

    track_id: int
    seen_at: datetime
    feet: Point
    outside: Point | None = None
    inner_since: datetime | None = None
    outer_since: datetime | None = None
    entered_at: datetime | None = None
    sights_inside: int = 0

    @property
    def is_inside(self) -> bool:
        """Whether they have come in by this entrance and were in when last seen."""
        return self.entered_at is not None and self.inner_since is not None

    @property
    def is_believed(self) -> bool:
        return self.sights_inside >= LEAST_SIGHTS

    def stand(self, side: Side, feet: Point, at: datetime) -> None:
        """They were seen on this side."""
        self.feet = feet
        if side.is_inner:
            self.outer_since = None
            self.inner_since = self.inner_since or at
            self.sights_inside += 1
            return
        self.inner_since = None
        self.outer_since = self.outer_since or at
        if self.entered_at and (at - self.outer_since).total_seconds() < LEFT_SECONDS:
            return
        self.sights_inside = 0
        if side is Side.OUTSIDE:
            self.entered_at, self.outside = None, feet

    def comes_in(self, side: Side, entrance: Entrance, at: datetime) -> bool:
        """Whether they have just come in: from outside, by this way, and firmly."""
        if self.entered_at or self.outside is None or self.inner_since is None:
            return False
        lasted = (at - self.inner_since).total_seconds()
        if side is not Side.INSIDE and lasted < FIRM_SECONDS:
            return False
        came_this_way = entrance.leads_in(self.outside, self.feet)
        self.outside = None
        return came_this_way
