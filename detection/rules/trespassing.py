"""Trespassing: a person's feet inside a restricted zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import Field

from detection.domain.crimes import CrimeType
from detection.domain.moments import Moment
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone, ZoneKind
from detection.rules.rule import (
    POSSIBLE,
    SURE,
    SUREST,
    Rule,
    RuleOptions,
    large_enough,
    rising,
)
from detection.rules.settings import Seconds, Settings
from detection.rules.succession import Succession
from detection.rules.trails import Trails

# A person may step on the line, or be missed by the detector, for this long and still be inside.
STEP_OUT_SECONDS = 1.5
# Where frames are rare, as under overload, one of them may miss the person.
STEP_OUT_FRAMES = 2.2
# The way somebody goes is judged by their last steps, once they have come so far in them.
STEPS_SECONDS = 1.0
STEPS_HEIGHTS = 0.3
TRAIL_SECONDS = 4.0


class TrespassingOptions(RuleOptions):
    dwell_seconds: Seconds = Field(
        4.0, description="Stay in a restricted zone that makes trespassing a crime."
    )
    direction_degrees: float | None = Field(
        None,
        ge=0,
        le=360,
        description="Only who moves this way trespasses: 0 right, 90 down in the picture.",
    )
    direction_tolerance_degrees: float = Field(
        60.0, gt=0, le=180, description="How far a way may be off the direction."
    )


@dataclass(slots=True)
class _Stay:
    entered_at: datetime
    last_inside_at: datetime


class Trespassing(Rule[TrespassingOptions]):
    """A person's feet are inside a restricted zone.

    Possible at the first step inside, sure after the dwell, surest after twice the dwell.

    Where a direction is set, the first step is the one that leads that way; who then stands still
    goes on trespassing until they turn or leave.
    """

    NAME = "trespassing"
    Options = TrespassingOptions
    ZONE_KINDS = (ZoneKind.RESTRICTED,)
    ZONE_CRIMES = (CrimeType.TRESPASSING,)

    def __init__(self, zones: Sequence[Zone], settings: Settings) -> None:
        super().__init__(zones, settings)
        self._zones = self.zones_of(ZoneKind.RESTRICTED)
        self._stays: dict[tuple[str, int], _Stay] = {}
        self._trails = Trails(TRAIL_SECONDS)
        self._succession = Succession()
        self._who: dict[int, int] = {}
        self._last_at: datetime | None = None

    def observe(self, moment: Moment) -> list[Suspicion]:
        self._forget_those_who_left(moment.at)
        self._trails.follow(moment)
        self._who = self._succession.follow(moment)
        return [
            self._suspect(zone, options, person, moment.at)
            for zone, options in self._zones
            if options.is_armed_at(moment)
            for person in large_enough(moment.tracks, options)
            if zone.area.contains(person.box.feet)
            if self._goes_the_wrong_way(zone, options, person, moment)
        ]

    def _goes_the_wrong_way(
        self, zone: Zone, options: TrespassingOptions, person: Track, moment: Moment
    ) -> bool:
        if options.direction_degrees is None:
            return True
        move = self._trails.of(person.id).move(STEPS_SECONDS, moment.aspect)
        if move is None or move.heights < STEPS_HEIGHTS:
            return (zone.name, self._who[person.id]) in self._stays
        return move.leads(options.direction_degrees, options.direction_tolerance_degrees)

    def _suspect(
        self, zone: Zone, options: TrespassingOptions, person: Track, at: datetime
    ) -> Suspicion:
        stay = self._stays.setdefault((zone.name, self._who[person.id]), _Stay(at, at))
        stay.last_inside_at = at
        inside_seconds = (at - stay.entered_at).total_seconds()
        return Suspicion(
            CrimeType.TRESPASSING,
            _confidence(inside_seconds, options.dwell_seconds),
            (person.id,),
            f"person {person.id} inside “{zone.name}” for {inside_seconds:.1f} s",
            zone.name,
        )

    def _forget_those_who_left(self, at: datetime) -> None:
        apart = (at - self._last_at).total_seconds() if self._last_at else 0.0
        self._last_at = at
        step_out = max(STEP_OUT_SECONDS, min(STEP_OUT_FRAMES * apart, 4 * STEP_OUT_SECONDS))
        for key, stay in list(self._stays.items()):
            if (at - stay.last_inside_at).total_seconds() > step_out:
                del self._stays[key]


def _confidence(inside_seconds: float, dwell: float) -> float:
    if inside_seconds < dwell:
        return rising(inside_seconds, dwell, POSSIBLE, SURE)
    return rising(inside_seconds - dwell, dwell, SURE, SUREST)
