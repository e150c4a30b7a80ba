"""A marked area or line of a camera's picture and what it means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from detection.domain.geometry import Line, Point, Polygon, PolygonError
from detection.domain.schedules import Schedule

_WHOLE_PICTURE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


class ZoneKind(StrEnum):
    """Which rules look at a zone."""

    RESTRICTED = "restricted"  # nobody may stand here: trespassing
    LOITERING = "loitering"  # people may pass but not linger: suspicious_activity
    ENTRY_LINE = "entry_line"  # a threshold, crossed from its left to its right: break_in
    DOOR = "door"  # an entrance, entered from outside: break_in
    PROTECTED = "protected"  # a wall, window or machine that must stay as it is: vandalism
    MASK = "mask"  # nothing here is looked at
    PRIVACY = "privacy"  # nor is it ever kept or shown: painted over in each picture and video

    @property
    def is_mask(self) -> bool:
        """Whether zones of this kind take something away from the picture."""
        return self in (ZoneKind.MASK, ZoneKind.PRIVACY)


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone as the rules see it; an entry line has a `line`, any other a `polygon`.

    `settings` are the zone's own, by rule and option; they go before the camera's. By a `schedule`
    of its own the rules are armed here, instead of by the camera's.
    """

    name: str
    kind: ZoneKind
    polygon: Polygon | None = None
    line: Line | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    schedule: Schedule | None = None
    is_stand_in: bool = False  # hides the whole picture for a mask that cannot be read

    @classmethod
    def hiding_all(cls, name: str) -> "Zone":
        """In place of a privacy mask nobody knows the shape of: nothing is kept or shown.

        Whoever is in it is still looked at, or a damaged row would blind the camera.
        """
        return cls(name, ZoneKind.PRIVACY, Polygon.of(_WHOLE_PICTURE), is_stand_in=True)

    @classmethod
    def of(
        cls,
        name: str,
        kind: ZoneKind,
        corners: Sequence[Sequence[float]],
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        schedule: Schedule | None = None,
    ) -> "Zone":
        """From plain pairs. Raises PolygonError for a shape that its kind cannot have."""
        if kind is ZoneKind.ENTRY_LINE:
            line = Line.of(corners)
            return cls(name, kind, line=line, settings=settings or {}, schedule=schedule)
        return cls(name, kind, Polygon.of(corners), settings=settings or {}, schedule=schedule)

    @property
    def is_overlooked(self) -> bool:
        """Whether nobody in it is looked at."""
        return self.kind.is_mask and not self.is_stand_in

    @property
    def outline(self) -> tuple[Point, ...]:
        """The corners of the polygon, or the two ends of the line."""
        if self.line is not None:
            return (self.line.start, self.line.end)
        return self.area.corners

    @property
    def area(self) -> Polygon:
        """The polygon. Raises PolygonError for a line, which has none."""
        if self.polygon is None:
            raise PolygonError(f"“{self.name}” is a line and has no area")
        return self.polygon
