"""Where things stand in the picture: normalised coordinates, 0..1, x to the right, y down."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Point(NamedTuple):
    """A place in the picture, normalised."""

    x: float
    y: float


class Box(NamedTuple):
    """An upright rectangle in the picture, normalised, corners top left and bottom right."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def feet(self) -> Point:
        """Where a standing person touches the ground: the middle of the lower edge."""
        return Point((self.x1 + self.x2) / 2, self.y2)

    @property
    def centre(self) -> Point:
        return Point((self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2)

    @property
    def width(self) -> float:
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        return self.y2 - self.y1


class PolygonError(ValueError):
    """The corners make no area; the message says which rule they break.

    `corner` is the number, from 1, of the one that is to blame; None where all are.
    """

    def __init__(self, message: str, corner: int | None = None) -> None:
        super().__init__(message)
        self.corner = corner


@dataclass(frozen=True, slots=True)
class Polygon:
    """A simple (not self-crossing) polygon with at least three corners inside the picture.

    Raises:
        PolygonError: for fewer than three corners, corners outside 0..1, no area, crossing edges.
    """

    corners: tuple[Point, ...]

    def __post_init__(self) -> None:
        if len(self.corners) < 3:
            raise PolygonError(f"a zone needs at least 3 corners, this one has {len(self.corners)}")
        for number, corner in enumerate(self.corners, start=1):
            if not (0 <= corner.x <= 1 and 0 <= corner.y <= 1):
                told = f"corner {number} is at ({corner.x:g}, {corner.y:g}), outside 0 to 1"
                raise PolygonError(told, number)
        if _edges_cross(self.corners):
            raise PolygonError("the edges of the zone cross; draw it without crossings")
        if _area(self.corners) < 1e-6:
            raise PolygonError("the corners lie on one line, the zone has no area")

    @classmethod
    def of(cls, corners: Sequence[Sequence[float]]) -> "Polygon":
        """Build from plain pairs, as JSON holds them."""
        try:
            points = tuple(Point(float(x), float(y)) for x, y in corners)
        except (TypeError, ValueError):
            raise PolygonError("each corner is a pair [x, y]") from None
        return cls(points)

    def contains(self, point: Point) -> bool:
        """Even-odd rule: count how many edges a ray to the right crosses.

        The edges belong to the polygon: whom the picture cuts off below has their feet on one.
        """
        inside = False
        for a, b in _edges(self.corners):
            if _lies_on(point, a, b):
                return True
            if (a.y > point.y) != (b.y > point.y):
                crossing_x = a.x + (point.y - a.y) / (b.y - a.y) * (b.x - a.x)
                inside ^= point.x < crossing_x
        return inside


@dataclass(frozen=True, slots=True)
class Line:
    """A threshold from `start` to `end`: outside is on the left of who walks along it.

    Raises:
        PolygonError: for points outside 0..1 or in one place.
    """

    start: Point
    end: Point

    def __post_init__(self) -> None:
        for number, point in enumerate((self.start, self.end), start=1):
            if not (0 <= point.x <= 1 and 0 <= point.y <= 1):
                told = f"point {number} is at ({point.x:g}, {point.y:g}), outside 0 to 1"
                raise PolygonError(told, number)
        if distance(self.start, self.end) < 1e-3:
            raise PolygonError("the two points of the line are in one place")

    @classmethod
    def of(cls, points: Sequence[Sequence[float]]) -> "Line":
        """Build from plain pairs, as JSON holds them."""
        try:
            ends = [Point(float(x), float(y)) for x, y in points]
        except (TypeError, ValueError):
            raise PolygonError("each point is a pair [x, y]") from None
        if len(ends) != 2:
            raise PolygonError(f"a line has 2 points, this one has {len(ends)}")
        return cls(*ends)

    def is_entered(self, before: Point, after: Point) -> bool:
        """Whether a step leads from outside over the line, between its ends, to inside."""
        came_from = _side(self.start, self.end, before)
        went_to = _side(self.start, self.end, after)
        if not (came_from < 0 <= went_to):
            return False
        return _side(before, after, self.start) * _side(before, after, self.end) <= 0


def distance(a: Point, b: Point) -> float:
    """Euclidean distance in normalised units (the picture is taken as a unit square)."""
    return float(((a.x - b.x) ** 2 + (a.y - b.y) ** 2) ** 0.5)


def _edges(corners: tuple[Point, ...]) -> list[tuple[Point, Point]]:
    return list(zip(corners, corners[1:] + corners[:1], strict=True))


def _area(corners: tuple[Point, ...]) -> float:
    return abs(sum(a.x * b.y - b.x * a.y for a, b in _edges(corners))) / 2


def _side(a: Point, b: Point, c: Point) -> float:
    return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)


def _lies_on(point: Point, a: Point, b: Point) -> bool:
    return (
        min(a.x, b.x) <= point.x <= max(a.x, b.x)
        and min(a.y, b.y) <= point.y <= max(a.y, b.y)
        and _side(a, b, point) == 0
    )


def _edges_cross(corners: tuple[Point, ...]) -> bool:
    edges = _edges(corners)
    for i, (a, b) in enumerate(edges):
        for j in range(i + 2, len(edges)):
            if i == 0 and j == len(edges) - 1:
                continue  # neighbours around the corner
            c, d = edges[j]
            if _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0:
                return True
    return False
