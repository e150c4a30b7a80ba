"""Suspicious activity: a person who runs where nobody runs."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import quantiles

from pydantic import Field

from detection.domain.crimes import CrimeType
from detection.domain.geometry import Box
from detection.domain.moments import Moment
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone
from detection.rules.parked import VEHICLES, ParkedVehicles
from detection.rules.places import options_at
from detection.rules.rule import POSSIBLE, SURE, Rule, RuleOptions, large_enough, rising
from detection.rules.settings import Seconds, Settings
from detection.rules.trails import Trails

MEASURED_SECONDS = 0.6  # over less, the jitter of a detector's boxes is speed
TRAIL_SECONDS = 4.0
FORGET_SECONDS = 3.0
IMPOSSIBLE_SPEED = 8.0  # the tracker took somebody for somebody else
SLOWED_SHARE = 0.8  # of the limit: who drops below it has stopped running
PEOPLE_REMEMBERED = 200
LEAST_MEASUREMENTS = 5  # of a person, to count among the usual
UNKNOWN_PLACE = 75.0  # the ceiling until it is known how people move here
RIDDEN = VEHICLES | {"bicycle", "skateboard", "horse", "train"}
PARKED_SECONDS = 3.0  # what has stood for so long carries nobody who runs


class RunningOptions(RuleOptions):
    speed: float = Field(
        2.0, gt=0, le=8, description="Body heights a second; walkers make about 0.8."
    )
    sustained_seconds: Seconds = Field(
        1.0, description="How long somebody must be so fast to be suspicious."
    )
    usual_people: int = Field(
        20,
        ge=2,
        le=PEOPLE_REMEMBERED,
        description="After so many people it is known what is usual.",
    )
    usual_factor: float = Field(
        1.5, ge=1, le=5, description="By how much a runner is faster than nearly everybody here."
    )


@dataclass(slots=True)
class _Gait:
    """How somebody has moved so far."""

    seen_at: datetime
    speeds: float = 0.0
    measurements: int = 0
    fast_since: datetime | None = None
    rides: bool = False


class Running(Rule[RunningOptions]):
    """A person moves fast, and faster than people usually do here.

    Possible once the speed is sustained, sure when it is so for thrice that time.
    """

    NAME = "running"
    Options = RunningOptions
    HEEDS_EVERY_ZONE = True

    def __init__(self, zones: Sequence[Zone], settings: Settings) -> None:
        super().__init__(zones, settings)
        self._trails = Trails(TRAIL_SECONDS)
        self._vehicles = ParkedVehicles(RIDDEN)
        self._gaits: dict[int, _Gait] = {}
        self._usual: deque[float] = deque(maxlen=PEOPLE_REMEMBERED)

    def observe(self, moment: Moment) -> list[Suspicion]:
        self._trails.follow(moment)
        self._learn_from_those_who_left(moment.at)
        rides = self._rides(moment)
        suspicions = []
        for person in moment.people:
            gait = self._gaits.setdefault(person.id, _Gait(moment.at))
            gait.seen_at = moment.at
            gait.rides |= any(_carries(ride, person.box) for ride in rides)
            speed = self._measure(person, gait, moment.aspect)
            options = options_at(self, person.box.feet)
            if options.is_armed_at(moment) and large_enough([person], options):
                suspicions += self._suspect(person, gait, speed, options)
        return suspicions

    def _rides(self, moment: Moment) -> list[Box]:
        """Whatever there is to ride on that does not just stand there."""
        return [
            vehicle.box
            for vehicle in self._vehicles.follow(moment)
            if vehicle.seen_at == moment.at
            and (moment.at - vehicle.since).total_seconds() < PARKED_SECONDS
        ]

    def _measure(self, person: Track, gait: _Gait, aspect: float) -> float:
        move = self._trails.of(person.id).move(MEASURED_SECONDS, aspect)
        if move is None or move.speed > IMPOSSIBLE_SPEED:
            return 0.0
        gait.speeds += move.speed
        gait.measurements += 1
        return move.speed

    def _suspect(
        self, person: Track, gait: _Gait, speed: float, options: RunningOptions
    ) -> list[Suspicion]:
        is_known = len(self._usual) >= options.usual_people
        limit = options.speed
        if is_known:
            limit = max(
                limit, options.usual_factor * quantiles(self._usual, n=20, method="inclusive")[-1]
            )
        if gait.rides or speed < SLOWED_SHARE * limit:
            gait.fast_since = None
        elif speed >= limit:
            gait.fast_since = gait.fast_since or gait.seen_at
        if gait.fast_since is None:
            return []
        lasted, sustained = (
            (gait.seen_at - gait.fast_since).total_seconds(),
            options.sustained_seconds,
        )
        if lasted < sustained:
            return []
        ceiling = SURE if is_known else UNKNOWN_PLACE
        confidence = rising(lasted - sustained, 2 * sustained, POSSIBLE, ceiling)
        reason = f"person {person.id} runs: {speed:.1f} body heights a second for {lasted:.1f} s"
        return [Suspicion(CrimeType.SUSPICIOUS_ACTIVITY, confidence, (person.id,), reason)]

    def _learn_from_those_who_left(self, at: datetime) -> None:
        for track_id, gait in list(self._gaits.items()):
            if abs((at - gait.seen_at).total_seconds()) > FORGET_SECONDS:
                del self._gaits[track_id]
                if gait.measurements >= LEAST_MEASUREMENTS and not gait.rides:
                    self._usual.append(gait.speeds / gait.measurements)


def _carries(ride: Box, person: Box) -> bool:
    """Whether the person's feet are within the box, as a rider's or a passenger's are."""
    feet = person.feet
    return ride.x1 <= feet.x <= ride.x2 and ride.y1 <= feet.y <= ride.y2
