"""Break-in: a person who tarries at a parked vehicle and is then in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import Field

from detection.domain.crimes import CrimeType
from detection.domain.moments import Moment
from detection.domain.schedules import Profile
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone
from detection.rules.parked import Parked, ParkedVehicles
from detection.rules.places import options_at
from detection.rules.rule import POSSIBLE, SURE, Rule, RuleOptions, large_enough, rising
from detection.rules.settings import Seconds, Settings
from detection.rules.succession import Succession

AWAY_SECONDS = 5.0  # who is away from the vehicle for longer comes anew
OUT_SECONDS = 1.5  # who is not in it for longer has got out
FORGET_SECONDS = 10.0
LEAST_SIGHTS = 2  # inside: a box that was there once may have been wrong


class VehicleBreakInOptions(RuleOptions):
    armed_in: tuple[Profile, ...] = Field(
        (Profile.NIGHT, Profile.CLOSED),
        description="The profiles in which it is armed: day, night, closed.",
    )
    parked_seconds: Seconds = Field(
        60.0, description="How long a vehicle stands still before it counts as parked."
    )
    dwell_seconds: Seconds = Field(
        20.0, description="How long a thief tarries at it; a driver gets in sooner."
    )
    inside_seconds: Seconds = Field(8.0, description="How long somebody is in it until it is sure.")


@dataclass(slots=True)
class _Visitor:
    """Somebody at a vehicle; who came with it, or was in it when first seen, `belongs` to it."""

    vehicle: Parked
    belongs: bool
    track_id: int
    seen_at: datetime
    near_since: datetime
    near_at: datetime
    inside_since: datetime | None = None
    inside_at: datetime | None = None
    sights_inside: int = 0

    def stand(self, person: Track, is_near: bool, is_inside: bool, at: datetime) -> None:
        self.track_id, self.seen_at = person.id, at
        if is_near:
            if (at - self.near_at).total_seconds() > AWAY_SECONDS:
                self.near_since = at
            self.near_at = at
        if is_inside:
            self.inside_since = self.inside_since or at
            self.inside_at = at
            self.sights_inside += 1
        elif self.inside_at and (at - self.inside_at).total_seconds() > OUT_SECONDS:
            self.inside_since = self.inside_at = None
            self.sights_inside = 0


class VehicleBreakIn(Rule[VehicleBreakInOptions]):
    """A person tarries at a parked vehicle and is then in it.

    Possible once they are in it, sure when they stay or vanish there.
    """

    NAME = "vehicle_break_in"
    Options = VehicleBreakInOptions
    HEEDS_EVERY_ZONE = True

    def __init__(self, zones: Sequence[Zone], settings: Settings) -> None:
        super().__init__(zones, settings)
        self._vehicles = ParkedVehicles()
        self._succession = Succession()
        self._visitors: dict[tuple[int, int], _Visitor] = {}

    def observe(self, moment: Moment) -> list[Suspicion]:
        self._forget(moment.at)
        vehicles = self._vehicles.follow(moment)
        people = self._succession.follow(moment)
        for person in moment.people:
            for vehicle in vehicles:
                self._look(vehicle, people[person.id], person, moment)
        visitors = list(self._visitors.values())
        return [s for visitor in visitors if (s := self._suspect(visitor, moment))]

    def _look(self, vehicle: Parked, who: int, person: Track, moment: Moment) -> None:
        is_near, is_inside = (
            vehicle.is_beside(person.box, moment.aspect),
            vehicle.holds(person.box),
        )
        visitor = self._visitors.get((vehicle.number, who))
        if visitor is None:
            options = options_at(self, vehicle.box.feet)
            if not is_near or not large_enough([person], options):
                return
            stood = (moment.at - vehicle.since).total_seconds()
            belongs = stood < options.parked_seconds or is_inside
            visitor = _Visitor(vehicle, belongs, person.id, moment.at, moment.at, moment.at)
            self._visitors[vehicle.number, who] = visitor
        visitor.stand(person, is_near, is_inside, moment.at)

    def _suspect(self, visitor: _Visitor, moment: Moment) -> Suspicion | None:
        options = options_at(self, visitor.vehicle.box.feet)
        if visitor.belongs or visitor.inside_since is None or not options.is_armed_at(moment):
            return None
        tarried = (visitor.inside_since - visitor.near_since).total_seconds()
        if tarried < options.dwell_seconds:
            return None
        inside = (moment.at - visitor.inside_since).total_seconds()
        confidence = rising(inside, options.inside_seconds, POSSIBLE, SURE)
        if visitor.sights_inside < LEAST_SIGHTS:
            confidence = POSSIBLE
        where = f"a {visitor.vehicle.label} for {tarried:.0f} s and is in it"
        reason = f"person {visitor.track_id} tarried at {where}"
        return Suspicion(CrimeType.BREAK_IN, confidence, (visitor.track_id,), reason)

    def _forget(self, at: datetime) -> None:
        for key, visitor in list(self._visitors.items()):
            if abs((at - visitor.seen_at).total_seconds()) > FORGET_SECONDS:
                del self._visitors[key]
