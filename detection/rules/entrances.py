"""On which side of an entrance somebody stands, when a detector's boxes sway."""

from abc import ABC, abstractmethod
from enum import Enum
from math import hypot

from detection.domain.geometry import Box, Line, Point, Polygon
from detection.domain.zones import Zone

MARGIN_HEIGHTS = 0.15  # nearer to the threshold nobody knows on which side feet are


class Side(Enum):
    """THRESHOLD_OUT and THRESHOLD_IN are too near to it to be sure."""

    OUTSIDE = "outside"
    THRESHOLD_OUT = "threshold, rather outside"
    THRESHOLD_IN = "threshold, rather inside"
    INSIDE = "inside"

    @property
    def is_inner(self) -> bool:
        return self in (Side.INSIDE, Side.THRESHOLD_IN)


class Entrance(ABC):
    """A way in."""

    @abstractmethod
    def depth(self, feet: Point, aspect: float) -> float:
        """How far inside the feet are, in heights of the picture; negative outside."""

    @abstractmethod
    def leads_in(self, outside: Point, inside: Point) -> bool:
        """Whether who goes from one to the other comes this way."""

    def side(self, box: Box, aspect: float) -> Side:
        """Where somebody's feet are."""
        depth, margin = self.depth(box.feet, aspect), MARGIN_HEIGHTS * box.height
        if abs(depth) >= margin:
            return Side.INSIDE if depth > 0 else Side.OUTSIDE
        return Side.THRESHOLD_IN if depth > 0 else Side.THRESHOLD_OUT


class LineEntrance(Entrance):
    """Everything beyond the line is inside; only between its ends is it a way in."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def depth(self, feet: Point, aspect: float) -> float:
        start, end = self._line.start, self._line.end
        across, down = (end.x - start.x) * aspect, end.y - start.y
        beyond = across * (feet.y - start.y) - down * (feet.x - start.x) * aspect
        return beyond / hypot(across, down)

    def leads_in(self, outside: Point, inside: Point) -> bool:
        return self._line.is_entered(outside, inside)


class DoorEntrance(Entrance):
    """The doorway, drawn as an area: who stands in it goes in or comes out."""

    def __init__(self, area: Polygon) -> None:
        self._area = area

    def depth(self, feet: Point, aspect: float) -> float:
        corners = self._area.corners
        apart = min(
            _apart(feet, a, b, aspect)
            for a, b in zip(corners, corners[1:] + corners[:1], strict=True)
        )
        return apart if self._area.contains(feet) else -apart

    def leads_in(self, outside: Point, inside: Point) -> bool:
        return True


def entrance_of(zone: Zone) -> Entrance:
    """The entrance that a line or a door is."""
    return LineEntrance(zone.line) if zone.line else DoorEntrance(zone.area)


def _apart(point: Point, a: Point, b: Point, aspect: float) -> float:
    """From a point to the nearest of an edge, in heights of the picture."""
    across, down = (b.x - a.x) * aspect, b.y - a.y
    x, y = (point.x - a.x) * aspect, point.y - a.y
    length = across**2 + down**2
    share = min(1.0, max(0.0, (x * across + y * down) / length)) if length else 0.0
    return hypot(x - share * across, y - share * down)
