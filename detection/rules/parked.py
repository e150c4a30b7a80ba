"""Vehicles that stand still, whatever numbers the tracker gives them, and who is at or in one."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime

from detection.domain.geometry import Box
from detection.domain.moments import Moment

VEHICLES = frozenset({"car", "motorcycle", "truck", "bus"})
SAME_PLACE = 0.7  # of the area that two boxes cover together
HIDDEN_SECONDS = (2.0, 30.0)  # one may be missed for as long as it has stood, within these
REACH_HEIGHTS = 0.4  # how far beside a vehicle somebody is still at it
UNLIKE_SIZES = (0.3, 2.5)  # of its height: who is smaller or taller stands elsewhere
WITHIN_SHARE = 0.85  # of somebody's box, that lies in the vehicle's
SILL_SHARE = 0.15  # of its height: who stands before it has their feet below this


@dataclass(slots=True)
class Parked:
    """One that has stood at a place `since`; `number` is the place's."""

    number: int
    label: str
    box: Box
    since: datetime
    seen_at: datetime

    def is_gone(self, at: datetime) -> bool:
        """Whether it has not been seen for too long; of those that pass by nothing is kept."""
        shortest, longest = HIDDEN_SECONDS
        stood = (self.seen_at - self.since).total_seconds()
        return abs((at - self.seen_at).total_seconds()) > min(longest, max(shortest, stood))

    def is_beside(self, person: Box, aspect: float) -> bool:
        """Whether somebody is at it or in it, as far as a picture without depth can say."""
        low, high = UNLIKE_SIZES
        if not low * self.box.height <= person.height <= high * self.box.height:
            return False
        reach = REACH_HEIGHTS * person.height
        left, right = self.box.x1 - reach / aspect, self.box.x2 + reach / aspect
        is_level = self.box.y1 <= person.y2 <= self.box.y2 + reach
        return is_level and person.x1 <= right and person.x2 >= left

    def holds(self, person: Box) -> bool:
        """Whether somebody is in a car, or on a motorcycle, and does not just stand before it."""
        if person.y2 > self.box.y2 - SILL_SHARE * self.box.height:
            return False
        if self.label == "motorcycle":
            return self.box.x1 <= person.feet.x <= self.box.x2 and person.y2 >= self.box.y1
        area = person.width * person.height
        return area > 0 and shared_area(person, self.box) >= WITHIN_SHARE * area


class ParkedVehicles:
    """Every vehicle with the time since when it has stood where it stands."""

    def __init__(self, labels: Set[str] = VEHICLES) -> None:
        self._labels = labels
        self._places: dict[int, Parked] = {}
        self._last_number = 0

    def follow(self, moment: Moment) -> list[Parked]:
        """All that stand somewhere, be it only now; moments come in order of time."""
        for number, place in list(self._places.items()):
            if place.is_gone(moment.at):
                del self._places[number]
        for vehicle in moment.tracks:
            if vehicle.label in self._labels:
                self._stand(vehicle.label, vehicle.box, moment.at)
        return list(self._places.values())

    def _stand(self, label: str, box: Box, at: datetime) -> None:
        for place in self._places.values():
            if _overlap(place.box, box) >= SAME_PLACE:
                place.seen_at = at
                return
        self._last_number += 1
        self._places[self._last_number] = Parked(self._last_number, label, box, at, at)


def _overlap(a: Box, b: Box) -> float:
    """The area that two boxes share, of the area that they cover together."""
    shared = shared_area(a, b)
    union = a.width * a.height + b.width * b.height - shared
    return shared / union if union > 0 else 0.0


def shared_area(a: Box, b: Box) -> float:
    """Of the picture, 0 to 1."""
    width = min(a.x2, b.x2) - max(a.x1, b.x1)
    height = min(a.y2, b.y2) - max(a.y1, b.y1)
    return max(0.0, width) * max(0.0, height)
