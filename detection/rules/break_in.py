"""Break-in: a person goes in by an entrance while nobody should."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from detection.domain.crimes import CrimeType
from detection.domain.moments import Moment
from detection.domain.schedules import Profile
from detection.domain.suspicions import Suspicion
from detection.domain.tracks import Track
from detection.domain.zones import Zone, ZoneKind
from detection.rules.entrances import Side, entrance_of
from detection.rules.rule import POSSIBLE, SURE, SUREST, Rule, RuleOptions, large_enough, rising
from detection.rules.settings import Seconds, Settings
from detection.rules.succession import Succession
from detection.rules.trails import Trails
from detection.rules.visits import Visit

TRAIL_SECONDS = 4.0
VANISHED_SECONDS = 2.0
VANISHED_FRAMES = 2.2  # where frames are rare, as under overload, one of them may miss a person
LONGEST_VANISHED_SECONDS = 5.0
HELD_SECONDS = 10.0  # the suspicion against somebody who has vanished inside


class BreakInOptions(RuleOptions):
    armed_in: tuple[Profile, ...] = Field(
        (Profile.NIGHT, Profile.CLOSED),
        description="The profiles in which it is armed: day, night, closed.",
    )
    stay_seconds: Seconds = Field(
        4.0, description="Stay inside that makes a burglar of somebody who has come in."
    )


class BreakIn(Rule[BreakInOptions]):
    """A person goes in over an entry line, or by a door zone.

    Possible at the crossing, sure after the stay or when the person vanishes inside.
    """

    NAME = "break_in"
    Options = BreakInOptions
    ZONE_KINDS = (ZoneKind.ENTRY_LINE, ZoneKind.DOOR)
    ZONE_CRIMES = (CrimeType.BREAK_IN,)

    def __init__(self, zones: Sequence[Zone], settings: Settings) -> None:
        super().__init__(zones, settings)
        self._entrances = [
            (zone, options, entrance_of(zone))
            for zone, options in self.zones_of(ZoneKind.ENTRY_LINE, ZoneKind.DOOR)
        ]
        self._succession = Succession()
        self._trails = Trails(TRAIL_SECONDS)
        self._visits: dict[tuple[int, int], Visit] = {}
        self._last_at: datetime | None = None

    def observe(self, moment: Moment) -> list[Suspicion]:
        if not self._entrances:
            return []
        vanished = self._vanished_seconds(moment.at)
        self._trails.follow(moment)
        people = self._succession.follow(moment)
        for person in moment.people:
            for number in range(len(self._entrances)):
                self._look(number, people[person.id], person, moment)
        self._forget(moment.at)
        return [
            suspicion
            for (number, _), visit in self._visits.items()
            if (suspicion := self._suspect(number, visit, moment, vanished))
        ]

    def _look(self, number: int, who: int, person: Track, moment: Moment) -> None:
        _, options, entrance = self._entrances[number]
        if not large_enough([person], options):
            return
        feet, side = person.box.feet, entrance.side(person.box, moment.aspect)
        visit = self._visits.setdefault((number, who), Visit(person.id, moment.at, feet))
        visit.track_id, visit.seen_at = person.id, moment.at
        if self._trails.of(person.id).hides_feet():
            return
        visit.stand(side, feet, moment.at)
        if visit.comes_in(side, entrance, moment.at) and options.is_armed_at(moment):
            visit.entered_at = moment.at

    def _suspect(
        self, number: int, visit: Visit, moment: Moment, vanished: float
    ) -> Suspicion | None:
        zone, options, entrance = self._entrances[number]
        hidden = (moment.at - visit.seen_at).total_seconds()
        if hidden >= vanished and visit.comes_in(Side.INSIDE, entrance, visit.seen_at):
            visit.entered_at = visit.seen_at if options.is_armed_at(moment) else None
        if not visit.is_inside or visit.entered_at is None:
            return None
        if not options.is_armed_at(moment):
            return None
        stayed = (moment.at - visit.entered_at).total_seconds()
        stay = options.stay_seconds
        confidence = (
            rising(stayed, stay, POSSIBLE, SURE)
            if stayed < stay
            else rising(stayed - stay, stay, SURE, SUREST)
        )
        reason = f"person {visit.track_id} went in by “{zone.name}” {stayed:.0f} s ago"
        if hidden >= vanished:
            confidence = max(SURE, confidence) if visit.is_believed else POSSIBLE
            reason = f"person {visit.track_id} went in by “{zone.name}” and vanished inside"
        return Suspicion(CrimeType.BREAK_IN, confidence, (visit.track_id,), reason, zone.name)

    def _vanished_seconds(self, at: datetime) -> float:
        apart = (at - self._last_at).total_seconds() if self._last_at else 0.0
        self._last_at = at
        return max(VANISHED_SECONDS, min(VANISHED_FRAMES * apart, LONGEST_VANISHED_SECONDS))

    def _forget(self, at: datetime) -> None:
        for key, visit in list(self._visits.items()):
            if abs((at - visit.seen_at).total_seconds()) > HELD_SECONDS:
                del self._visits[key]
