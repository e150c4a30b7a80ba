"""Vandalism: a protected place that looks different after somebody was at work on it, and blows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pydantic import Field

from detection.behaviour.blows import Blows, Effort, is_struggling, stands_at, stands_beside
from detection.behaviour.protection import Change, Demand, ProtectedPlaces, Worker
from detection.behaviour.standing import Standing
from detection.behaviour.vigour import Vigour
from detection.domain.crimes import CrimeType
from detection.domain.moments import Moment
from detection.domain.objects import VEHICLES
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone, ZoneKind
from detection.rules.rule import POSSIBLE, SURE, Rule, RuleOptions, large_enough, rising
from detection.rules.settings import Seconds, Settings

STOPS_SECONDS: Final = 1.0  # who walks past stands nowhere for as long
STOPS_HEIGHTS: Final = 0.4
PARKED_SECONDS: Final = 3.0
PARKED_HEIGHTS: Final = 0.15
WORK_SHARE: Final = 0.5  # of the vigour of blows: who sprays, scratches or tears
DOUBTFUL_SECONDS: Final = 2.0  # a change that is younger may be somebody whom the detector missed


class VandalismOptions(RuleOptions):
    dwell_seconds: Seconds = Field(
        3.0, description="Stay at a protected zone after which a change of it is suspicious."
    )
    least_change: float = Field(
        0.005, gt=0, le=1, description="The share of the picture that must look different."
    )
    lasting_seconds: Seconds = Field(
        6.0, description="How long a change must last that makes vandalism sure."
    )
    vigour: float = Field(
        1.0, gt=0, le=10, description="How fast limbs move in blows; less is more sensitive."
    )
    blow_seconds: Seconds = Field(
        2.0, description="Blows within six seconds that are suspicious; twice as many are sure."
    )


class Vandalism(Rule[VandalismOptions]):
    """A protected zone looks different after somebody was at work on it, or is struck.

    Blows count at a parked vehicle, too, without any zone.
    """

    NAME = "vandalism"
    Options = VandalismOptions
    ZONE_KINDS = (ZoneKind.PROTECTED,)
    ZONE_CRIMES = (CrimeType.VANDALISM,)
    NEEDS_PICTURES = True

    def __init__(self, zones: Sequence[Zone], settings: Settings) -> None:
        super().__init__(zones, settings)
        self._protected = self.zones_of(ZoneKind.PROTECTED)
        self._places = ProtectedPlaces({zone.name: zone.area for zone, _ in self._protected})
        self._vigour = Vigour()
        self._people, self._vehicles = Standing(STOPS_HEIGHTS), Standing(PARKED_HEIGHTS)
        self._blows = Blows()

    def observe(self, moment: Moment) -> list[Suspicion]:
        standing = self._people.observe(moment.people, moment.at, moment.aspect)
        stopped = [p for p in moment.people if standing[p.id] >= STOPS_SECONDS]
        parked = self._parked(moment)
        vigour = self._vigour.observe(moment, stopped if self._protected or parked else ())
        return [
            *self._find_changes(moment, stopped, vigour),
            *self._find_blows(moment, stopped, parked, vigour),
        ]

    def _parked(self, moment: Moment) -> list[Track]:
        vehicles = [track for track in moment.tracks if track.label in VEHICLES]
        standing = self._vehicles.observe(vehicles, moment.at, moment.aspect)
        return [vehicle for vehicle in vehicles if standing[vehicle.id] >= PARKED_SECONDS]

    def _find_changes(
        self, moment: Moment, stopped: Sequence[Track], vigour: Mapping[int, float]
    ) -> Iterator[Suspicion]:
        armed = {z.name: o for z, o in self._protected if o.is_armed_at(moment)}
        workers = {
            name: [
                Worker(person, vigour.get(person.id, 0.0) >= WORK_SHARE * options.vigour)
                for person in large_enough(stopped, options)
            ]
            for name, options in armed.items()
        }
        demands = {
            name: Demand(options.dwell_seconds, options.least_change, options.lasting_seconds)
            for name, options in armed.items()
        }
        for name, change in self._places.observe(moment, demands, workers).items():
            if change.seconds >= DOUBTFUL_SECONDS:
                yield _changed(name, change, armed[name])

    def _find_blows(
        self,
        moment: Moment,
        stopped: Sequence[Track],
        parked: Sequence[Track],
        vigour: Mapping[int, float],
    ) -> Iterator[Suspicion]:
        self._blows.forget(moment.at)
        for person in stopped:
            if is_struggling(person, moment.people):
                continue  # with somebody, not with something
            for what, target, options in self._beside(person, parked, moment.aspect):
                if not options.is_armed_at(moment) or not large_enough([person], options):
                    continue
                fast = vigour.get(person.id, 0.0) >= options.vigour
                effort = self._blows.note(target, person.id, moment.at, fast=fast)
                if effort and effort.seconds >= options.blow_seconds:
                    zone = target if isinstance(target, str) else ""
                    yield _struck(what, zone, effort, options)

    def _beside(
        self, person: Track, parked: Sequence[Track], aspect: float
    ) -> Iterator[tuple[str, str | int, VandalismOptions]]:
        """What the person could strike: in words, by its key, and the settings that hold for it."""
        for zone, options in self._protected:
            if stands_at(person, zone.area, aspect):
                yield f"“{zone.name}”", zone.name, options
        for vehicle in parked:
            if stands_beside(person, vehicle, aspect):
                yield f"{vehicle.label} {vehicle.id}", vehicle.id, self.options


def _changed(place: str, change: Change, options: VandalismOptions) -> Suspicion:
    more = max(0.0, options.lasting_seconds - DOUBTFUL_SECONDS)
    return Suspicion(
        CrimeType.VANDALISM,
        rising(change.seconds - DOUBTFUL_SECONDS, more, POSSIBLE, SURE),
        change.visitors,
        f"“{place}” has looked different for {change.seconds:.0f} s after somebody was at work on "
        f"it, in {change.share:.1%} of the picture",
        place,
    )


def _struck(what: str, zone: str, effort: Effort, options: VandalismOptions) -> Suspicion:
    return Suspicion(
        CrimeType.VANDALISM,
        rising(effort.seconds - options.blow_seconds, options.blow_seconds, POSSIBLE, SURE),
        effort.people,
        f"blows at {what}: {effort.seconds:.1f} s of fast motion in 6 s",
        zone,
    )
